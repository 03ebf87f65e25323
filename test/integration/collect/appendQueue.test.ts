// The append queue and worker on a real Redis: what is acknowledged reaches the log exactly once, whoever is killed, hung,
// full or away in between.
import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { appendPrefix } from '../../../src/commands/appendJobs.ts'
import { type AppendWorkerOptions, startAppendWorker } from '../../../src/commands/appendWorker.ts'
import { createBullQueue } from '../../../src/commands/bullQueue.ts'
import { Problem } from '../../../src/errors.ts'
import { VersionConflict } from '../../../src/events/eventLog.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { LIMITS } from '../../../src/limits.ts'
import { eventually } from '../../support/eventually.ts'
import { memoryLog, type MemoryLog, StoreError } from '../../support/memoryLog.ts'
import { newEvent, packOf, parcelOf } from '../../support/parcels.ts'
import { freshRedis, startRedis, type TestServer } from '../../support/servers.ts'

type Queue = ReturnType<typeof createBullQueue>

const away = (): never => {
  throw new StoreError('transient')
}

describe('append queue on Redis', function () {
  this.timeout(60_000)
  const closing: (() => Promise<unknown>)[] = []
  const queueOn = (redisUrl: string, log: MemoryLog): Queue => {
    const queue = createBullQueue({ redisUrl, log, appendMaxEvents: 1_000, logger: silentLogger })
    closing.push(() => queue.close())
    return queue
  }
  const workerOn = async (redisUrl: string, log: MemoryLog, more: Partial<AppendWorkerOptions> = {}) => {
    const worker = await startAppendWorker({ redisUrl, log, appendMaxEvents: 1_000, appendMaxWaitMs: 5, logger: silentLogger, ...more })
    closing.push(() => worker.close())
    return worker
  }
  const ready = async (queue: Queue): Promise<Queue> => {
    await eventually(() => queue.stats().redis === 'ok')
    return queue
  }
  const refusal = async (work: Promise<unknown>): Promise<Problem> => {
    const error = await work.then(() => undefined, (caught: unknown) => caught)
    assert.ok(error instanceof Problem, String(error))
    return error
  }
  afterEach(async () => {
    // What was started last ends first: a worker closes at once only while its Redis is there.
    for (const close of closing.splice(0).reverse()) await close()
  })

  it('brings what it acknowledged into the log once, in packs that size themselves, and leaves Redis empty', async () => {
    const url = await freshRedis()
    const log = memoryLog()
    const queue = await ready(queueOn(url, log))
    await Promise.all(Array.from({ length: 500 }, (_, n) => queue.append(parcelOf([newEvent()], (n % 2) + 1))))
    const { queuedPacks, directPacks } = queue.stats()
    assert.ok(queuedPacks <= 20, `${queuedPacks} packs for 500 requests`)
    assert.equal(directPacks, 0)
    assert.equal(log.events.size, 0)
    await workerOn(url, log)
    await eventually(() => log.events.size === 500)
    assert.ok(log.appends.every(({ partition, packs }) => packs.every((pack) => pack.partition === partition)))
    const redis = new Redis(url)
    await eventually(async () => (await redis.keys('*')).every((key) => !/:append:[0-9a-f]{8}-/.test(key)))
    assert.ok((await redis.xlen(`${appendPrefix(1)}:append:events`)) <= 200)
    redis.disconnect()
  })

  it('holds jobs while the log is away, longer than their lock, and fails none', async () => {
    const url = await freshRedis()
    const log = memoryLog()
    log.before = away
    const queue = await ready(queueOn(url, log))
    await workerOn(url, log)
    await Promise.all(Array.from({ length: 20 }, () => queue.append(parcelOf([newEvent()]))))
    const since = Date.now()
    await eventually(() => Date.now() - since > 7_000)
    log.before = () => undefined
    await eventually(() => log.events.size === 20)
    assert.deepEqual(log.ledger, { stored: 20, duplicate: 0, rejected: 0 })
    const redis = new Redis(url)
    assert.equal(await redis.zcard(`${appendPrefix(1)}:append:failed`), 0)
    redis.disconnect()
  })

  it('counts a redelivery once when the answer to a commit is lost', async () => {
    const url = await freshRedis()
    const log = memoryLog()
    let lost = 3
    log.after = () => {
      if (lost-- > 0) away()
    }
    const queue = await ready(queueOn(url, log))
    await workerOn(url, log)
    await Promise.all(Array.from({ length: 10 }, () => queue.append(parcelOf([newEvent()]))))
    await eventually(() => log.events.size === 10 && lost <= 0)
    assert.deepEqual(log.ledger, { stored: 10, duplicate: 0, rejected: 0 })
  })

  it('keeps what a defect failed, and a new worker takes it up', async () => {
    const url = await freshRedis()
    const log = memoryLog()
    log.before = () => {
      throw new StoreError('defect')
    }
    const queue = await ready(queueOn(url, log))
    const first = await workerOn(url, log)
    await queue.append(parcelOf([newEvent()]))
    const redis = new Redis(url)
    await eventually(async () => (await redis.zcard(`${appendPrefix(1)}:append:failed`)) === 1)
    await first.close()
    log.before = () => undefined
    await workerOn(url, log)
    await eventually(() => log.events.size === 1)
    await eventually(async () => (await redis.zcard(`${appendPrefix(1)}:append:failed`)) === 0)
    redis.disconnect()
  })

  it('answers with places from the log itself, and through the queue when the log is away', async () => {
    const url = await freshRedis()
    const log = memoryLog()
    const queue = await ready(queueOn(url, log))
    assert.deepEqual(await queue.appendStored(parcelOf([newEvent()])), [{ position: 1, duplicate: false }])
    let tries = 0
    log.before = () => {
      tries++
      away()
    }
    const began = performance.now()
    assert.equal(await queue.appendStored(parcelOf([newEvent()])), undefined)
    assert.ok(performance.now() - began < LIMITS.ackStoredMs / 2, 'a log that refuses is not waited for')
    const asked = tries
    assert.equal(await queue.appendStored(parcelOf([newEvent()])), undefined)
    assert.equal(tries, asked, 'a log known to be away is left alone')
    assert.equal(queue.stats().queuedPacks, 2)
    assert.equal((await queue.depth()).packs, 2)
    log.before = () => undefined
    const sent = [newEvent(), newEvent()]
    await eventually(async () => (await queue.appendStored(parcelOf(sent))) !== undefined)
    await workerOn(url, log)
    await eventually(async () => (await queue.depth()).packs === 0)
    assert.equal(log.events.size, 5)
  })

  it('control commands: answered after the commit, conflicts told as such, direct when no worker takes them', async () => {
    const url = await freshRedis()
    const log = memoryLog()
    const queue = await ready(queueOn(url, log))
    const append = { partition: 0, packs: [packOf([newEvent()], 0)] }
    const started = Date.now()
    assert.deepEqual(await queue.appendControl(append), [[{ position: 1, duplicate: false }]])
    assert.ok(Date.now() - started >= 1_900)
    await workerOn(url, log)
    assert.equal((await queue.appendControl({ ...append, packs: [packOf([newEvent()], 0)] }))[0]![0]!.position, 2)
    log.before = () => {
      throw new VersionConflict('app:x', 1, 2)
    }
    await assert.rejects(queue.appendControl(append), (error) => error instanceof VersionConflict && error.actual === 2)
    assert.equal(log.events.size, 2)
  })

  describe('with a Redis that fails', () => {
    let server: TestServer
    const own = async (options: string[] = []): Promise<string> => {
      server = await startRedis(options)
      closing.push(() => server.kill9().catch(() => undefined))
      return server.url
    }

    it('down at the start: straight to the log; back: through the queue', async () => {
      const url = await own()
      await server.stop()
      const log = memoryLog()
      const queue = queueOn(url, log)
      await queue.append(parcelOf([newEvent()]))
      assert.equal(log.events.size, 1)
      await server.restart()
      await ready(queue)
      await queue.append(parcelOf([newEvent()]))
      assert.equal(log.events.size, 1)
      assert.equal(queue.stats().queuedPacks, 1)
      await workerOn(url, log)
      await eventually(() => log.events.size === 2)
    })

    it('killed under load: every acknowledged event is there once', async () => {
      const url = await own()
      const log = memoryLog()
      const queue = await ready(queueOn(url, log))
      await workerOn(url, log)
      const acknowledged: string[] = []
      let sending = true
      const senders = Array.from({ length: 8 }, async () => {
        while (sending) {
          const event = newEvent()
          await queue.append(parcelOf([event]))
          acknowledged.push(event.eventId)
        }
      })
      await eventually(() => acknowledged.length > 200)
      await server.kill9()
      const before = acknowledged.length
      await eventually(() => acknowledged.length > before + 200)
      await server.restart()
      await eventually(() => queue.stats().redis === 'ok')
      const after = acknowledged.length
      await eventually(() => acknowledged.length > after + 200)
      sending = false
      await Promise.all(senders)
      await eventually(() => log.events.size >= acknowledged.length, { timeoutMs: 20_000 })
      const stored = new Set([...log.events.values()].map(({ eventId }) => eventId))
      assert.deepEqual(acknowledged.filter((id) => !stored.has(id)), [])
      assert.equal(log.ledger.stored, log.events.size)
    })

    it('hung: a request is answered from the log in little more than the timeout, later ones at once', async () => {
      const url = await own()
      const log = memoryLog()
      const queue = await ready(queueOn(url, log))
      await server.freeze()
      const started = Date.now()
      await queue.append(parcelOf([newEvent()]))
      assert.ok(Date.now() - started < 3_000, `${Date.now() - started} ms`)
      const then = Date.now()
      await queue.append(parcelOf([newEvent()]))
      assert.ok(Date.now() - then < 500, `${Date.now() - then} ms`)
      assert.equal(log.events.size, 2)
      server.thaw()
      await ready(queue)
      await workerOn(url, log)
      await queue.append(parcelOf([newEvent()]))
      await eventually(() => log.events.size === 3)
      assert.equal(log.ledger.stored, 3)
    })

    it('filling up: straight to the log; the log away as well: overloaded', async () => {
      const url = await own(['--maxmemory 12mb'])
      const log = memoryLog()
      const queue = await ready(queueOn(url, log))
      let sent = 0
      await eventually(async () => {
        for (let n = 0; n < 20; n++, sent++) await queue.append(parcelOf([newEvent({ title: 'x'.repeat(20_000) })]))
        return queue.stats().redis === 'full'
      })
      await queue.append(parcelOf([newEvent()]))
      assert.ok(queue.stats().directPacks >= 1)
      log.before = away
      const refused = await refusal(queue.append(parcelOf([newEvent()])))
      assert.deepEqual([refused.code, refused.status, refused.retryAfterSeconds], ['overloaded', 503, 2])
      log.before = () => undefined
      await workerOn(url, log)
      await eventually(() => log.events.size === sent + 1)
      await ready(queue)
    })

    it('down with the log away too: unavailable, and nothing was kept', async () => {
      const url = await own()
      const log = memoryLog()
      const queue = await ready(queueOn(url, log))
      await server.kill9()
      log.before = away
      const refused = await refusal(queue.append(parcelOf([newEvent()])))
      assert.deepEqual([refused.code, refused.status, refused.retryAfterSeconds], ['unavailable', 503, 2])
      log.before = () => undefined
      await queue.append(parcelOf([newEvent()]))
      assert.equal(log.events.size, 1)
    })
  })
})
