// Each named point is where it says: a process frozen there has done what comes before it and nothing of what comes after, as
// its stores and its clients see it. Killed there, it costs nothing: every event is in the log once and is counted once.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import { appendPrefix } from '../../src/commands/appendJobs.ts'
import { openEventLog } from '../../src/events/openEventLog.ts'
import type { EventLog } from '../../src/events/eventLog.ts'
import type { Database } from '../../src/kernel/database.ts'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { readCheckpoint } from '../../src/projections/checkpoints.ts'
import { newApp, send, type TestApp } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { isStopped } from '../support/serverProcess.ts'
import type { Point, ProcessName } from './support/fault.ts'
import { INNODB_LOOK_MS } from './storeFaults/harm.ts'
import type { PointReached } from './support/points.ts'
import { type RunningWorld, startWorld } from './support/world.ts'

const BATCH = 20
const PARTITION = 1
const RECOVERY_MS = 60_000

describe('named points', function () {
  this.timeout(180_000)
  let world: RunningWorld
  let database: Database
  let log: EventLog & { close(): Promise<void> }
  let redis: Redis
  let app: TestApp
  const sent = new Set<string>()
  /** Not answered: to be sent again. */
  const owed = new Set<readonly string[]>()

  before(async () => {
    // With one of each, it is known who does what is looked for.
    world = await startWorld({ seed: 1, env: { PARTITIONS: String(PARTITION) }, say: () => undefined, running: ['api-1', 'append-1', 'project-1'] })
    database = await openDatabase(world.databaseUrl)
    log = await openEventLog(database, { url: world.databaseUrl, partitions: PARTITION })
    redis = new Redis(world.redisUrl)
    app = await newApp(world.process('api-1').url, world.ownerCode)
  })

  after(async () => {
    redis.disconnect()
    await log.close()
    await database.close()
    await world.stop()
  })

  afterEach('every event is in the log once and counted once', async () => {
    for (const name of ['api-1', 'append-1', 'project-1'] as const) if (!world.process(name).running) await world.process(name).restart()
    for (const ids of owed) assert.ok((await collect(ids)) < 300)
    await becomes(async () => (await stored()).sort(), [...sent].sort())
    await becomes(counted, { count: sent.size, uniqueUsers: sent.size })
  })

  it('append: after BEGIN: the head is locked and nothing is written', async () => {
    const { ids, session } = await freeze('append-1', 'append: after BEGIN')
    assert.deepEqual(await transaction(session), { modified: 0, locks: true })
    assert.deepEqual(await among(ids), [], 'none is in the log')
    await world.process('append-1').kill9()
    await eventually(async () => (await transaction(session)) === undefined, { everyMs: INNODB_LOOK_MS })
    assert.deepEqual(await among(ids), [])
  })

  it('append: between INSERT and COMMIT: rows are written, nobody sees them, and they go with the process', async () => {
    const { ids, session } = await freeze('append-1', 'append: between INSERT and COMMIT')
    assert.ok((await transaction(session))!.modified >= BATCH)
    assert.deepEqual(await among(ids), [], 'none is committed')
    await world.process('append-1').kill9()
    await eventually(async () => (await transaction(session)) === undefined, { everyMs: INNODB_LOOK_MS })
    assert.deepEqual(await among(ids), [], 'the server rolled back')
  })

  it('append: after COMMIT: the log has the events, and the queue has their job still', async () => {
    const { ids, session } = await freeze('append-1', 'append: after COMMIT, before the job is completed')
    assert.equal(await transaction(session), undefined)
    assert.deepEqual(await among(ids), ids)
    assert.ok((await queued()).some((data) => data.includes(ids[0]!)), 'the job will be delivered again')
    await world.process('append-1').kill9()
  })

  it('project: between read model and checkpoint: one of the two is written', async () => {
    const { session, fold } = await freeze('project-1', 'project: between read model and checkpoint')
    assert.equal((await transaction(session))?.modified, 1, 'the checkpoint alone')
    assert.equal(await checkpoint(fold!), fold!.from, 'and nobody sees it')
    await world.process('project-1').kill9()
  })

  it('project: before COMMIT: both are written and nobody sees them', async () => {
    const { session, fold } = await freeze('project-1', 'project: before COMMIT')
    assert.ok((await transaction(session))!.modified > 1)
    assert.equal(await checkpoint(fold!), fold!.from)
    await world.process('project-1').kill9()
    await eventually(async () => (await transaction(session)) === undefined, { everyMs: INNODB_LOOK_MS })
    assert.equal(await checkpoint(fold!), fold!.from, 'the server rolled back')
  })

  it('project: after COMMIT: the checkpoint has moved for everybody', async () => {
    const { session, fold } = await freeze('project-1', 'project: after COMMIT')
    assert.equal(await transaction(session), undefined)
    assert.equal(await checkpoint(fold!), fold!.to)
    await world.process('project-1').kill9()
  })

  for (const point of ['api: after Redis, before the answer', 'api: queued, before the answer'] as const) {
    it(`${point}: the queue has the events, and the client has no answer`, async () => {
      await world.process('append-1').freeze()
      const { ids, answered } = await freeze('api-1', point)
      assert.equal(answered(), false)
      assert.ok((await queued()).some((data) => data.includes(ids[0]!)))
      assert.deepEqual(await among(ids), [])
      await world.process('api-1').kill9()
      world.process('append-1').thaw()
      await becomes(() => among(ids), ids)
    })
  }

  it('api: stored, before the answer: the log has the events without any append worker, and the client has no answer', async () => {
    await world.process('append-1').freeze()
    const { ids, answered } = await freeze('api-1', 'api: stored, before the answer', '?ack=stored')
    assert.equal(answered(), false)
    assert.deepEqual(await among(ids), ids)
    await world.process('api-1').kill9()
    world.process('append-1').thaw()
  })

  it('api: in mid-request: half a body is nothing', async () => {
    const ids = [randomUUID()]
    await world.process('api-1').tell({ kind: 'arm', point: 'api: in mid-request', action: 'freeze' })
    const socket = sendHalf(ids)
    await stands('api-1', 'api: in mid-request')
    assert.deepEqual(await queued(), [])
    const cut = new Promise((resolve) => socket.once('close', resolve))
    await world.process('api-1').kill9()
    await cut
    assert.deepEqual(await among(ids), [])
  })

  it('a process that is to die at a point dies there, and by no other hand', async () => {
    const append = world.process('append-1')
    await append.tell({ kind: 'arm', point: 'append: after COMMIT, before the job is completed', action: 'kill' })
    const ids = batch()
    await collect(ids)
    await eventually(() => !append.running)
    assert.deepEqual(await among(ids), ids)
    assert.ok((await queued()).some((data) => data.includes(ids[0]!)))
  })

  /** Arms, sends a batch, and answers what the process said once it stands there. */
  async function freeze(name: ProcessName, point: Point, query = ''): Promise<PointReached & { ids: readonly string[]; answered: () => boolean }> {
    await world.process(name).tell({ kind: 'arm', point, action: 'freeze' })
    const ids = batch()
    let answered = false
    collect(ids, query).then(
      () => (answered = true),
      () => undefined,
    )
    await stands(name, point)
    return { ...reached(name)!, ids, answered: () => answered }
  }

  function stands(name: ProcessName, point: Point): Promise<boolean> {
    return eventually(() => reached(name)?.point === point && isStopped(world.process(name).pid))
  }

  async function becomes<T>(seen: () => Promise<T>, expected: T): Promise<void> {
    const once = async (): Promise<true> => {
      assert.deepEqual(await seen(), expected)
      return true
    }
    await eventually(once, { timeoutMs: RECOVERY_MS })
  }

  function batch(): string[] {
    return Array.from({ length: BATCH }, () => randomUUID())
  }

  /** Answers the status; throws when there is none. */
  async function collect(ids: readonly string[], query = ''): Promise<number> {
    owed.add(ids)
    for (const id of ids) sent.add(id)
    const body = ids.map((id) => ({ id, event: 'point', anonymousId: id }))
    const { status } = await send('POST', `${world.process('api-1').url}/collect${query}`, { token: app.token, body })
    owed.delete(ids)
    return status
  }

  function sendHalf(ids: readonly string[]): Socket {
    const { hostname, port } = new URL(world.process('api-1').url)
    const body = JSON.stringify(ids.map((id) => ({ id, event: 'point', anonymousId: id })))
    const head = ['POST /collect HTTP/1.1', `Host: ${hostname}`, `Authorization: Bearer ${app.token}`, `Content-Length: ${body.length}`, '', '']
    const socket = connect(Number(port), hostname, () => socket.write(head.join('\r\n') + body.slice(0, body.length / 2)))
    return socket.on('error', () => undefined)
  }

  /** The last point that this life of it came to. */
  function reached(name: ProcessName): PointReached | undefined {
    const lines = world.process(name).log().split('\n')
    const last = lines.findLast((line) => line.startsWith('{"message":"reached"'))
    return last === undefined ? undefined : (JSON.parse(last) as PointReached)
  }

  /** Of a session of the database: undefined when it is in none. */
  async function transaction(session: number | undefined): Promise<{ modified: number; locks: boolean } | undefined> {
    const sql = 'SELECT trx_rows_modified AS modified, trx_rows_locked AS locked FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = ?'
    const [rows] = await database.knex.raw<[{ modified: number; locked: number }[]]>(sql, [session!])
    const [found] = rows!
    return found && { modified: found.modified, locks: found.locked > 0 }
  }

  async function checkpoint(unit: NonNullable<PointReached['fold']>): Promise<number | undefined> {
    return (await readCheckpoint(database.knex, unit))?.position
  }

  async function stored(): Promise<string[]> {
    const events = await log.readApp(app.appId, 0, 100_000)
    return events.filter(({ type }) => type === 'EventCollected').map(({ eventId }) => eventId)
  }

  async function among(ids: readonly string[]): Promise<string[]> {
    const there = new Set(await stored())
    return ids.filter((id) => there.has(id))
  }

  /** The data of every job that waits or is at work. */
  async function queued(): Promise<string[]> {
    const queue = `${appendPrefix(PARTITION)}:append`
    const jobs = (await Promise.all(['wait', 'active'].map((list) => redis.lrange(`${queue}:${list}`, 0, -1)))).flat()
    const data = await Promise.all(jobs.map((job) => redis.hget(`${queue}:${job}`, 'data')))
    return data.filter((text) => text !== null)
  }

  async function counted(): Promise<object> {
    const { body } = await send('GET', `${world.process('api-1').url}/analytics/event-summary?appId=${app.appId}&period=all`, { token: app.token })
    return { count: body['count'], uniqueUsers: body['uniqueUsers'] }
  }
})
