// Pages of the log as folds take them. Several projections that are rebuilt together share each page: it is read once and
// its events are parsed once, and nobody runs so far ahead that pages would pile up.
import type { EventLog } from '../events/eventLog.ts'
import { LIMITS } from '../limits.ts'
import { FoldingEvent } from './foldingEvent.ts'

/** Where the events come from: at most `limit` of those after a position, in order; none at the end. A page may be shorter. */
export type Source = (after: number, limit: number) => Promise<readonly FoldingEvent[]>

export function partitionPages(log: Pick<EventLog, 'read'>, partition: number): Source {
  return async (after, limit) => (await log.read(partition, after, limit)).map((event) => new FoldingEvent(event))
}

export function appPages(log: Pick<EventLog, 'readApp'>, appId: string): Source {
  return async (after, limit) => (await log.readApp(appId, after, limit)).map((event) => new FoldingEvent(event))
}

interface Page {
  readonly events: Promise<readonly FoldingEvent[]>
}

/** One partition of the log, read by several consumers that move forward side by side. */
export class SharedPages {
  private readonly pages = new Map<number, Page>()
  /** The page that each consumer is at. */
  private readonly at = new Map<string, number>()
  private waiting: (() => void)[] = []

  constructor(
    private readonly log: Pick<EventLog, 'read'>,
    private readonly partition: number,
    consumers: readonly string[],
    private readonly pageEvents: number = LIMITS.readPageEvents,
  ) {
    for (const consumer of consumers) this.at.set(consumer, 0)
  }

  /** The log as one consumer reads it. It must leave when it is done or has failed, or the others wait for it. */
  source(consumer: string): Source {
    return async (after, limit) => {
      if (!this.at.has(consumer)) return partitionPages(this.log, this.partition)(after, limit)
      // Positions are dense, so which page an event is on and where in it follows from its position.
      const page = Math.floor(after / this.pageEvents)
      this.at.set(consumer, page)
      this.move()
      while (page > this.slowest() + LIMITS.sharedPagesAhead) await this.others()
      const events = await this.page(page)
      const from = after - page * this.pageEvents
      return events.slice(from, from + limit)
    }
  }

  leave(consumer: string): void {
    this.at.delete(consumer)
    this.move()
  }

  private page(page: number): Promise<readonly FoldingEvent[]> {
    let found = this.pages.get(page)
    if (found === undefined) {
      const events = partitionPages(this.log, this.partition)(page * this.pageEvents, this.pageEvents)
      this.pages.set(page, (found = { events }))
      // A page that is not full yet, or could not be read, is asked for again.
      const forget = (): boolean => this.pages.delete(page)
      events.then(({ length }) => length < this.pageEvents && forget(), forget)
    }
    return found.events
  }

  private slowest(): number {
    return Math.min(...this.at.values())
  }

  private others(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  private move(): void {
    const slowest = this.slowest()
    for (const page of this.pages.keys()) if (page < slowest) this.pages.delete(page)
    const waiting = this.waiting
    this.waiting = []
    for (const resolve of waiting) resolve()
  }
}
