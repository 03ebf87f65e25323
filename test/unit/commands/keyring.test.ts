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

async function write(log: MemoryLog, ...facts: Fact[]): Promise<void> {
  for (const { type, stream, data } of facts) {
    const eventId = uuidv7()
    const event = { eventId, appId: APP, type: type.type, schemaVersion: 1, occurredAt: NOW, data: JSON.stringify(data), meta: null, stream }
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

  it('keeps trust without the log while the epoch vouches, and not a moment longer', async () => {
    const epoch = localEpoch()
    keyring = open(epoch)
    await keyring.start()
    log.readFault = new StoreDown()
    nowMs = 60_000
    assert.equal(await keyring.trusted(), true)
    await epoch.bump()
    nowMs += LIMITS.keyringPollMs + 1
    assert.equal(await keyring.trusted(), false)
    log.readFault = undefined
    await until(() => keyring.trusted() === true)
  })

  it('an epoch read after the log does not vouch: what was withdrawn in between is not folded', async () => {
    const epoch = localEpoch()
    let letThrough: () => void = () => undefined
    log.gate = new Promise((resolve) => (letThrough = resolve))
    keyring = open(epoch)
    const starting = keyring.start()
    await until(() => log.reads === 1)
    await write(log, revoked)
    await epoch.bump()
    log.readFault = undefined
    letThrough()
    await starting
    log.readFault = new StoreDown()
    nowMs = 60_000
    assert.equal(keyring.state.key(KEY)?.revoked, false)
    assert.equal(await keyring.trusted(), false)
  })

  it('an epoch that could not be read once does not vouch again before the log was read', async () => {
    let value: number | undefined = 7
    keyring = open({ current: () => Promise.resolve(value), bump: () => Promise.resolve() })
    await keyring.start()
    log.readFault = new StoreDown()
    nowMs = 60_000
    assert.equal(await keyring.trusted(), true)
    value = undefined
    nowMs += LIMITS.keyringPollMs + 1
    assert.equal(await keyring.trusted(), false)
    value = 7
    nowMs += LIMITS.keyringPollMs + 1
    assert.equal(await keyring.trusted(), false)
  })
})

describe('the epoch in Redis', () => {
  const store = (get: () => Promise<string | null>) => {
    const values: string[] = []
    return { values, redis: { get, set: (_: string, value: string) => Promise.resolve(values.push(value)) } as unknown as Parameters<typeof redisEpoch>[0] }
  }

  it('is 0 until bumped, and undefined where Redis fails or hangs', async () => {
    assert.equal(await redisEpoch(store(() => Promise.resolve(null)).redis).current(), 0)
    assert.equal(await redisEpoch(store(() => Promise.resolve('12')).redis).current(), 12)
    assert.equal(await redisEpoch(store(() => Promise.reject(new Error('gone'))).redis).current(), undefined)
    assert.equal(await redisEpoch(store(() => new Promise(() => undefined)).redis).current(), undefined)
  })

  it('never takes a value twice, also after Redis lost its data', async () => {
    const { values, redis } = store(() => Promise.resolve(null))
    for (let times = 0; times < 100; times++) await redisEpoch(redis).bump()
    assert.equal(new Set(values).size, 100)
  })
})
