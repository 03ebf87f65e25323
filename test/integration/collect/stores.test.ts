// What the way in asks of its stores: salts that all processes share and that are destroyed in time, settings that keep
// what was acknowledged, and jobs that outlive the worker that held them.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { startAppendWorker } from '../../../src/commands/appendWorker.ts'
import { createBullQueue } from '../../../src/commands/bullQueue.ts'
import { createSaltStore } from '../../../src/commands/salts.ts'
import { databaseFaults, redisFaults } from '../../../src/commands/storeChecks.ts'
import type { Database } from '../../../src/kernel/database.ts'
import { openDatabase } from '../../../src/kernel/database/open.ts'
import { uuidv7 } from '../../../src/kernel/ids.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { migrate } from '../../../src/kernel/migrations.ts'
import { eventually } from '../../support/eventually.ts'
import { memoryLog } from '../../support/memoryLog.ts'
import { newEvent, parcelOf } from '../../support/parcels.ts'
import { freshDatabase, freshRedis, freshSqlite, mariadb, redis, startRedis } from '../../support/servers.ts'
import { readConfig } from '../../../src/config.ts'
import { openStores, type Stores } from '../../../src/stores.ts'

const HOUR = 3_600_000
const script = (name: string): string[] => ['--import', 'tsx', fileURLToPath(new URL(name, import.meta.url))]
const app = (timezone = 'UTC') => ({ appId: uuidv7(), settings: { timezone, ip: 'truncate' as const, keepQuery: [] } })

for (const engine of ['SQLite', 'MariaDB']) {
  describe(`salts on ${engine}`, function () {
    this.timeout(60_000)
    let url: string
    let database: Database
    before(async () => {
      url = engine === 'SQLite' ? freshSqlite() : await freshDatabase()
      database = await openDatabase(url)
      await migrate(database)
    })
    after(() => database.close())

    it('are the same in two processes that race for them', async () => {
      const appIds = Array.from({ length: 10 }, () => uuidv7())
      const run = () => promisify(execFile)(process.execPath, [...script('saltProcess.ts'), url, ...appIds])
      const [first, second] = await Promise.all([run(), run()])
      assert.equal(first.stdout, second.stdout)
      assert.equal(new Set(first.stdout.split(' ')).size, 10)
      assert.match(first.stdout, /^[0-9a-f]{64} /)
    })

    it('belong to the app and the local day, and live 48 hours past it', async () => {
      const midnight = Date.parse('2026-11-21T18:15:00Z')
      let now = midnight + HOUR
      const salts = createSaltStore({ database, clock: { now: () => now } })
      const kathmandu = app('Asia/Kathmandu')
      const today = await salts.get(kathmandu, midnight)
      assert.deepEqual(await salts.get(kathmandu, midnight + 24 * HOUR - 1), today)
      assert.notDeepEqual(await salts.get(kathmandu, midnight - 1), today)
      assert.notDeepEqual(await salts.get(app('Asia/Kathmandu'), midnight), today)
      now = midnight + (24 + 48) * HOUR - 1
      await salts.tend()
      const other = createSaltStore({ database, clock: { now: () => now } })
      assert.deepEqual(await other.get(kathmandu, midnight), today)
      now++
      assert.equal(salts.peek(kathmandu, midnight), undefined)
      await salts.tend()
      assert.equal((await database.knex('salts').where('destroy_after', '<=', now)).length, 0)
      const late = await salts.get(kathmandu, midnight)
      assert.notDeepEqual(late, today)
      now += 48 * HOUR - 1
      assert.deepEqual(await salts.get(kathmandu, midnight), late)
    })

    if (engine === 'SQLite') {
      it('are in none of the files once they are destroyed', async () => {
        const file = freshSqlite().slice('sqlite:'.length)
        const own = await openDatabase(`sqlite:${file}`)
        try {
          await migrate(own)
          let now = Date.parse('2026-11-22T12:00:00Z')
          const salts = createSaltStore({ database: own, clock: { now: () => now } })
          const made = await Promise.all(Array.from({ length: 20 }, (_, day) => salts.get(app(), now - day * 24 * HOUR)))
          const kept = (): number => {
            const files = ['', '-wal'].map((suffix) => readFileSync(file + suffix))
            return made.filter((salt) => files.some((bytes) => bytes.includes(Buffer.from(salt)))).length
          }
          assert.equal(kept(), 20)
          now += 100 * HOUR
          await salts.tend()
          assert.equal(kept(), 0)
        } finally {
          await own.close()
        }
      })
    }

    it('of tomorrow are fetched ahead for apps in use', async () => {
      const now = Date.parse('2026-11-22T12:00:00Z')
      const salts = createSaltStore({ database, clock: { now: () => now } })
      const used = app()
      await salts.get(used, now)
      assert.ok(salts.peek(used, now))
      assert.equal(salts.peek(used, now + 24 * HOUR), undefined)
      await salts.tend()
      assert.ok(salts.peek(used, now + 24 * HOUR))
    })
  })
}

describe('store checks', function () {
  this.timeout(60_000)

  it('accept durable settings and name each one that is not', async () => {
    const server = new Redis((await redis()).url)
    const database = await openDatabase(await freshDatabase(await mariadb()))
    try {
      assert.deepEqual([...(await databaseFaults(database)), ...(await redisFaults(server))], [])
      await server.config('SET', 'appendfsync', 'everysec')
      await server.config('SET', 'maxmemory-policy', 'allkeys-lru')
      await database.knex.raw('SET GLOBAL innodb_flush_log_at_trx_commit = 2')
      const faults = [...(await databaseFaults(database)), ...(await redisFaults(server))]
      assert.deepEqual(faults.map((fault) => fault.split(' and must')[0]), [
        'MySQL: innodb_flush_log_at_trx_commit is 2', 'Redis: appendfsync is everysec', 'Redis: maxmemory-policy is allkeys-lru',
      ])
    } finally {
      await server.config('SET', 'appendfsync', 'always')
      await server.config('SET', 'maxmemory-policy', 'noeviction')
      await database.knex.raw('SET GLOBAL innodb_flush_log_at_trx_commit = 1')
      server.disconnect()
      await database.close()
    }
  })
})

describe('a process at its start', function () {
  this.timeout(60_000)
  const open = async (databaseUrl: string, redisUrl: string): Promise<Stores> => {
    const env = { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, JWT_SECRET: 'a-secret-of-more-than-32-characters' }
    return openStores(readConfig(env), { now: () => Date.now() }, silentLogger)
  }

  it('sees an unsafe database although Redis is away', async () => {
    const url = await freshDatabase(await mariadb())
    const database = await openDatabase(url)
    await database.knex.raw('SET GLOBAL innodb_flush_log_at_trx_commit = 2')
    try {
      const stores = await open(url, 'redis://127.0.0.1:1/')
      assert.match(stores.faults().join(), /^MySQL: innodb_flush_log_at_trx_commit is 2 /)
      await stores.close()
    } finally {
      await database.knex.raw('SET GLOBAL innodb_flush_log_at_trx_commit = 1')
      await database.close()
    }
  })

  it('has asked Redis before it is ready, and believes none that refuses to answer', async () => {
    const url = await freshDatabase(await mariadb())
    const own = await startRedis(['--appendfsync', 'no'])
    const server = new Redis(own.url)
    try {
      const stores = await open(url, own.url)
      assert.match(stores.faults().join(), /^Redis: appendfsync is no /)
      await stores.close()
      await server.call('ACL', 'SETUSER', 'managed', 'on', '>secret', '~*', '&*', '+@all', '-config')
      const managed = await open(url, own.url.replace('redis://', 'redis://managed:secret@'))
      assert.match(managed.faults().join(), /^Redis: appendonly is unknown \(CONFIG is refused\) /)
      await managed.close()
    } finally {
      server.disconnect()
      await own.stop()
    }
  })
})

describe('a worker killed with jobs in its hands', function () {
  this.timeout(60_000)

  it('leaves them to another within seconds, again and again', async () => {
    const redisUrl = await freshRedis()
    const log = memoryLog(1)
    const queue = createBullQueue({ redisUrl, log, appendMaxEvents: 1_000, logger: silentLogger })
    await eventually(() => queue.stats().redis === 'ok')
    await queue.append(parcelOf([newEvent()]))
    for (let killed = 0; killed < 3; killed++) {
      const child = spawn(process.execPath, [...script('holdingWorker.ts'), redisUrl], { stdio: ['ignore', 'pipe', 'inherit'] })
      await once(child.stdout, 'data')
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    const started = Date.now()
    const worker = await startAppendWorker({ redisUrl, log, appendMaxEvents: 1_000, appendMaxWaitMs: 5, logger: silentLogger })
    await eventually(() => log.events.size === 1, { timeoutMs: 15_000 })
    assert.ok(Date.now() - started < 12_000)
    await worker.close()
    await queue.close()
  })
})
