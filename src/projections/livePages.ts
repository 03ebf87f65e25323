// The newest events of each partition, for the folds that follow the log side by side: what one of them has read and parsed
// is there for the others, so following costs one reading however many read models there are. Bounded: a fold that stays
// further behind than what is kept reads for itself, and never holds up another.
import type { EventLog } from '../events/eventLog.ts'
import { LIMITS } from '../limits.ts'
import type { FoldingEvent } from './foldingEvent.ts'
import { partitionPages, type Source } from './logPages.ts'

export class LivePages {
  private readonly partitions = new Map<number, RecentEvents>()

  constructor(
    private readonly log: Pick<EventLog, 'read'>,
    private readonly bounds: { readonly events: number; readonly pageEvents: number } = { events: LIMITS.recentEventsKept, pageEvents: LIMITS.readPageEvents },
  ) {}

  /** The partition as one fold reads it; `consumer` is a name of its own. It must leave when it ends, or what it has not read is kept. */
  source(partition: number, consumer: string): Source {
    const known = this.partitions.get(partition)
    if (known !== undefined) return known.source(consumer)
    const recent: RecentEvents = new RecentEvents(partitionPages(this.log, partition), this.bounds.pageEvents, () => this.roomOf(recent))
    this.partitions.set(partition, recent)
    return recent.source(consumer)
  }

  /** What the others leave of the bound, and one page at least. */
  private roomOf(recent: RecentEvents): number {
    let others = -recent.kept
    for (const { kept } of this.partitions.values()) others += kept
    return Math.max(this.bounds.pageEvents, this.bounds.events - others)
  }

  leave(partition: number, consumer: string): void {
    this.partitions.get(partition)?.leave(consumer)
  }
}

/** A run of events without a hole, which positions are dense for: where one stands in it follows from its position. */
class RecentEvents {
  private events: readonly FoldingEvent[] = []
  /** The position before the first of them. */
  private before = 0
  private reading: Promise<readonly FoldingEvent[]> | undefined
  /** Up to where each consumer has read. */
  private readonly at = new Map<string, number>()

  constructor(
    private readonly read: Source,
    private readonly pageEvents: number,
    private readonly room: () => number,
  ) {}

  get kept(): number {
    return this.events.length
  }

  source(consumer: string): Source {
    return async (after, limit) => {
      this.at.set(consumer, after)
      this.trim()
      if (after < this.before) return this.read(after, limit)
      if (after > this.end) this.begin(after)
      if (after < this.end) return this.events.slice(after - this.before, after - this.before + limit)
      return (await this.further()).slice(0, limit)
    }
  }

  leave(consumer: string): void {
    this.at.delete(consumer)
    this.trim()
  }

  private get end(): number {
    return this.before + this.events.length
  }

  /** Whoever is ahead of all others decides where the run is; the others come into it in their time. */
  private begin(before: number): void {
    this.events = []
    this.before = before
    this.reading = undefined
  }

  /** What follows the run, read once for all who ask meanwhile. */
  private further(): Promise<readonly FoldingEvent[]> {
    if (this.reading !== undefined) return this.reading
    const after = this.end
    const reading = this.read(after, this.pageEvents).then(
      (events) => {
        this.take(reading, events)
        return events
      },
      (error: unknown) => {
        if (this.reading === reading) this.reading = undefined
        throw error
      },
    )
    this.reading = reading
    return reading
  }

  private take(reading: Promise<readonly FoldingEvent[]>, events: readonly FoldingEvent[]): void {
    // The run began anew elsewhere while this was read.
    if (this.reading !== reading) return
    this.reading = undefined
    if (events.length > 0) this.events = this.events.concat(events)
    this.trim()
  }

  /** Forgets what all have read, and the oldest beyond the bound. */
  private trim(): void {
    const read = Math.min(...this.at.values(), this.end)
    const from = Math.max(read, this.end - this.room()) - this.before
    if (from <= 0) return
    this.events = this.events.slice(from)
    this.before += from
  }
}
