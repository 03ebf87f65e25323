import assert from 'node:assert/strict'
import { sha256 } from '../../../src/kernel/hashing.ts'
import { uuidToBytes, uuidv5, uuidv7 } from '../../../src/kernel/ids.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { eventSummary as summaries } from '../../../src/projections/eventSummary/eventSummary.ts'
import type { Projection } from '../../../src/projections/projection.ts'
import { createQueryBus } from '../../../src/queries/bus.ts'
import type { AnswerCache } from '../../../src/queries/cache.ts'
import { eventSummary } from '../../../src/queries/eventSummary.ts'
import { browseEvents, oneEvent } from '../../../src/queries/events.ts'
import { createMemoryCache } from '../../../src/queries/memoryCache.ts'
import type { Query, QueryBus } from '../../../src/queries/query.ts'
import { createRedisCache } from '../../../src/queries/redisCache.ts'
import { createEventWait } from '../../../src/queries/waitForEvent.ts'
import { eventually } from '../../support/eventually.ts'
import { freshRedis } from '../../support/servers.ts'
import { type Collected, type Driver, openDriver } from './driver.ts'

const projection = summaries as Projection
const summary = eventSummary as unknown as Query<never, unknown>
const browse = browseEvents as unknown as Query<never, unknown>
const one = oneEvent as unknown as Query<never, unknown>
const NOW = Date.parse('2026-11-22T12:00:00Z')
const clock = { now: () => NOW }

describe('the query bus', () => {
  let driver: Driver
  let bus: QueryBus
  let appId: string
  let build: number
  let reads: string[]

  const event = (id: string, more: Partial<Collected> = {}): Collected => ({ id: uuidv5(appId, id), appId, at: NOW - 3_600_000, data: { event: 'click', userId: 'ann' }, ...more })
  const counted = async (...events: Collected[]): Promise<void> => {
    await driver.collect(events)
    await driver.fold(projection, build)
  }
  const count = async (params: Record<string, unknown> = {}): Promise<number> => (await bus.ask(summary, appId, params)).body['count'] as number

  before(async () => {
    driver = await openDriver('sqlite')
    build = await driver.build(projection)
  })
  after(() => driver.close())
  beforeEach(async () => {
    appId = uuidv7()
    reads = []
    const memory = createMemoryCache({ clock })
    const cache: AnswerCache = { ...memory, get: (key) => (reads.push(key), memory.get(key)) }
    bus = createQueryBus({ database: driver.database, log: driver.log, cache, clock, logger: silentLogger })
    await driver.register(appId, 'Asia/Kathmandu')
  })

  it('answers the last 30 local days by default, and says which instants these are', async () => {
    await counted(event('a'), event('b', { at: NOW - 40 * 86_400_000 }))
    const { body } = await bus.ask(summary, appId, {})
    assert.equal(body['count'], 1)
    assert.deepEqual(body['range'], { from: '2026-10-23T18:15:00.000Z', to: '2026-11-22T18:15:00.000Z', timezone: 'Asia/Kathmandu' })
    assert.equal(await count({ period: 'all' }), 2)
    assert.equal(await count({ period: 'today' }), 1)
  })

  it('reads dates and times without offset as local to the app', async () => {
    await counted()
    const { body } = await bus.ask(summary, appId, { from: '2026-11-01', to: '2026-11-02T06:30' })
    assert.deepEqual(body['range'], { from: '2026-10-31T18:15:00.000Z', to: '2026-11-02T00:45:00.000Z', timezone: 'Asia/Kathmandu' })
  })

  it('refuses what it cannot make sense of, with the name of the parameter', async () => {
    const refused = (params: Record<string, unknown>, code: string, path?: string): Promise<void> =>
      assert.rejects(bus.ask(summary, appId, params), (error: { code?: string; errors?: { path: string }[] }) => error.code === code && (path === undefined || error.errors?.[0]?.path === path))
    await refused({ from: '2026-02-30' }, 'invalid_parameter', 'from')
    await refused({ from: '2026-01-02', to: '2026-01-02' }, 'empty_range')
    await refused({ period: 'week' }, 'invalid_parameter', 'period')
    await refused({ period: '7d', from: '2026-01-01' }, 'invalid_parameter', 'period')
    await refused({ evnt: 'x' }, 'invalid_parameter', 'evnt')
    await refused({ bots: 'maybe' }, 'invalid_parameter', 'bots')
  })

  it('serves a cached answer only while nothing of the app has changed, with an asOf of now', async () => {
    await counted(event('a'))
    const cold = await bus.ask(summary, appId, {})
    const warm = await bus.ask(summary, appId, {})
    assert.deepEqual([cold.cached, warm.cached], [false, true])
    assert.equal(warm.etag, cold.etag)
    const other = uuidv7Beside(driver, appId)
    await driver.register(other, 'UTC')
    await counted({ ...event('x'), appId: other, id: uuidv7() })
    const still = await bus.ask(summary, appId, {})
    assert.equal(still.cached, true)
    assert.equal(still.etag, cold.etag)
    const position = (answer: { body: Record<string, unknown> }): number => (answer.body['asOf'] as { position: number }).position
    assert.ok(position(still) > position(cold))
    await counted(event('b'))
    const fresh = await bus.ask(summary, appId, {})
    assert.equal(fresh.cached, false)
    assert.notEqual(fresh.etag, cold.etag)
    assert.equal(fresh.body['count'], 2)
  })

  it('computes equal cold questions once', async () => {
    await counted(event('a'))
    const answers = await Promise.all(Array.from({ length: 5 }, () => bus.ask(summary, appId, { period: '7d' })))
    assert.deepEqual(new Set(answers.map(({ body }) => body['count'])), new Set([1]))
    assert.equal(new Set(answers.map(({ etag }) => etag)).size, 1)
    assert.equal(new Set(reads).size, 1)
  })

  it('tells how far it lags, waits for an event, and gives up in time', async () => {
    await counted(event('a'))
    await driver.collect([event('b')])
    const { body } = await bus.ask(summary, appId, {})
    assert.equal((body['asOf'] as { lagEvents: number }).lagEvents, 1)
    const waiting = bus.ask(summary, appId, {}, { after: event('b').id })
    await driver.fold(projection, build)
    assert.equal((await waiting).body['count'], 2)
    // Nothing that is set back meanwhile may prolong the wait.
    let now = NOW
    const deps = { ...driver, clock: { now: () => (now -= 1_000) } }
    const impatient = createEventWait(deps, 100)
    await assert.rejects(impatient(projection.name, appId, uuidv7()), { code: 'not_counted_yet' })
    await assert.rejects(bus.ask(summary, appId, {}, { after: 'b' }), { code: 'invalid_parameter' })
  })

  it('lists events newest first, by name, page by page, and shows where one counts', async () => {
    await counted(...Array.from({ length: 7 }, (_, index) => event(`e${index}`, { data: { event: index % 2 === 0 ? 'even' : 'odd', userId: 'ann', userAgent: 'Googlebot/2.1' } })))
    const page = async (params: Record<string, unknown>): Promise<{ ids: string[]; next: string | null }> => {
      const { body } = await bus.ask(browse, appId, params)
      return { ids: (body['events'] as { id: string }[]).map(({ id }) => id), next: body['nextCursor'] as string | null }
    }
    const first = await page({ event: 'even', limit: 3 })
    assert.deepEqual(first.ids, ['e6', 'e4', 'e2'].map((id) => event(id).id))
    assert.deepEqual(await page({ event: 'even', limit: 3, cursor: first.next! }), { ids: [event('e0').id], next: null })
    await assert.rejects(page({ cursor: 'x' }), { code: 'invalid_parameter' })
    const { body } = await bus.ask(one, appId, { eventId: event('e0').id })
    assert.deepEqual((body['enrichment'] as { bot: boolean; visitor: string }).visitor, 'userId')
    assert.deepEqual(body['countsIn'], ['even', null].map((name) => ({ projection: 'eventSummary', event: name, day: '2026-11-22', slotFrom: '2026-11-22T11:00:00.000Z', bot: true })))
    const key = { app_id: uuidToBytes(appId), event_id: uuidToBytes(event('e0').id) }
    const { seal, data } = await driver.database.knex('events').where(key).first<{ seal: ArrayBuffer; data: string }>()
    assert.equal(body['contentHash'], sha256(new Uint8Array(seal), data).toString('hex'))
    await driver.log.redact(appId, event('e0').id, null)
    const erased = (await bus.ask(one, appId, { eventId: event('e0').id })).body
    assert.deepEqual([erased['data'], erased['contentHash']], [null, body['contentHash']])
    await assert.rejects(bus.ask(one, appId, { eventId: uuidv7() }), { code: 'not_found' })
  })
})

function uuidv7Beside(driver: Driver, appId: string): string {
  for (;;) {
    const other = uuidv7()
    if (driver.log.partitionOf(other) === driver.log.partitionOf(appId)) return other
  }
}

describe('the cache in Redis', () => {
  it('keeps answers within its byte budget, the oldest going first', async () => {
    const cache = createRedisCache({ url: await freshRedis(), logger: silentLogger, maxBytes: 10_000, ttlSeconds: 60 })
    const answer = 'x'.repeat(2_000)
    // The first commands may come before the connection: they are misses, and that is all.
    await eventually(async () => {
      await cache.set('first', answer)
      return (await cache.get('first')) !== undefined
    })
    for (let key = 0; key < 10; key++) await cache.set(`key ${key}`, answer)
    const kept = await Promise.all(Array.from({ length: 10 }, (_, key) => cache.get(`key ${key}`)))
    const count = kept.filter((found) => found === answer).length
    assert.ok(count >= 1 && count <= 3, `${count} kept`)
    assert.equal(kept[9], answer)
    await cache.set('key 9', 'y')
    assert.equal(await cache.get('key 9'), 'y')
    await cache.set('too large', 'x'.repeat(20_000))
    assert.equal(await cache.get('too large'), undefined)
    await cache.close()
  })

  it('has nothing, and fails nothing, while Redis is away', async () => {
    const cache = createRedisCache({ url: 'redis://127.0.0.1:1', logger: silentLogger })
    await cache.set('a', 'b')
    assert.equal(await cache.get('a'), undefined)
    await cache.close()
  })
})
