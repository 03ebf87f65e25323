// Hands events to the log while the next ones are still being parsed: one transaction in flight, one filling, nothing
// more, so that memory stays constant however long the input is, and events of a partition keep the order of their lines.
import type { LogAppender } from '../commands/logAppender.ts'
import { eventBytes } from '../commands/logAppender.ts'
import type { NewEvent } from '../events/eventLog.ts'
import { uuidv7 } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'

interface Batch {
  readonly partition: number
  readonly events: NewEvent[]
  readonly numbers: number[]
  bytes: number
}

export interface BatchTotals {
  stored: number
  duplicates: number
}

export class Batches {
  readonly totals: BatchTotals = { stored: 0, duplicates: 0 }
  private readonly filling = new Map<number, Batch>()
  private flight: Promise<void> = Promise.resolve()

  constructor(
    private readonly appender: LogAppender,
    private readonly receivedAt: number,
    /** Told of an event that the store cannot hold, by its line. */
    private readonly unstorable: (number: number) => void,
  ) {}

  /** Resolves at once while there is room, else when the transaction before has committed. */
  add(partition: number, event: NewEvent, number: number): Promise<void> | undefined {
    let batch = this.filling.get(partition)
    if (batch === undefined) {
      batch = { partition, events: [], numbers: [], bytes: 0 }
      this.filling.set(partition, batch)
    }
    batch.events.push(event)
    batch.numbers.push(number)
    batch.bytes += eventBytes(event)
    const full = batch.events.length >= LIMITS.importBatchEvents || batch.bytes >= LIMITS.appendMaxBytes / 2
    return full ? this.depart(batch) : undefined
  }

  /** Resolves when everything that was added is committed. */
  async finish(): Promise<void> {
    for (const batch of this.filling.values()) await this.depart(batch)
    await this.flight
  }

  private async depart(batch: Batch): Promise<void> {
    this.filling.delete(batch.partition)
    await this.flight
    this.flight = this.append(batch)
    // Whoever waits for the flight next sees its failure; until then it must not count as unhandled.
    this.flight.catch(() => undefined)
  }

  private async append({ partition, events, numbers }: Batch): Promise<void> {
    const pack = { deliveryId: uuidv7(), partition, receivedAt: this.receivedAt, events, rejected: [] }
    const placed = await this.appender.append(pack)
    placed.forEach((place, index) => {
      if (place === null) this.unstorable(numbers[index]!)
      else if (place.duplicate) this.totals.duplicates += 1
      else this.totals.stored += 1
    })
  }
}
