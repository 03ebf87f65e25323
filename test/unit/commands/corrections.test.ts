import assert from 'node:assert/strict'
import type { AppCommand } from '../../../src/commands/appCommand.ts'
import type { EventChanges } from '../../../src/commands/correctedContent.ts'
import { correctEvent } from '../../../src/commands/correctEvent.ts'
import { retractEvent } from '../../../src/commands/retractEvent.ts'
import { Problem } from '../../../src/errors.ts'
import type { EventCorrected } from '../../../src/events/eventCorrected.ts'
import { eventCorrected } from '../../../src/events/eventCorrected.ts'
import { decode, type FoldEvent } from '../../../src/events/catalogue.ts'
import type { EventCollected } from '../../../src/events/eventCollected.ts'
import type { StoredEvent } from '../../../src/events/eventLog.ts'
import { eventRetracted } from '../../../src/events/eventRetracted.ts'
import type { EventType } from '../../../src/events/eventType.ts'
import { type AppSettings, DEFAULT_SETTINGS } from '../../../src/events/schemas.ts'
import { compile } from '../../../src/kernel/validation.ts'
import { APP, id, NOW } from './given.ts'

const EVENT = id('event')
const AT = NOW - 3_600_000
const COLLECTED: EventCollected = {
  ...{ event: 'pageview', url: 'https://bakery.example/brot?utm_source=news', userId: 'ann', anonymousId: 'a-1', ip: '203.0.113.0' },
  ...{ userAgent: 'Firefox', browser: true, cookieless: 'c'.repeat(22), unverified: true, metadata: { cart: 3, note: 'x' } },
}

function stored(type: EventType, position: number, data: unknown, occurredAt = NOW): StoredEvent {
  const text = data === null ? null : JSON.stringify(data)
  return { partition: 1, position, eventId: EVENT, appId: APP, type: type.type, schemaVersion: 1, occurredAt, recordedAt: NOW, data: text, meta: null, stream: null, streamVersion: null }
}

interface Given {
  readonly data?: EventCollected | null
  readonly history?: readonly FoldEvent[]
  readonly settings?: Partial<AppSettings>
  readonly found?: StoredEvent | null
}

async function decide<Input>(command: AppCommand<Input, never, { eventId: string }>, input: Input, { data = COLLECTED, history = [], settings = {}, found }: Given = {}) {
  const collected: EventType = { type: 'EventCollected', schemaVersion: 1, schema: {}, upcasters: [] }
  const log = {
    find: () => Promise.resolve(found === null ? undefined : (found ?? stored(collected, 7, data, AT))),
    readAt: () => Promise.resolve([]),
    partitionOf: () => 1,
    readStream: () => Promise.resolve([stored({ ...collected, type: 'AppSettingsApplied' }, 1, { ...DEFAULT_SETTINGS, ...settings })]),
  }
  assert.deepEqual(compile(command.schema)(input), [])
  return command.decide(await command.state(log, APP, input, history), APP, input, { commandId: id('command'), now: NOW, actor: id('alice') })
}

const correct = (changes: EventChanges, given?: Given) => decide(correctEvent as AppCommand<unknown, never, { eventId: string }>, { eventId: EVENT, changes, reason: 'why' }, given)
const retract = (given?: Given) => decide(retractEvent as AppCommand<unknown, never, { eventId: string }>, { eventId: EVENT, reason: 'why' }, given)

async function content(changes: EventChanges, given?: Given): Promise<EventCorrected> {
  const { events } = await correct(changes, given)
  assert.equal(events.length, 1)
  assert.deepEqual({ stream: events[0]!.stream, appId: events[0]!.appId, type: events[0]!.type }, { stream: `correction:${EVENT}`, appId: APP, type: eventCorrected })
  assert.deepEqual(compile(eventCorrected.schema)(events[0]!.data), [])
  return events[0]!.data as EventCorrected
}

async function refusal(changes: EventChanges, given?: Given): Promise<unknown> {
  try {
    await correct(changes, given)
  } catch (error) {
    assert.ok(error instanceof Problem)
    return [error.code, ...(error.errors ?? []).map(({ path, code }) => [path, code])]
  }
  return 'taken'
}

const corrected = (position: number, contentPosition: number, data: EventCollected): FoldEvent =>
  decode(stored(eventCorrected, position, { eventId: EVENT, position: 7, contentPosition, reason: 'first', occurredAt: AT + 1, data }))
const retracted = decode(stored(eventRetracted, 9, { eventId: EVENT, position: 7, contentPosition: 7, reason: 'gone' }))

describe('CorrectEvent', () => {
  it('says the whole new content, with what is not named as it was', async () => {
    const said = await content({ url: 'https://bakery.example/bread#top', title: 'Bread', timestamp: '2026-11-21T10:00:00Z' })
    assert.deepEqual(said, {
      ...{ eventId: EVENT, position: 7, contentPosition: 7, reason: 'why', occurredAt: Date.UTC(2026, 10, 21, 10) },
      data: { ...COLLECTED, url: 'https://bakery.example/bread', title: 'Bread' },
    })
  })

  it('takes a field away by null, and metadata is replaced whole', async () => {
    const { data, occurredAt } = await content({ userId: null, metadata: { plan: 'gold' }, interactive: false })
    const rest = Object.entries(COLLECTED).filter(([field]) => field !== 'userId' && field !== 'unverified')
    assert.deepEqual(data, { ...Object.fromEntries(rest), metadata: { plan: 'gold' }, interactive: false })
    assert.equal(occurredAt, AT)
  })

  it('a time without an offset is local to the app', async () => {
    assert.equal((await content({ timestamp: '2026-11-20T01:00:00' }, { settings: { timezone: 'Asia/Kathmandu' } })).occurredAt, Date.UTC(2026, 10, 19, 19, 15))
  })

  it('reduces what is new by what the app allows now, and leaves the rest and the cookieless id alone', async () => {
    const fuller = await content({ ipAddress: '198.51.100.77', url: '/a?email=x@example.com&page=2&utm_source=y' }, { settings: { keepQuery: ['page'] } })
    assert.deepEqual([fuller.data.ip, fuller.data.url, fuller.data.cookieless, fuller.data.browser], ['198.51.100.0', '/a?page=2&utm_source=y', 'c'.repeat(22), undefined])
    assert.equal((await content({ ipAddress: '198.51.100.77' }, { settings: { ip: 'full' } })).data.ip, '198.51.100.77')
    assert.equal((await content({ ipAddress: '198.51.100.77' }, { settings: { ip: 'none' } })).data.ip, undefined)
    assert.equal((await content({ title: 'new' }, { data: { ...COLLECTED, ip: '203.0.113.9', url: '/?page=1' }, settings: { ip: 'none' } })).data.url, '/?page=1')
  })

  it('stands on the latest content, and is no event when nothing changes by it', async () => {
    const once = { ...COLLECTED, title: 'once' }
    const again = await content({ language: 'de' }, { history: [corrected(8, 7, once)] })
    assert.deepEqual([again.contentPosition, again.occurredAt, again.data], [8, AT + 1, { ...once, language: 'de' }])
    assert.deepEqual((await correct({ title: 'once' }, { history: [corrected(8, 7, once)] })).events, [])
    assert.deepEqual((await correct({ userId: 'ann', title: null, ipAddress: '203.0.113.250', metadata: { note: 'x', cart: 3 } })).events, [])
  })

  it('refuses what a collected event would be refused for, with paths', async () => {
    assert.deepEqual(await refusal({ url: 'not an address' }), ['invalid_body', ['/changes/url', 'invalid_event']])
    assert.deepEqual(await refusal({ ipAddress: 'home' }), ['invalid_body', ['/changes/ipAddress', 'invalid_event']])
    assert.deepEqual(await refusal({ timestamp: '2026-02-30T10:00:00Z' }), ['invalid_body', ['/changes/timestamp', 'invalid_event']])
    assert.deepEqual(await refusal({ timestamp: '2026-11-24T10:00:00Z' }), ['invalid_body', ['/changes/timestamp', 'timestamp_in_future']])
    assert.deepEqual(await refusal({ metadata: { text: 'x'.repeat(40_000) } }), ['invalid_body', ['/changes/metadata', 'metadata_too_large']])
    assert.deepEqual(await refusal({ url: null }), ['invalid_body', ['/changes/url', undefined]])
    assert.equal((await content({ url: null, event: 'view' })).data.url, undefined)
    const faults = (changes: unknown) => compile(correctEvent.schema)({ eventId: EVENT, reason: 'why', changes }).map(({ path }) => path)
    assert.deepEqual(faults({}), ['/changes'])
    assert.deepEqual(faults({ event: null }), ['/changes/event'])
    assert.deepEqual(faults({ timestamp: null }), ['/changes/timestamp'])
    assert.deepEqual(faults({ id: 'x' }), ['/changes/id'])
    assert.deepEqual(faults({ cookieless: 'x' }), ['/changes/cookieless'])
    assert.deepEqual(faults({ currency: 'eur', value: '1' }), ['/changes/value', '/changes/currency'])
  })

  it('refuses an event that is not there, was erased, is none of a producer, or was retracted', async () => {
    assert.deepEqual(await refusal({ title: 'x' }, { found: null }), ['not_found'])
    assert.deepEqual(await refusal({ title: 'x' }, { data: null }), ['not_found'])
    assert.deepEqual(await refusal({ title: 'x' }, { found: stored(eventCorrected, 8, {}) }), ['not_found'])
    assert.deepEqual(await refusal({ title: 'x' }, { history: [retracted] }), ['already_retracted'])
  })
})

describe('RetractEvent', () => {
  it('takes out the content that counts now', async () => {
    const [plain, after] = [await retract(), await retract({ history: [corrected(8, 7, COLLECTED)] })]
    assert.deepEqual(plain.events, [{ type: eventRetracted, stream: `correction:${EVENT}`, appId: APP, data: { eventId: EVENT, position: 7, contentPosition: 7, reason: 'why' } }])
    assert.equal((after.events[0]!.data as { contentPosition: number }).contentPosition, 8)
  })

  it('does so once', () => assert.rejects(retract({ history: [retracted] }), { code: 'already_retracted' }))
})
