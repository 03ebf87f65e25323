// Events as /collect makes them, for the benchmarks of the log: about 200 bytes of data each, several apps of one partition.
import { randomUUID } from 'node:crypto'
import type { EventLog, NewEvent, Pack } from '../src/events/eventLog.ts'
import { uuidv7 } from '../src/kernel/ids.ts'

const APPS = 3

/** Apps that all live in the first one's partition. */
export function neighbours(log: EventLog): string[] {
  const apps = [randomUUID()]
  while (apps.length < APPS) {
    const app = randomUUID()
    if (log.partitionOf(app) === log.partitionOf(apps[0]!)) apps.push(app)
  }
  return apps
}

export function newEvents(apps: readonly string[], count: number): NewEvent[] {
  const meta = `{"keyId":"${apps[0]!}"}`
  return Array.from({ length: count }, (_, n) => ({
    eventId: uuidv7(),
    appId: apps[Math.floor(n / 10) % apps.length]!,
    type: 'EventCollected',
    schemaVersion: 1,
    occurredAt: 1_764_000_000_000 + n,
    data: `{"event":"pageview","url":"https://example.com/articles/${n % 2_000}","anonymousId":"visitor-${n % 977}","title":"A page of the shop","language":"en-GB","metadata":{"position":${n},"plan":"team"}}`,
    meta,
  }))
}

/** Appends of `packs` packs of `perPack` events each. */
export function packed(partition: number, events: readonly NewEvent[], perPack: number, packs: number): Pack[][] {
  const appends: Pack[][] = []
  for (let start = 0; start < events.length; ) {
    const append: Pack[] = []
    for (let pack = 0; pack < packs && start < events.length; pack++, start += perPack) {
      append.push({ deliveryId: randomUUID(), partition, receivedAt: Date.now(), events: events.slice(start, start + perPack), rejected: [] })
    }
    appends.push(append)
  }
  return appends
}
