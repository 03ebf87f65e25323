// What the suites of the log share: events to append, and a store that was just made.
import { randomUUID } from 'node:crypto'
import { openEventLog } from '../../src/events/openEventLog.ts'
import type { Appended, EventLog, NewEvent, Pack, ScannedEvent, StoredEvent } from '../../src/events/eventLog.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import type { Database } from '../../src/kernel/database.ts'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { uuidv7 } from '../../src/kernel/ids.ts'
import { migrate } from '../../src/kernel/migrations.ts'

export const PARTITIONS = 4

export interface Store {
  readonly url: string
  readonly database: Database
  readonly log: EventLog
  close(): Promise<void>
}

export async function openStore(url: string, options: { clock?: Clock; partitions?: number } = {}): Promise<Store> {
  const database = await openDatabase(url)
  await migrate(database)
  const log = await openEventLog(database, { url, partitions: options.partitions ?? PARTITIONS, ...options })
  return {
    url,
    database,
    log,
    close: async () => {
      await log.close()
      await database.close()
    },
  }
}

export function newEvent(appId: string, more: Partial<NewEvent> = {}): NewEvent {
  return {
    eventId: uuidv7(),
    appId,
    type: 'EventCollected',
    schemaVersion: 1,
    occurredAt: 1_764_000_000_000,
    data: '{"event":"pageview","url":"https://example.com/"}',
    meta: null,
    ...more,
  }
}

export function newPack(log: EventLog, events: readonly NewEvent[], more: Partial<Pack> = {}): Pack {
  const appId = events[0]?.appId ?? more.rejected?.[0]?.appId ?? randomUUID()
  return { deliveryId: randomUUID(), partition: log.partitionOf(appId), receivedAt: 1_764_000_000_000, events, rejected: [], ...more }
}

/** One pack, one append. */
export async function append(log: EventLog, events: readonly NewEvent[], more: Partial<Pack> = {}): Promise<readonly Appended[]> {
  const pack = newPack(log, events, more)
  const [appended] = await log.append({ partition: pack.partition, packs: [pack] })
  return appended!
}

export async function readAll(log: EventLog, partition: number, page = 500): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  for (;;) {
    const read = await log.read(partition, events.at(-1)?.position ?? 0, page)
    events.push(...read)
    if (read.length < page) return events
  }
}

/** Everything of one app, page by page, without the empty one at the end. */
export async function scanned(log: EventLog, appId: string, limit: number): Promise<ScannedEvent[][]> {
  const pages: ScannedEvent[][] = []
  for (let after = 0; ; after = pages.at(-1)!.at(-1)!.position) {
    const page = await log.scan(appId, after, limit)
    if (page.length === 0) return pages
    pages.push(page)
  }
}

/** An app that lives in the same partition as another. */
export function neighbourOf(log: EventLog, appId: string): string {
  for (;;) {
    const other = randomUUID()
    if (log.partitionOf(other) === log.partitionOf(appId)) return other
  }
}
