// From the answer to a revocation to the moment at which no other process accepts the key: under a second, on the real
// stores, whether the other process can read the log or not.
import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { createCommandBus } from '../../src/commands/bus.ts'
import { redisEpoch } from '../../src/commands/epoch.ts'
import { createKeyring } from '../../src/commands/foldedKeyring.ts'
import { issueApiKey } from '../../src/commands/issueApiKey.ts'
import type { Keyring } from '../../src/commands/keyring.ts'
import { registerApp } from '../../src/commands/registerApp.ts'
import { revokeApiKey } from '../../src/commands/revokeApiKey.ts'
import { signInOwner } from '../../src/commands/signInOwner.ts'
import { createWriteKey } from '../../src/commands/writeKey.ts'
import { openEventLog } from '../../src/events/openEventLog.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { migrate } from '../../src/kernel/migrations.ts'
import { LIMITS } from '../../src/limits.ts'
import { freshDatabase, freshRedis } from '../support/servers.ts'

describe('revocation across processes', function () {
  this.timeout(60_000)
  let closing: (() => Promise<unknown>)[]
  let cutOff = false

  afterEach(async () => {
    cutOff = false
    for (const close of closing.reverse()) await close()
  })

  /** One process with its own connections; `cuttable` stops reading the log while `cutOff` is set. */
  async function startProcess(url: string, redisUrl: string, cuttable = false) {
    const database = await openDatabase(url)
    closing.push(() => database.close())
    await migrate(database)
    const log = await openEventLog(database, { url, partitions: 4 })
    closing.push(() => log.close())
    const redis = new Redis(redisUrl)
    closing.push(() => redis.quit())
    const epoch = redisEpoch(redis)
    const read: typeof log.read = (...place) => (cuttable && cutOff ? Promise.reject(new Error('cut off')) : log.read(...place))
    const readable = { read, onAppended: log.onAppended.bind(log), partitionOf: log.partitionOf.bind(log) }
    const keyring = createKeyring({ log: readable, epoch, logger: silentLogger })
    await keyring.start()
    closing.push(() => keyring.stop())
    const queue = { appendControl: log.append.bind(log) }
    const options = { log, queue, keyring, epoch, clock: systemClock, logger: silentLogger }
    return { keyring, options, bus: createCommandBus(options) }
  }

  async function twoProcesses() {
    closing = []
    const [url, redisUrl] = await Promise.all([freshDatabase(), freshRedis()])
    const { bus } = await startProcess(url, redisUrl)
    const { keyring } = await startProcess(url, redisUrl, true)
    const { accountId: actor } = await bus.execute(signInOwner, {}, { actor: undefined })
    const { appId } = await bus.execute(registerApp, { name: 'Bakery' }, { actor })
    const { keyId } = await bus.execute(issueApiKey, { appId }, { actor, secret: createWriteKey() })
    await until(() => keyring.state.key(keyId) !== undefined)
    const redis = new Redis(redisUrl)
    closing.push(() => redis.quit())
    return { url, redisUrl, redis, keyring, keyId, actor, revoke: () => bus.execute(revokeApiKey, { keyId }, { actor }) }
  }

  const accepts = async (keyring: Keyring, keyId: string): Promise<boolean> =>
    (await keyring.trusted()) && keyring.state.key(keyId)?.revoked === false

  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  it('reaches a process that reads the log', async () => {
    const { keyring, keyId, revoke } = await twoProcesses()
    assert.ok(await accepts(keyring, keyId))
    await revoke()
    const answered = performance.now()
    await until(async () => !(await accepts(keyring, keyId)))
    assert.ok(performance.now() - answered < 1_000, `took ${performance.now() - answered} ms`)
    assert.equal(keyring.state.key(keyId)?.revoked, true)
  })

  it('reaches a process that cannot read the log but for a long time trusted its state by the epoch', async () => {
    const { keyring, keyId, revoke } = await twoProcesses()
    // A reading that began after the key was issued must have come with its epoch before the cut.
    await keyring.refresh()
    cutOff = true
    const cutAt = performance.now()
    await until(() => performance.now() - cutAt > LIMITS.trustMs + LIMITS.keyringPollMs)
    assert.ok(await accepts(keyring, keyId), 'the epoch vouches while nothing is taken away')
    await revoke()
    const answered = performance.now()
    await until(async () => !(await accepts(keyring, keyId)))
    assert.ok(performance.now() - answered < 1_000, `took ${performance.now() - answered} ms`)
    assert.equal(keyring.state.key(keyId)?.revoked, false, 'it does not know; it only stopped trusting itself')
    cutOff = false
    await until(async () => (await keyring.trusted()) && keyring.state.key(keyId)?.revoked === true)
  })

  it('reaches who cannot read the log although its process cannot reach Redis: whoever reads it announces it', async () => {
    const { url, redisUrl, keyring, keyId, actor } = await twoProcesses()
    await keyring.refresh()
    cutOff = true
    const cutAt = performance.now()
    await until(() => performance.now() - cutAt > LIMITS.trustMs + LIMITS.keyringPollMs)
    assert.ok(await accepts(keyring, keyId))
    const away = await startProcess(url, redisUrl)
    const revoking = createCommandBus({ ...away.options, epoch: { current: () => Promise.resolve(undefined), announce: () => Promise.reject(new Error('away')) } })
    await revoking.execute(revokeApiKey, { keyId }, { actor })
    const answered = performance.now()
    await until(async () => !(await accepts(keyring, keyId)))
    assert.ok(performance.now() - answered < 1_000, `took ${performance.now() - answered} ms`)
    assert.equal(keyring.state.key(keyId)?.revoked, false)
  })

  it('a Redis that lost everything vouches for nobody, and is told again by whoever reads the log', async () => {
    const { redis, keyring, keyId, revoke } = await twoProcesses()
    await keyring.refresh()
    cutOff = true
    await revoke()
    const announced = await redis.get('recount:withdrawn')
    await redis.flushdb()
    await until(() => redis.get('recount:withdrawn').then((again) => again === announced))
    const cutAt = performance.now()
    await until(() => performance.now() - cutAt > LIMITS.trustMs)
    assert.equal(await accepts(keyring, keyId), false)
  })

  it('announces forward only, and back only from what it saw', async () => {
    closing = []
    const redis = new Redis(await freshRedis())
    closing.push(() => redis.quit())
    const epoch = redisEpoch(redis)
    const steps: [position: number, instead: number | undefined, after: number][] = [[5, undefined, 5], [3, undefined, 5], [12, undefined, 12], [9, 5, 12], [9, 12, 9], [100, 7, 100]]
    assert.equal(await epoch.current(), null)
    for (const [position, instead, after] of steps) {
      await epoch.announce(position, instead)
      assert.equal(await epoch.current(), after)
    }
  })
})
