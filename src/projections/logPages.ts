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

/** One partition of the log, read by several consumers that move forward side by side. */
export class SharedPages {
  private readonly pages = new Map<number, Promise<readonly FoldingEvent[]>>()
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
      const from = after - page * this.pageEvents
      const read = this.page(page)
      const events = await read
      if (events.length > from) return events.slice(from, from + limit)
      // The log ended here when the page was read, and may go on by now.
      if (this.pages.get(page) === read) this.pages.delete(page)
      return (await this.page(page)).slice(from, from + limit)
    }
  }

  leave(consumer: string): void {
    this.at.delete(consumer)
    this.move()
  }

  private page(page: number): Promise<readonly FoldingEvent[]> {
    let found = this.pages.get(page)
    if (found === undefined) {
      found = partitionPages(this.log, this.partition)(page * this.pageEvents, this.pageEvents)
      this.pages.set(page, found)
      // What could not be read is asked for again.
      found.catch(() => this.pages.delete(page))
    }
    return found
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
