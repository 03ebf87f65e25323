// A log in memory with the promises of the real ones (an id is stored once, a delivery counts once), for tests of what
// stands in front of it: it can be made to be away, to hang, to refuse an event, and to fail after it has committed.
import type { Append, Appended, EventLog, NewEvent, Pack, RejectedEvent, StoreFault } from '../../src/events/eventLog.ts'

export class StoreError extends Error {
  constructor(readonly fault: StoreFault) {
    super(`the store says: ${fault}`)
  }
}

export interface MemoryLog extends EventLog {
  readonly appends: Append[]
  readonly events: Map<string, NewEvent & { position: number; partition: number }>
  readonly deliveries: Set<string>
  readonly quarantine: RejectedEvent[]
  /** Events and refusals as the ledger counts them. */
  readonly ledger: { stored: number; duplicate: number; rejected: number }
  /** Called before each append; throws or waits to play a broken store. */
  before: (append: Append) => void | Promise<void>
  /** Called after each commit; throws to play a commit whose answer was lost. */
  after: (append: Append) => void | Promise<void>
}

export function memoryLog(partitions = 8): MemoryLog {
  const events: MemoryLog['events'] = new Map()
  const heads = new Map<number, number>()
  const deliveries = new Set<string>()
  const quarantine: RejectedEvent[] = []
  const ledger = { stored: 0, duplicate: 0, rejected: 0 }
  const appends: Append[] = []

  const store = (partition: number, pack: Pack): Appended[] => {
    const counts = !deliveries.has(pack.deliveryId)
    deliveries.add(pack.deliveryId)
    if (counts) {
      quarantine.push(...pack.rejected)
      ledger.rejected += pack.rejected.length
    }
    return pack.events.map((event) => {
      const key = `${event.appId} ${event.eventId}`
      const known = events.get(key)
      if (counts) ledger[known === undefined ? 'stored' : 'duplicate']++
      if (known !== undefined) return { position: known.position, duplicate: true }
      const position = (heads.get(partition) ?? 0) + 1
      heads.set(partition, position)
      events.set(key, { ...event, position, partition })
      return { position, duplicate: false }
    })
  }
  const missing = (): never => {
    throw new Error('not in this log')
  }
  const log: MemoryLog = {
    partitions,
    appends,
    events,
    deliveries,
    quarantine,
    ledger,
    before: () => undefined,
    after: () => undefined,
    partitionOf: (appId) => (Number.parseInt(appId.slice(-4), 16) % partitions) + 1,
    async append(append) {
      await log.before(append)
      appends.push(append)
      const placed = append.packs.map((pack) => store(append.partition, pack))
      await log.after(append)
      return placed
    },
    classify: (error) => (error instanceof StoreError ? error.fault : 'defect'),
    onAppended: () => () => undefined,
    read: missing,
    readApp: missing,
    scan: missing,
    readAt: missing,
    positionAt: missing,
    readStream: missing,
    browse: missing,
    find: missing,
    contentHash: missing,
    heads: missing,
    head: missing,
    redact: missing,
  }
  return log
}
