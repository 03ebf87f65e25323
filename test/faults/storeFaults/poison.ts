// One event that the database refuses, in the middle of batches, beside those of other tenants: it goes to quarantine, its
// neighbours are stored, and nobody waits for it. What we would send is refused by no rule of the tables themselves, for
// everything is checked before; so a trigger refuses what is marked.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { partitionOf } from '../../../src/events/partitioning.ts'
import { newApp, send, type TestApp } from '../../support/client.ts'
import { eventually } from '../../support/eventually.ts'
import type { Fault, World } from '../support/fault.ts'
import { withSession } from './harm.ts'

const PARTITIONS = 8
const BATCHES = 12
const BATCH_EVENTS = 20
const PATIENCE_MS = 120_000
const MARK = 'poison'
const TRIGGER = `CREATE TRIGGER refuse_marked BEFORE INSERT ON events FOR EACH ROW
  IF NEW.data LIKE '%"${MARK}":true%' THEN SIGNAL SQLSTATE '22001' SET MESSAGE_TEXT = 'refused by a trigger of the fault suite'; END IF`

export const poison: Fault = {
  name: 'MariaDB: refuses one event in the middle of each of many batches',
  hits: 'mariadb',
  async inject(world) {
    const poisoned = Array.from({ length: BATCHES }, () => world.random.int(BATCH_EVENTS))
    const urls = world.processes('api').map(({ url }) => url)
    await withSession(world.databaseUrl, async (rival) => {
      const app = await neighbour(world, urls[0]!, rival)
      await rival.query(TRIGGER)
      try {
        const batches = poisoned.map((at) => batchOf(at))
        await Promise.all(batches.map((events, index) => insist(urls[index % urls.length]!, app, events)))
        await eventually(() => settled(rival, app, batches), { timeoutMs: PATIENCE_MS, everyMs: 50 })
      } finally {
        await rival.query('DROP TRIGGER refuse_marked')
      }
    })
  },
}

interface Sent {
  readonly id: string
  readonly event: string
  readonly metadata: Readonly<Record<string, unknown>>
}

/** An app whose events travel and are stored with those of others. */
async function neighbour(world: World, url: string, rival: Connection): Promise<TestApp> {
  const [rows] = await rival.query<RowDataPacket[]>('SELECT `partition` FROM heads WHERE `partition` > 0 AND position > 0')
  const busy = new Set((rows as { partition: number }[]).map(({ partition }) => partition))
  for (;;) {
    const app = await eventually(() => newApp(url, world.ownerCode, { name: 'Poison' }), { timeoutMs: PATIENCE_MS, everyMs: 200 })
    if (busy.size === 0 || busy.has(partitionOf(app.appId, PARTITIONS))) return app
  }
}

function batchOf(poisoned: number): Sent[] {
  return Array.from({ length: BATCH_EVENTS }, (_, index) => ({
    id: randomUUID(),
    event: 'neighbour',
    metadata: index === poisoned ? { [MARK]: true } : {},
  }))
}

/** A batch is sent until it is acknowledged, as a client does. */
async function insist(url: string, app: TestApp, events: readonly Sent[]): Promise<void> {
  await eventually(async () => (await send('POST', `${url}/collect`, { token: app.token, body: events })).status === 202, { timeoutMs: PATIENCE_MS, everyMs: 200 })
}

/** Every neighbour in the log once, no poison there, and each of them in quarantine. */
async function settled(rival: Connection, { appId }: TestApp, batches: readonly Sent[][]): Promise<true> {
  const app = Buffer.from(appId.replaceAll('-', ''), 'hex')
  const [stored] = await rival.query<RowDataPacket[]>("SELECT LOWER(HEX(event_id)) AS id FROM events WHERE app_id = ? AND type = 'EventCollected'", [app])
  const found = (stored as { id: string }[]).map(({ id }) => id).sort()
  const isPoison = ({ metadata }: Sent): boolean => MARK in metadata
  const wanted = batches.flatMap((batch) => batch.filter((event) => !isPoison(event))).map(({ id }) => id.replaceAll('-', '')).sort()
  assert.deepEqual(found, wanted, `${found.length} of ${wanted.length} neighbours are stored`)
  const [[counts]] = await rival.query<RowDataPacket[]>("SELECT CAST(COALESCE(SUM(rejected), 0) AS SIGNED) AS refused FROM quarantine_counts WHERE app_id = ? AND code = 'not_storable'", [app])
  assert.ok((counts as { refused: number }).refused >= batches.length, 'every refused event is in quarantine')
  return true
}
