// What a client is answered while a store is full, locked, read-only or away, and that Recount works again by itself, with
// everything it acknowledged in the log once: one process that nobody restarts, one fault after the other.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { newApp, send, type TestApp } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { STORE_FAULTS } from './storeFaults.ts'
import { withRedis, withSession } from './storeFaults/harm.ts'
import { MEGABYTE, withMaxmemory } from './storeFaults/redis.ts'
import { type SmallWorld, startSmallWorld } from './support/smallWorld.ts'

const RECOVERY_MS = 30_000
const BATCH = 20

describe('a store in trouble, and one process that is never restarted', function () {
  this.timeout(120_000)
  let world: SmallWorld
  let app: TestApp
  let url = ''
  const acknowledged = new Set<string>()
  const sent = new Set<string>()

  before(async () => {
    world = await startSmallWorld(5)
    url = world.process('api-1').url
    app = await newApp(url, world.ownerCode)
  })
  after(async () => {
    await world.stop()
  })

  interface Told {
    readonly status: number
    readonly retryAfterSeconds: number
    readonly code: unknown
  }

  async function collect(): Promise<Told> {
    const events = Array.from({ length: BATCH }, () => ({ id: randomUUID(), event: 'load', userId: 'somebody', metadata: { text: 'x'.repeat(400) } }))
    for (const { id } of events) sent.add(id)
    const { status, headers, body } = await send('POST', `${url}/collect`, { token: app.token, body: events })
    if (status === 202) for (const { id } of events) acknowledged.add(id)
    return { status, retryAfterSeconds: Number(headers.get('retry-after')), code: body['code'] }
  }

  /** What was answered meanwhile, and nothing but 202 and 503 that say when to come back. */
  async function answersDuring(harm: (answers: ReadonlyMap<number, number>) => Promise<void>): Promise<Map<number, number>> {
    const answers = new Map<number, number>()
    const state = { over: false }
    const over = harm(answers).finally(() => (state.over = true))
    const client = async (): Promise<void> => {
      while (!state.over) {
        const told = await collect()
        answers.set(told.status, (answers.get(told.status) ?? 0) + 1)
        if (told.status === 202) continue
        assert.equal(`${told.status} ${String(told.code)}`, `503 ${told.code === 'overloaded' ? 'overloaded' : 'unavailable'}`)
        assert.ok(told.retryAfterSeconds >= 1, 'a 503 says when to come back')
      }
    }
    const clients = Promise.all([client(), client()])
    await Promise.all([over, clients])
    return answers
  }

  /** An event is taken again, everything acknowledged is in the log, and the read model counts exactly that. */
  async function recovered(): Promise<void> {
    await eventually(async () => (await collect()).status === 202, { timeoutMs: RECOVERY_MS })
    await eventually(async () => {
      const ids = await storedIds()
      const stored = new Set(ids)
      assert.equal(ids.length, stored.size, 'an id is in the log once')
      const missing = [...acknowledged].filter((id) => !stored.has(id))
      assert.deepEqual(missing, [], `${missing.length} acknowledged events are missing`)
      assert.ok([...stored].every((id) => sent.has(id)), 'nothing is there that was not sent')
      const { body } = await send('GET', `${url}/analytics/event-summary?appId=${app.appId}&period=all`, { token: app.token })
      assert.equal(body['count'], stored.size)
      return true
    }, { timeoutMs: RECOVERY_MS, everyMs: 100 })
  }

  async function storedIds(): Promise<string[]> {
    const sql = "SELECT LOWER(HEX(event_id)) AS id FROM events WHERE type = 'EventCollected' AND app_id = ?"
    const [rows] = await withSession(world.databaseUrl, (rival) => rival.query(sql, [Buffer.from(app.appId.replaceAll('-', ''), 'hex')]))
    return (rows as { id: string }[]).map(({ id }) => id.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5'))
  }

  function inject(name: string): Promise<void> {
    const fault = STORE_FAULTS.find((each) => each.name === name)
    assert.ok(fault !== undefined, `no fault is called "${name}"`)
    return fault.inject(world)
  }

  function logged(text: string): number {
    return world.process('api-1').log().split(text).length - 1
  }

  /** Where Redis takes what the log cannot, nobody notices anything. */
  for (const [name, sign] of [
    ['MariaDB: read-only, and writable again', 'read-only'],
    ['MariaDB: max_connections reached by others', 'Too many connections'],
    ["MariaDB: a rival's deadlock with an append", 'Deadlock found'],
    ["MariaDB: a rival's deadlock with a fold", 'Deadlock found'],
  ] as const) {
    it(`${name}: the queue takes everything, and it is stored when that is over`, async () => {
      const before = logged(sign)
      const answers = await answersDuring(() => inject(name))
      assert.deepEqual([...answers.keys()], [202])
      assert.ok(logged(sign) > before, `"${sign}" was never met`)
      await recovered()
    })
  }

  for (const name of ['Redis: out of memory (maxmemory lowered, and restored)', 'Redis: filled by somebody else to its last byte, and emptied again', 'Redis: stopped, and started again']) {
    it(`${name}: what Redis does not take goes straight to the log`, async () => {
      const answers = await answersDuring(() => inject(name))
      assert.deepEqual([...answers.keys()], [202])
      await recovered()
    })
  }

  it('both stores away, pulled out or swallowing packets: 503 that says when to come back, and then everything as before', async () => {
    const { mariadb, redis } = world.process('api-1').cables
    for (const how of ['cut', 'freeze'] as const) {
      await answersDuring(async (answers) => {
        await Promise.all([mariadb[how](), redis[how]()])
        // A short absence is waited out, and nobody is refused.
        await eventually(() => answers.has(503), { timeoutMs: RECOVERY_MS }).finally(() => world.mend())
      })
      await recovered()
    }
  })

  it('Redis full while the log is away: 503 overloaded, and then everything as before', async () => {
    await world.process('api-1').cables.mariadb.cut()
    const refused = async (): Promise<Told | undefined> => {
      const told = await collect()
      return told.code === 'overloaded' ? told : undefined
    }
    const told = await withRedis(world.redisUrl, (client) => withMaxmemory(client, MEGABYTE, () => eventually(refused, { timeoutMs: RECOVERY_MS })))
    assert.equal(told.status, 503)
    assert.ok(told.retryAfterSeconds >= 1)
    await world.mend()
    await recovered()
  })
})
