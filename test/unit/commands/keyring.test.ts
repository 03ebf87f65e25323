import assert from 'node:assert/strict'
import { localEpoch, redisEpoch, type Epoch } from '../../../src/commands/epoch.ts'
import { createKeyring } from '../../../src/commands/foldedKeyring.ts'
import type { Keyring } from '../../../src/commands/keyring.ts'
import { apiKeyRevoked } from '../../../src/events/apiKeyRevoked.ts'
import { apiKeyRotated } from '../../../src/events/apiKeyRotated.ts'
import { appDeleted } from '../../../src/events/appDeleted.ts'
import { appUpdated } from '../../../src/events/appUpdated.ts'
import { eventCollected } from '../../../src/events/eventCollected.ts'
import { FIRST_ORGANISATION } from '../../../src/events/organisations.ts'
import { uuidv7 } from '../../../src/kernel/ids.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { LIMITS } from '../../../src/limits.ts'
import { eventually } from '../../support/eventually.ts'
import { account, ALICE, APP, BAKERY, fact, type Fact, folded, id, KEY, key, MALLORY, NOW } from './given.ts'
import { MemoryLog, StoreDown } from './memoryLog.ts'

const THERE = BAKERY.length
const revoked = fact(apiKeyRevoked, `key:${KEY}`, { keyId: KEY, appId: APP })
/** As the bus marks the events of a command that takes something away. */
const WITHDRAWAL = JSON.stringify({ commandId: id('revocation'), command: 'RevokeApiKey', execution: '', withdraws: true })

async function write(log: MemoryLog, ...facts: Fact[]): Promise<void> {
  for (const { type, stream, data } of facts) {
    const eventId = uuidv7()
    const meta = type === apiKeyRevoked ? WITHDRAWAL : null
    const event = { eventId, appId: APP, type: type.type, schemaVersion: 1, occurredAt: NOW, data: JSON.stringify(data), meta, stream }
    await log.append({ partition: 0, packs: [{ deliveryId: eventId, partition: 0, receivedAt: NOW, events: [event], rejected: [] }] })
  }
}

async function until(condition: () => boolean): Promise<void> {
  await eventually(condition, { everyMs: 2 })
}

describe('the fold of the control partition', () => {
  it('knows accounts, apps and keys', () => {
    const state = folded(BAKERY)
    assert.equal(state.member(FIRST_ORGANISATION, ALICE)?.role, 'owner')
    assert.equal(state.account(id('nobody')), undefined)
    assert.deepEqual([...state.accounts()].map(({ accountId }) => accountId), [ALICE, MALLORY])
    assert.equal(state.app(APP)?.partition, 3)
    assert.equal(state.app(APP)?.position, 2)
    assert.equal(state.keyByHash('cd'.repeat(32))?.keyId, KEY)
    assert.equal(state.keyByHash('00'.repeat(32)), undefined)
    assert.deepEqual([...state.keysOf(APP)].map(({ keyId }) => keyId), [KEY])
    assert.deepEqual([...state.keysOf(id('other'))], [])
    assert.equal(state.version(`app:${APP}`), 1)
    assert.equal(state.version('app:other'), 0)
  })

  it('merges what changed of an app', () => {
    const state = folded([...BAKERY, fact(appUpdated, `app:${APP}`, { appId: APP, name: 'Bread', settings: { ip: 'none' } })])
    const { name, url, settings, position } = state.app(APP)!
    assert.deepEqual({ name, url, settings, position }, { name: 'Bread', url: undefined, settings: { timezone: 'UTC', ip: 'none', keepQuery: [] }, position: THERE + 1 })
    assert.equal(state.version(`app:${APP}`), 2)
  })

  it('a revoked key is revoked; a deleted app takes all its keys along', () => {
    assert.equal(folded([...BAKERY, revoked]).key(KEY)?.revoked, true)
    const state = folded([...BAKERY, key({ keyId: id('second') }), fact(appDeleted, `app:${APP}`, { appId: APP })])
    assert.equal(state.app(APP)?.deleted, true)
    assert.deepEqual([...state.keysOf(APP)].map((each) => each.revoked), [true, true])
  })

  it('a rotated key ends with the overlap or by itself, whichever is earlier', () => {
    const rotated = fact(apiKeyRotated, `key:${KEY}`, { keyId: KEY, appId: APP, replacedBy: id('next'), endsAt: NOW + 500 })
    assert.equal(folded([...BAKERY, rotated]).key(KEY)?.expiresAt, NOW + 500)
    assert.equal(folded([...BAKERY, rotated]).key(KEY)?.replacedBy, id('next'))
    assert.equal(folded([account(ALICE), key({ expiresAt: NOW + 100 }), rotated]).key(KEY)?.expiresAt, NOW + 100)
  })

  it('fails closed on an event it does not fold and on a gap, and changes nothing', () => {
    assert.throws(() => folded([fact(eventCollected, 'x', { event: 'x' })]), /does not fold/)
    const state = folded(BAKERY)
    const event = { eventId: id('e'), appId: APP, type: 'ApiKeyRevoked', schemaVersion: 1, data: revoked.data, meta: null }
    const place = { occurredAt: NOW, recordedAt: NOW, partition: 0, position: THERE + 2, stream: revoked.stream, streamVersion: 2 }
    assert.throws(() => state.apply({ ...event, ...place }), /position 8 follows 6/)
    assert.equal(state.position, THERE)
    assert.equal(state.key(KEY)?.revoked, false)
    state.apply({ ...event, ...place, position: THERE + 1, data: null })
    assert.equal(state.position, THERE + 1, 'what was redacted leaves its place')
  })
})

describe('keyring', () => {
  let log: MemoryLog
  let nowMs: number
  let keyring: Keyring
  let stops: (() => Promise<void>)[]

  const open = (epoch?: Epoch): Keyring => {
    const made = createKeyring({ log, logger: silentLogger, elapsedMs: () => nowMs, ...(epoch === undefined ? {} : { epoch }) })
    stops.push(() => made.stop())
    return made
  }

  beforeEach(async () => {
    log = new MemoryLog()
    nowMs = 0
    stops = []
    await write(log, ...BAKERY)
    keyring = open()
  })
  afterEach(async () => {
    for (const stop of stops) await stop()
  })

  it('folds everything at start, then is poked by appends of this process', async () => {
    await keyring.start()
    assert.equal(keyring.state.position, THERE)
    await write(log, revoked)
    await until(() => keyring.state.key(KEY)?.revoked === true)
  })

  it('finds what another process appended by polling', async () => {
    await keyring.start()
    log.events(0).push({ ...log.events(0)[0]!, position: THERE + 1, stream: null, streamVersion: null, eventId: id('elsewhere') })
    await until(() => keyring.state.position === THERE + 1)
  })

  it('does not start on a log that cannot be read', async () => {
    log.readFault = new StoreDown()
    await assert.rejects(keyring.start(), StoreDown)
  })

  it('an unknown key is known after one refresh; refreshes that overlap share reads', async () => {
    await keyring.start()
    const reads = log.reads
    let letThrough: () => void = () => undefined
    log.gate = new Promise((resolve) => (letThrough = resolve))
    const first = keyring.refresh()
    // Written after the first reading took its page: who asks now must see it, so the reading under way will not do.
    await write(log, key({ keyId: id('second'), writeKeyHash: 'ee'.repeat(32) }))
    const later = Array.from({ length: 50 }, () => keyring.refresh())
    letThrough()
    await first
    assert.equal(keyring.state.key(id('second')), undefined)
    await Promise.all(later)
    assert.equal(keyring.state.keyByHash('ee'.repeat(32))?.keyId, id('second'))
    assert.equal(log.reads - reads, 2)
  })

  it('a refresh between two others never folds twice at once', async () => {
    await keyring.start()
    const rounds = Array.from({ length: 200 }, async (_, round) => {
      for (let turn = 0; turn < round % 7; turn++) await Promise.resolve()
      await write(log, key({ keyId: id(`key ${round}`) }))
      await keyring.refresh()
      assert.ok(keyring.state.key(id(`key ${round}`)))
    })
    await Promise.all(rounds)
    assert.equal(keyring.state.position, THERE + 200)
  })

  it('refresh throws when the log cannot be read, and recovers', async () => {
    await keyring.start()
    log.readFault = new StoreDown()
    await assert.rejects(keyring.refresh(), StoreDown)
    log.readFault = undefined
    await write(log, revoked)
    await keyring.refresh()
    assert.equal(keyring.state.key(KEY)?.revoked, true)
  })

  it('loses trust a second after it last read, and has it again once it reads', async () => {
    await keyring.start()
    log.readFault = new StoreDown()
    nowMs = LIMITS.trustMs
    assert.equal(await keyring.trusted(), true)
    nowMs = LIMITS.trustMs + 1
    assert.equal(await keyring.trusted(), false)
    log.readFault = undefined
    await keyring.refresh()
    assert.equal(await keyring.trusted(), true)
  })

  it('counts trust from when the reading began, not from when it ended', async () => {
    await keyring.start()
    let letThrough: () => void = () => undefined
    log.gate = new Promise((resolve) => (letThrough = resolve))
    const reading = keyring.refresh()
    nowMs = LIMITS.trustMs + 1
    letThrough()
    await reading
    assert.equal(await keyring.trusted(), false)
  })

  it('keeps trust without the log while nothing is announced that it has not folded, and not a moment longer', async () => {
    const epoch = localEpoch()
    keyring = open(epoch)
    await keyring.start()
    log.readFault = new StoreDown()
    nowMs = 60_000
    assert.equal(await keyring.trusted(), true)
    await epoch.announce(THERE + 1)
    nowMs += LIMITS.keyringPollMs + 1
    assert.equal(await keyring.trusted(), false)
    log.readFault = undefined
    await write(log, revoked)
    await until(() => keyring.trusted() === true)
    assert.equal(keyring.state.withdrawnAt, THERE + 1)
  })

  it('does not trust on an announcement that came while it read: what was withdrawn is not folded', async () => {
    const epoch = localEpoch()
    let letThrough: () => void = () => undefined
    log.gate = new Promise((resolve) => (letThrough = resolve))
    keyring = open(epoch)
    const starting = keyring.start()
    await until(() => log.reads === 1)
    await write(log, revoked)
    await epoch.announce(THERE + 1)
    letThrough()
    await starting
    log.readFault = new StoreDown()
    nowMs = 60_000
    assert.equal(keyring.state.key(KEY)?.revoked, false)
    assert.equal(await keyring.trusted(), false)
  })

  for (const lost of [undefined, null]) {
    it(`an epoch that ${lost === null ? 'was lost' : 'could not be read'} once does not vouch again before the log was read`, async () => {
      let value: number | null | undefined = 0
      keyring = open({ current: () => Promise.resolve(value), announce: () => Promise.resolve() })
      await keyring.start()
      log.readFault = new StoreDown()
      nowMs = 60_000
      assert.equal(await keyring.trusted(), true)
      value = lost
      nowMs += LIMITS.keyringPollMs + 1
      assert.equal(await keyring.trusted(), false)
      value = 0
      nowMs += LIMITS.keyringPollMs + 1
      assert.equal(await keyring.trusted(), false)
    })
  }

  it('announces what it finds in the log, for whoever took it away and could not say so', async () => {
    const epoch = localEpoch()
    keyring = open(epoch)
    await keyring.start()
    assert.equal(await epoch.current(), 0)
    await write(log, revoked)
    await eventually(async () => (await epoch.current()) === THERE + 1, { everyMs: 2 })
  })

  it('does not vouch for what it could not announce', async () => {
    await write(log, revoked)
    keyring = open({ current: () => Promise.resolve(THERE), announce: () => Promise.reject(new Error('read-only')) })
    await keyring.start()
    log.readFault = new StoreDown()
    nowMs = 60_000
    assert.equal(await keyring.trusted(), false)
  })

  it('takes back what was announced of another log, and nothing that was announced while it read', async () => {
    const epoch = localEpoch()
    await epoch.announce(1_000)
    keyring = open(epoch)
    await keyring.start()
    assert.equal(await epoch.current(), 0)
    const announced: unknown[] = []
    keyring = open({ current: () => Promise.resolve(1_000), announce: (...given) => Promise.resolve(void announced.push(given)) })
    await keyring.start()
    assert.deepEqual(announced, [[0, 1_000]])
  })
})

describe('the epoch in Redis', () => {
  const redisWith = (get: () => Promise<string | null>) => redisEpoch({ get } as unknown as Parameters<typeof redisEpoch>[0])

  it('is null until something is announced, and undefined where Redis fails or hangs', async () => {
    assert.equal(await redisWith(() => Promise.resolve(null)).current(), null)
    assert.equal(await redisWith(() => Promise.resolve('12')).current(), 12)
    assert.equal(await redisWith(() => Promise.reject(new Error('gone'))).current(), undefined)
    assert.equal(await redisWith(() => new Promise(() => undefined)).current(), undefined)
  })
})
