// The ledger on MariaDB and Redis: at every moment each event that was received is in it once, wherever it is just then; sends
// in triplicate, deliveries after a kill, and a queue that nobody takes from or that is away change where, and never how many.
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { appendPrefix } from '../../src/commands/appendJobs.ts'
import { readConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { type Recount, startRecount } from '../../src/main.ts'
import { newApp, send, type TestApp } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { PROGRAM } from '../support/processes.ts'
import { freshDatabase, startRedis, type TestServer } from '../support/servers.ts'

const OWNER_CODE = 'owner-code-of-the-ledger'
const PARTITIONS = 2
const EVENTS = 50
const SENDS = 3

interface Ledger {
  readonly total: Record<string, number | null>
  readonly hours: readonly Record<string, number | string | null>[]
  readonly exact: { readonly inFlight: boolean; readonly behind: boolean }
  readonly reconciles: boolean
  readonly differences: readonly { readonly what: string; readonly expected: number; readonly found: number }[]
}

describe('the ledger, on MariaDB and Redis', function () {
  this.timeout(180_000)
  const running: Recount[] = []
  const children: ChildProcess[] = []
  let env: Record<string, string>
  let redis: TestServer
  let api: Recount
  let app: TestApp
  const start = async (role: string): Promise<Recount> => {
    const recount = await startRecount(readConfig({ ...env, ROLE: role }))
    running.push(recount)
    return recount
  }
  const cli = (...args: string[]): Promise<{ code: number; out: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [...PROGRAM, ...args], { env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env } }, (error, out) => {
        resolve({ code: error === null ? 0 : Number(error.code), out })
      })
    })
  async function ledger(): Promise<Ledger> {
    const { status, body } = await send('GET', `${api.url}/ledger?appId=${app.appId}`, { token: app.userToken })
    assert.equal(status, 200, JSON.stringify(body))
    const told = body as unknown as Ledger
    for (const of of [told.total, ...told.hours] as Record<string, number>[]) {
      assert.equal(of['accepted'], of['stored']! + of['duplicates']! + of['inFlight']!)
      assert.equal(of['received'], of['accepted'] + of['rejected']! - of['released']!)
      assert.equal(of['recorded'], of['projected']! + of['behind']! + of['dead']!)
    }
    return told
  }
  const some = ({ total }: Ledger, ...names: string[]): unknown => Object.fromEntries(names.map((name) => [name, total[name]]))

  before(async () => {
    redis = await startRedis()
    env = {
      ...{ DATABASE_URL: await freshDatabase(), REDIS_URL: redis.url, PARTITIONS: String(PARTITIONS), PORT: '0', RATE_LIMIT: 'off', LOG_LEVEL: 'silent' },
      ...{ OWNER_CODE, JWT_SECRET: 'ledger-secret-of-more-than-32-characters', NODE_ENV: 'test' },
    }
    api = await start('api')
    app = await newApp(api.url, OWNER_CODE)
  })
  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    for (const recount of running.reverse()) await recount.close()
    await redis.kill9()
  })

  it('has what is queued while nobody takes it, sent three times over, with what was refused', async () => {
    const good = Array.from({ length: EVENTS }, (_, index) => ({ event: 'order', id: `order-${index}` }))
    for (let time = 0; time < SENDS; time++) {
      const { status } = await send('POST', `${api.url}/collect`, { token: app.token, body: [...good, { event: 'order', timestamp: '2999-01-01' }] })
      assert.equal(status, 202)
    }
    const told = await ledger()
    const expected = { received: SENDS * (EVENTS + 1), accepted: SENDS * EVENTS, inFlight: SENDS * EVENTS, stored: 0, duplicates: 0, rejected: SENDS }
    assert.deepEqual(some(told, ...Object.keys(expected)), expected)
    assert.deepEqual([told.exact, told.reconciles], [{ inFlight: true, behind: true }, true])
    const other = await newApp(api.url, OWNER_CODE, { name: 'Other' })
    const { body } = await send('GET', `${api.url}/ledger?appId=${other.appId}`, { token: other.token })
    assert.equal((body as unknown as Ledger).total['received'], 0)
  })

  it('takes nothing for under way that is committed, whatever its worker has become, and counts a second delivery once', async () => {
    const script = fileURLToPath(new URL('committingWorker.ts', import.meta.url))
    const worker = spawn(process.execPath, ['--import', 'tsx', script, env['DATABASE_URL']!, env['REDIS_URL']!, String(PARTITIONS)], { stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(worker)
    await once(worker.stdout, 'data')
    const between = await ledger()
    assert.ok(between.total['stored'] === EVENTS, JSON.stringify(between.total))
    assert.equal(between.total['received'], SENDS * (EVENTS + 1))
    const connection = new Redis(env['REDIS_URL']!)
    const queued = async (): Promise<number> => {
      const lists = Array.from({ length: PARTITIONS }, (_, index) => ['wait', 'active'].map((list) => connection.llen(`${appendPrefix(index + 1)}:append:${list}`)))
      return (await Promise.all(lists.flat())).reduce((sum, length) => sum + length, 0)
    }
    assert.ok((await queued()) > 0, 'the job is still there')
    worker.kill('SIGKILL')
    await once(worker, 'exit')
    await start('append')
    await eventually(async () => (await queued()) === 0, { timeoutMs: 60_000 })
    connection.disconnect()
    const expected = { received: SENDS * (EVENTS + 1), stored: EVENTS, duplicates: (SENDS - 1) * EVENTS, inFlight: 0, rejected: SENDS, recorded: EVENTS }
    assert.deepEqual(some(await ledger(), ...Object.keys(expected)), expected)
  })

  it('tells what is behind from what is projected, and that all of it is in the end', async () => {
    assert.deepEqual(some(await ledger(), 'behind', 'projected'), { behind: EVENTS, projected: 0 })
    await start('project')
    await eventually(async () => (await ledger()).total['behind'] === 0, { timeoutMs: 60_000 })
    assert.deepEqual(some(await ledger(), 'projected', 'dead'), { projected: EVENTS, dead: 0 })
    const database = await openDatabase(env['DATABASE_URL']!)
    const events = 'events'
    const [, found] = await database.knex(events).where({ type: 'EventCollected' }).orderBy('position').select<Record<string, unknown>[]>('partition', 'position', 'event_id', 'app_id')
    // Set aside by two read models, it is one event.
    for (const projection of ['web', 'userStats']) await database.knex('dead_events').insert({ projection, build: 1, ...found, error: 'cannot be folded', recorded_at: 1 })
    const told = await ledger()
    assert.deepEqual([some(told, 'projected', 'dead', 'recorded'), told.reconciles], [{ projected: EVENTS - 1, dead: 1, recorded: EVENTS }, true])
    await database.knex('dead_events').delete()
    await database.close()
  })

  it('counts a release as stored, and still as received once', async () => {
    const release = (): Promise<unknown> =>
      send('POST', `${api.url}/quarantine/1/release`, { token: app.userToken, body: { appId: app.appId, event: { event: 'order' } } }).then(({ status }) => status)
    assert.deepEqual((await Promise.all([release(), release(), release()])).sort(), [200, 200, 201])
    const expected = { received: SENDS * (EVENTS + 1), stored: EVENTS + 1, rejected: SENDS, released: 1, quarantined: SENDS - 1, recorded: EVENTS + 1 }
    assert.deepEqual(some(await ledger(), ...Object.keys(expected)), expected)
  })

  it('is the same on the command line, which fails where log and ledger do not agree', async () => {
    const http = await ledger()
    const { code, out } = await cli('ledger', '--json')
    assert.equal(code, 0, out)
    const all = JSON.parse(out) as { apps: { appId: string; total: unknown }[]; total: { received: number }; reconciles: boolean }
    const mine = all.apps.find(({ appId }) => appId === app.appId)!.total as Record<string, number>
    const settled = Object.keys(http.total).filter((name) => name !== 'projected' && name !== 'behind')
    assert.deepEqual(settled.map((name) => [name, mine[name]]), settled.map((name) => [name, http.total[name]]))
    assert.deepEqual([all.total.received, all.reconciles], [http.total['received'], true])
    assert.match((await cli('ledger', '--app', app.appId)).out, /received +accepted +stored[^]*Everything agrees/)

    const database = await openDatabase(env['DATABASE_URL']!)
    await database.knex('ledger').where('recorded', '>', 0).increment('recorded', 1)
    const told = await ledger().catch((error: unknown) => error)
    assert.ok(!(told instanceof Error), String(told))
    const found = told as Ledger
    assert.deepEqual([found.reconciles, found.differences], [false, [{ what: 'events stored and events recorded by the log', expected: EVENTS + 1, found: EVENTS + 2 }]])
    const failed = await cli('ledger')
    assert.equal(failed.code, 1)
    assert.match(failed.out, /events of partition \d+ and events counted as recorded or decided: \d+ and \d+/)
    const verified = await cli('verify', '--log-only')
    assert.equal(verified.code, 1)
    assert.match(verified.out, new RegExp(`ledger .*DIFFERENT[^]*${EVENTS + 2} events counted as recorded, ${EVENTS + 1} in the log`))
    await database.knex('ledger').where('recorded', '>', 0).decrement('recorded', 1)
    await database.close()
    const again = await cli('verify', '--log-only', '--json')
    assert.equal(again.code, 0, again.out)
    const { ledger: proved } = JSON.parse(again.out) as { ledger: unknown }
    assert.deepEqual(proved, { apps: 1, events: EVENTS + 1, differences: [] })
  })

  it('tells two who let many in at the same time no more between them than there were', async () => {
    const many = await newApp(api.url, OWNER_CODE, { name: 'Many' })
    const { body: key } = await send('POST', `${api.url}/auth/api-key`, { token: many.userToken, body: { appId: many.appId, scopes: ['collect'] } })
    // Only somebody trusted may name an address, and who releases is.
    const refused = Array.from({ length: EVENTS }, (_, value) => ({ event: 'order', value, ipAddress: '203.0.113.9' }))
    const { status } = await send('POST', `${api.url}/collect`, { token: key['writeKey'] as string, body: refused })
    assert.equal(status, 400)
    const quarantined = async (): Promise<unknown[]> =>
      (await send('GET', `${api.url}/quarantine?appId=${many.appId}&code=not_allowed`, { token: many.userToken })).body['events'] as unknown[]
    await eventually(async () => (await quarantined()).length === EVENTS)
    const release = async (): Promise<number> => {
      const { body } = await send('POST', `${api.url}/quarantine/release`, { token: many.userToken, body: { appId: many.appId, code: 'not_allowed' } })
      return body['released'] as number
    }
    const told = await Promise.all([release(), release()])
    assert.equal(told[0] + told[1], EVENTS, told.join(' and '))
  })

  it('says that it does not know what is under way while the queue is away', async () => {
    await redis.kill9()
    const told = await eventually(async () => {
      const { body } = await send('GET', `${api.url}/ledger?appId=${app.appId}`, { token: app.userToken })
      return body as unknown as Ledger
    })
    assert.deepEqual([told.exact.inFlight, told.total['inFlight'], told.total['stored'], told.reconciles], [false, null, EVENTS + 1, true])
  })
})
