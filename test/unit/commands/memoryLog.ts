// A log in memory, for specs of what stands on the log: the contract's append rules without a store, and faults on demand.
import {
  type Append,
  type Appended,
  type EventLog,
  type NewEvent,
  type StoredEvent,
  VersionConflict,
} from '../../../src/events/eventLog.ts'

export type SmallLog = Pick<EventLog, 'append' | 'read' | 'readStream' | 'partitionOf' | 'classify' | 'onAppended'>

export class StoreDown extends Error {}

export class MemoryLog implements SmallLog {
  /** While set, reading or appending throws. */
  readFault: Error | undefined
  appendFault: Error | undefined
  /** While set, every read waits for it. */
  gate: Promise<void> | undefined
  reads = 0
  private readonly partitions = new Map<number, StoredEvent[]>()
  private readonly listeners = new Set<(partition: number, position: number) => void>()

  events(partition: number): StoredEvent[] {
    let events = this.partitions.get(partition)
    if (events === undefined) this.partitions.set(partition, (events = []))
    return events
  }

  partitionOf(appId: string): number {
    return 1 + (appId.charCodeAt(0) % 4)
  }

  async append({ partition, packs, expected = [] }: Append): Promise<Appended[][]> {
    await Promise.resolve()
    if (this.appendFault !== undefined) throw this.appendFault
    const events = this.events(partition)
    const fresh = packs.flatMap((pack) => pack.events).filter((event) => !events.some((there) => isSame(there, event)))
    for (const { stream, version } of fresh.length === 0 ? [] : expected) {
      const actual = events.filter((event) => event.stream === stream).length
      if (actual !== version) throw new VersionConflict(stream, version, actual)
    }
    for (const { stream = null, ...event } of fresh) {
      const streamVersion = stream === null ? null : events.filter((there) => there.stream === stream).length + 1
      events.push({ ...event, stream, streamVersion, partition, position: events.length + 1, recordedAt: event.occurredAt })
    }
    for (const listener of this.listeners) listener(partition, events.length)
    return packs.map((pack) =>
      pack.events.map((event) => ({
        position: events.findIndex((there) => isSame(there, event)) + 1,
        duplicate: !fresh.includes(event),
      })),
    )
  }

  async read(partition: number, after: number, limit: number): Promise<StoredEvent[]> {
    this.reads += 1
    const page = this.events(partition).slice(after, after + limit)
    await this.gate
    if (this.readFault !== undefined) throw this.readFault
    return page
  }

  async readStream(partition: number, stream: string): Promise<StoredEvent[]> {
    await Promise.resolve()
    if (this.readFault !== undefined) throw this.readFault
    return this.events(partition).filter((event) => event.stream === stream)
  }

  classify(error: unknown): 'transient' | 'defect' {
    return error instanceof StoreDown ? 'transient' : 'defect'
  }

  onAppended(listener: (partition: number, position: number) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
}

function isSame(there: StoredEvent, event: NewEvent): boolean {
  return there.appId === event.appId && there.eventId === event.eventId
}
