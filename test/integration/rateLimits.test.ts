// Limits over several processes on one Redis: never more than there is, hardly ever asked for, and each process for itself
// while Redis is away.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { createRateLimiter, type RateLimiter } from '../../src/http/rateLimiter.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { LIMITS } from '../../src/limits.ts'
import { newApp, send } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { startProcess } from '../support/processes.ts'
import { freshDatabase, freshRedis, startRedis } from '../support/servers.ts'

const SECRET = 'a secret of the tests, thirty-two characters or more'
const AT_ONCE = 500
const ID = '5f0c2a52-0d7e-5b1c-9c7e-2f6a3b1d4e5f'

interface Process {
  readonly limiter: RateLimiter
  readonly redis: Redis
  /** How often Redis was asked for a share. */
  readonly asked: () => number
}

describe('rate limits over several processes', function () {
  this.timeout(120_000)
  const closing: (() => unknown)[] = []

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })

  async function processes(url: string, count: number): Promise<Process[]> {
    return Promise.all(
      Array.from({ length: count }, async () => {
        const redis = new Redis(url, { maxRetriesPerRequest: 1, enableOfflineQueue: false, lazyConnect: true, commandTimeout: LIMITS.redisCommandMs })
        redis.on('error', () => undefined)
        closing.push(() => redis.disconnect())
        await redis.connect()
        let asks = 0
        const evaluate = redis.eval.bind(redis) as (...args: unknown[]) => Promise<unknown>
        Object.assign(redis, { eval: (...args: unknown[]) => ((asks += 1), evaluate(...args)) })
        return { limiter: createRateLimiter({ enabled: true, clock: systemClock, redis, secret: SECRET, logger: silentLogger }), redis, asked: () => asks }
      }),
    )
  }

  const key = (requestsPerMinute: number): { keyId: string; requestsPerMinute: number } => ({ keyId: ID, requestsPerMinute })

  /** How many of so many requests got through, many of a process' in flight at once. */
  async function passed(times: number, spend: () => ReturnType<RateLimiter['key']>): Promise<number> {
    let count = 0
    for (let left = times; left > 0; left -= AT_ONCE) {
      const standings = await Promise.all(Array.from({ length: Math.min(left, AT_ONCE) }, async () => spend()))
      count += standings.filter((standing) => standing?.allowed !== false).length
      // As requests come: whoever else has something to do gets a turn between them.
      await new Promise((resolve) => setImmediate(resolve))
    }
    return count
  }

  for (const quota of [1, 7, 40, 1_000, 20_000]) {
    it(`lets exactly ${quota} a minute through for four processes that all want them`, async () => {
      const four = await processes(await freshRedis(), 4)
      const each = await Promise.all(four.map(({ limiter }) => passed(quota, () => limiter.key(key(quota), 'collect'))))
      assert.equal(each.reduce((sum, count) => sum + count), quota)
    })
  }

  it('lets nearly all through for one process that comes after others which took little', async () => {
    const four = await processes(await freshRedis(), 4)
    for (const { limiter } of four.slice(1)) {
      for (let count = 0; count < 7; count++) await limiter.key(key(60), 'collect')
    }
    const rest = await passed(60, () => four[0]!.limiter.key(key(60), 'collect'))
    // What the others took ahead is a sixteenth at most, each.
    assert.ok(rest <= 60 - 3 * 7 && rest >= 60 - 3 * 7 - 3 * 3, String(rest))
  })

  it('asks Redis once for many requests, and decides the others without waiting', async () => {
    const [one] = await processes(await freshRedis(), 1)
    let atOnce = 0
    for (let count = 0; count < 20_000; count++) {
      const verdict = one!.limiter.key(key(100_000), 'collect')
      if (verdict instanceof Promise) assert.equal((await verdict).allowed, true)
      else atOnce += 1
      // As requests come: Redis gets its turn between them.
      if (count % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    assert.ok(one!.asked() < 60, `${one!.asked()} asks`)
    assert.ok(atOnce > 19_975, `${atOnce} at once`)
  })

  it('asks before a share runs out, so that nobody waits once there is some', async () => {
    const [one] = await processes(await freshRedis(), 1)
    let waited = 0
    for (let count = 0; count < 800; count++) {
      if (one!.limiter.key(key(1_600), 'collect') instanceof Promise) waited += 1
      // Answers come in order: whatever was asked before this is answered.
      await one!.redis.ping()
    }
    assert.ok(waited <= 8, `${waited} waited`)
  })

  it('asks nobody for an address that collects as visitors do, and holds all processes to the limit of one that does not', async () => {
    const five = await processes(await freshRedis(), 5)
    for (const { limiter } of five) {
      for (let count = 0; count < LIMITS.collectUnasked; count++) assert.ok(!(limiter.collect('203.0.113.7') instanceof Promise))
    }
    assert.deepEqual(five.map(({ asked }) => asked()), [0, 0, 0, 0, 0])
    // The fifth never asks, and what it let through counts.
    const each = await Promise.all(five.slice(1).map(({ limiter }) => passed(LIMITS.collectPer10Seconds, () => limiter.collect('203.0.113.7'))))
    const all = each.reduce((sum, count) => sum + count) + 5 * LIMITS.collectUnasked
    assert.ok(all <= LIMITS.collectPer10Seconds && all >= 0.9 * LIMITS.collectPer10Seconds, String(all))
  })

  it('writes no address into Redis, and leaves nothing there when the window is over', async () => {
    const [one] = await processes(await freshRedis(), 1)
    await one!.limiter.request('203.0.113.7')
    await one!.limiter.account(ID)
    const keys = await one!.redis.keys('*')
    assert.equal(keys.length, 2)
    assert.ok(keys.every((name) => !name.includes('203.0.113.7') && !name.includes(ID)), keys.join())
    for (const name of keys) assert.ok((await one!.redis.pttl(name)) > 0, name)
  })

  it('starts anew when the window of Redis ends, for all processes', async () => {
    const two = await processes(await freshRedis(), 2)
    const asked = (): Promise<number[]> => Promise.all(two.map(({ limiter }) => passed(5, () => limiter.key(key(5), 'collect'))))
    assert.equal((await asked()).reduce((sum, count) => sum + count), 5)
    const [name] = await two[0]!.redis.keys('*')
    // A window that is nearly over, without waiting a minute for it: both processes learn of the end only from Redis.
    await two[0]!.redis.pexpire(name!, 300)
    const [third] = [...(await processes(`redis://127.0.0.1:${two[0]!.redis.options.port!}/${two[0]!.redis.options.db!}`, 1))]
    const refused = await third!.limiter.key(key(5), 'collect')
    assert.deepEqual([refused?.allowed, refused!.resetMs <= 300], [false, true])
    await eventually(async () => (await third!.limiter.key(key(5), 'collect'))?.allowed)
  })

  it('bounds guesses over all processes, one by one, and gives the right ones back', async () => {
    const two = await processes(await freshRedis(), 2)
    for (let count = 0; count < 30; count++) {
      const { limiter } = two[count % 2]!
      assert.equal(await limiter.guess('owner-code'), 0)
      await limiter.guessedRight('owner-code')
    }
    const waits = await Promise.all(Array.from({ length: 40 }, (_, count) => two[count % 2]!.limiter.guess('owner-code')))
    assert.equal(waits.filter((wait) => wait === 0).length, LIMITS.guessesPerMinute)
    assert.equal(await two[0]!.limiter.guess('exchange-code'), 0)
  })

  for (const [how, away] of [['is killed', 'kill9'], ['hangs', 'freeze']] as const) {
    it(`limits in each process while Redis ${how}, and over all of them again when it is back`, async () => {
      const server = await startRedis()
      closing.push(() => server.kill9())
      const two = await processes(server.url, 2)
      await passed(3, () => two[0]!.limiter.key(key(10), 'collect'))
      await server[away]()
      const started = performance.now()
      const each = await Promise.all(two.map(({ limiter }) => passed(20, () => limiter.key(key(10), 'collect'))))
      assert.ok(performance.now() - started < 3_000, 'nobody waits for a Redis that is away')
      assert.deepEqual(each, [7, 10])
      const wait = await two[0]!.limiter.guess('owner-code')
      assert.equal(wait, 0)
      if (away === 'freeze') server.thaw()
      else await server.restart()
      const other = { keyId: '0b7f3c1e-52a4-5e0d-8f3a-6d1c9b2e4a70', requestsPerMinute: 10 }
      await eventually(() => two.every(({ redis }) => redis.status === 'ready'))
      await eventually(async () => {
        const before = two.map(({ asked }) => asked())
        await Promise.all(two.map(async ({ limiter }) => limiter.key({ ...other, keyId: randomUUID() }, 'collect')))
        return two.every(({ asked }, at) => asked() > before[at]!)
      }, { timeoutMs: 20_000 })
      const again = await Promise.all(two.map(({ limiter }) => passed(20, () => limiter.key(other, 'collect'))))
      assert.equal(again.reduce((sum, count) => sum + count), 10)
    })
  }

  it('holds a key to its limit over two processes of the program', async () => {
    const [databaseUrl, redisUrl] = await Promise.all([freshDatabase(), freshRedis()])
    const env = { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, JWT_SECRET: SECRET, OWNER_CODE: 'owner-code-of-the-tests', RATE_LIMIT: 'on' }
    const first = await startProcess('api', env)
    closing.push(() => first.kill9())
    const second = await startProcess('api', env)
    closing.push(() => second.kill9())
    const app = await newApp(first.url, env.OWNER_CODE)
    const issued = await send('POST', `${first.url}/auth/api-key`, { token: app.userToken, body: { appId: app.appId, requestsPerMinute: 30 } })
    const token = issued.body['token'] as string
    const collect = async (url: string): Promise<number> => (await send('POST', `${url}/collect`, { token, body: { event: 'signup' } })).status
    const statuses = await Promise.all(Array.from({ length: 80 }, (_, count) => collect(count % 2 === 0 ? first.url : second.url)))
    assert.deepEqual([statuses.filter((status) => status === 202).length, statuses.filter((status) => status === 429).length], [30, 50])
  })
})
