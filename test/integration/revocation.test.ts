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
  async function startProcess(url: string, redisUrl: string, cuttable: boolean) {
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
    return { keyring, bus: createCommandBus({ log, queue, keyring, epoch, clock: systemClock, logger: silentLogger }) }
  }

  async function twoProcesses() {
    closing = []
    const [url, redisUrl] = await Promise.all([freshDatabase(), freshRedis()])
    const { bus } = await startProcess(url, redisUrl, false)
    const { keyring } = await startProcess(url, redisUrl, true)
    const { accountId: actor } = await bus.execute(signInOwner, {}, { actor: undefined })
    const { appId } = await bus.execute(registerApp, { name: 'Bakery' }, { actor })
    const { keyId } = await bus.execute(issueApiKey, { appId }, { actor, secret: createWriteKey() })
    await until(() => keyring.state.key(keyId) !== undefined)
    return { keyring, keyId, revoke: () => bus.execute(revokeApiKey, { keyId }, { actor }) }
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
})
