// kill -9 of each process in turn, under load: afterwards every acknowledged event is in the log exactly once and in the
// read model exactly once. The load generator keeps its own ledger of what it sent and what was acknowledged.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { openEventLog } from '../../src/events/openEventLog.ts'
import { newApp, send, type TestApp } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { type RecountProcess, startProcess } from '../support/processes.ts'
import { freshDatabase, startRedis } from '../support/servers.ts'

const OWNER_CODE = 'fault-suite-owner-code'
const CLIENTS = 8
const BATCH = 20
const EVENTS_BETWEEN_KILLS = 2_000
/** A batch nobody takes for this long was never acknowledged and is given up, so that the test can end. */
const MAX_TRIES = 1_200

interface LoadLedger {
  readonly sent: Set<string>
  readonly acknowledged: Set<string>
}

interface Load {
  readonly ledger: LoadLedger
  stop(): Promise<void>
}

describe('kill -9 under load', function () {
  this.timeout(180_000)
  const processes = new Map<string, RecountProcess>()
  let env: Record<string, string>
  let redis: Awaited<ReturnType<typeof startRedis>>
  let databaseUrl: string
  let apiUrl = ''

  before(async () => {
    databaseUrl = await freshDatabase()
    redis = await startRedis()
    env = {
      DATABASE_URL: databaseUrl,
      REDIS_URL: redis.url,
      JWT_SECRET: 'fault-suite-secret-of-more-than-32-characters',
      OWNER_CODE,
      PORT: '0',
    }
    for (const role of ['api', 'append', 'project']) await start(role)
  })

  after(async () => {
    for (const each of processes.values()) await each.stop()
    await redis.stop()
  })

  async function start(role: string): Promise<void> {
    const started = await startProcess(role, role === 'api' && apiUrl !== '' ? { ...env, PORT: new URL(apiUrl).port } : env)
    processes.set(role, started)
    if (role === 'api') apiUrl = started.url
  }

  it('loses nothing and counts nothing twice', async () => {
    const app = await newApp(apiUrl, OWNER_CODE)
    const load = startLoad(() => apiUrl, app)
    for (const victim of ['append', 'project', 'api']) {
      const before = load.ledger.acknowledged.size
      await eventually(() => load.ledger.acknowledged.size >= before + EVENTS_BETWEEN_KILLS, { timeoutMs: 60_000 })
      await processes.get(victim)!.kill9()
      await start(victim)
    }
    await load.stop()
    const ids = await idsInLog(app, load.ledger)
    await eventually(async () => (await countOf(app)) === ids.length, { timeoutMs: 60_000 })
    assert.equal(await countOf(app), ids.length, 'the read model counts what the log holds')
    const visitors = await send('GET', `${apiUrl}/analytics/event-summary?appId=${app.appId}&period=all`, { token: app.token })
    assert.equal(visitors.body['uniqueUsers'], ids.length, 'every event has its own visitor, counted once')
  })

  async function countOf(app: TestApp): Promise<unknown> {
    const answer = await send('GET', `${apiUrl}/analytics/event-summary?appId=${app.appId}&period=all`, { token: app.token })
    return answer.body['count']
  }

  async function idsInLog(app: TestApp, ledger: LoadLedger): Promise<string[]> {
    const database = await openDatabase(databaseUrl)
    const log = await openEventLog(database, { url: databaseUrl, partitions: 8 })
    try {
      const read = async (): Promise<string[]> => {
        const ids: string[] = []
        for (let after = 0; ; ) {
          const page = await log.readApp(app.appId, after, 5_000)
          if (page.length === 0) return ids
          ids.push(...page.filter((event) => event.type === 'EventCollected').map((event) => event.eventId))
          after = page.at(-1)!.position
        }
      }
      const missing = async (): Promise<string[]> => {
        const stored = new Set(await read())
        return [...ledger.acknowledged].filter((id) => !stored.has(id))
      }
      await eventually(async () => (await missing()).length === 0, { timeoutMs: 60_000 })
      const ids = await read()
      const distinct = new Set(ids)
      assert.equal(distinct.size, ids.length, 'an id is in the log once')
      assert.ok(ids.every((id) => ledger.sent.has(id)), 'nothing is in the log that was not sent')
      assert.deepEqual(await missing(), [], 'nothing acknowledged is missing')
      return ids
    } finally {
      await log.close()
      await database.close()
    }
  }
})

/** Clients that post batches until told to stop; a batch whose answer was lost is sent again, as a real client does. */
function startLoad(url: () => string, app: TestApp): Load {
  const ledger: LoadLedger = { sent: new Set(), acknowledged: new Set() }
  const state = { stopping: false }
  const client = async (): Promise<void> => {
    while (!state.stopping) {
      const events = Array.from({ length: BATCH }, () => {
        const id = randomUUID()
        return { event: 'load', id, anonymousId: id }
      })
      for (const { id } of events) ledger.sent.add(id)
      for (let tries = 0; ; tries++) {
        if (await post(url(), app, events)) break
        if (tries > MAX_TRIES) return
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      for (const { id } of events) ledger.acknowledged.add(id)
    }
  }
  const clients = Array.from({ length: CLIENTS }, client)
  return {
    ledger,
    stop: async () => {
      state.stopping = true
      await Promise.all(clients)
    },
  }
}

async function post(url: string, app: TestApp, events: readonly object[]): Promise<boolean> {
  try {
    const answer = await send('POST', `${url}/collect`, { token: app.token, body: events })
    if (answer.status >= 500 || answer.status === 429) return false
    assert.equal(answer.status, 202, JSON.stringify(answer.body))
    return true
  } catch (error) {
    // fetch answers a connection that was refused or cut with TypeError: the process was killed, and the client tries again
    if (error instanceof TypeError) return false
    throw error
  }
}
