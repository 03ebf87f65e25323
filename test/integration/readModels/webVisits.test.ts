import assert from 'node:assert/strict'
import fc from 'fast-check'
import { uuidv5, uuidv7 } from '../../../src/kernel/ids.ts'
import type { EventCollected } from '../../../src/events/eventCollected.ts'
import type { Projection } from '../../../src/projections/projection.ts'
import { web as webProjection } from '../../../src/projections/web/web.ts'
import { type Collected, type Driver, type Engine, openDriver } from './driver.ts'
import { expectedDays, expectedLinks, expectedVisits, storedDays, storedLinks, storedVisits } from './webReference.ts'
import { withLimits } from '../../support/limits.ts'

const web = webProjection as Projection
const MINUTE = 60_000
/** Around midnight, changes of clocks, and a skipped date. */
const PLACES = [
  { timezone: 'UTC', around: Date.UTC(2024, 1, 29) },
  { timezone: 'Asia/Kathmandu', around: Date.UTC(2023, 11, 31, 18, 15) },
  { timezone: 'Pacific/Apia', around: Date.UTC(2011, 11, 30, 10) },
  { timezone: 'America/New_York', around: Date.UTC(2024, 10, 3, 6) },
]
const BOT = 'Googlebot/2.1 (+http://www.google.com/bot.html)'

/** One of them often, so that its visits grow together and apart. */
const CLIENTS: Pick<EventCollected, 'sessionId' | 'anonymousId' | 'cookieless' | 'userId'>[] = [
  ...Array.from({ length: 6 }, () => ({ anonymousId: 'x' })),
  { anonymousId: 'x', userId: 'ann' },
  { anonymousId: 'x', userId: 'bob' },
  { anonymousId: 'y' },
  { cookieless: 'c'.repeat(22) },
  { cookieless: 'c'.repeat(22), userId: 'bob' },
  { userId: 'ann' },
  { sessionId: 's' },
  { sessionId: 's', anonymousId: 'y' },
  {},
]

const told = fc.record({
  minutes: fc.oneof({ arbitrary: fc.integer({ min: -90, max: 90 }), weight: 4 }, { arbitrary: fc.integer({ min: -2_000, max: 2_000 }), weight: 1 }),
  kind: fc.constantFrom('pageview', 'pageview', 'click', 'engagement', 'passive'),
  client: fc.constantFrom(...CLIENTS),
  page: fc.constantFrom('/', '/a', '/b?utm_source=news&utm_medium=email'),
  referrer: fc.option(fc.constantFrom('https://www.google.com/', 'https://example.com/'), { nil: undefined }),
  bot: fc.nat(9).map((number) => number === 0),
})
type Told = typeof told extends fc.Arbitrary<infer T> ? T : never

const change = fc.record({ of: fc.nat(), told: fc.option(told, { nil: undefined }) })

const history = fc.record({
  place: fc.constantFrom(...PLACES),
  steps: fc.array(fc.oneof({ arbitrary: fc.record({ collect: told }), weight: 5 }, { arbitrary: fc.record({ change }), weight: 2 }), { minLength: 1, maxLength: 60, size: 'max' }),
})
type History = typeof history extends fc.Arbitrary<infer T> ? T : never

function dataOf({ kind, client, page, referrer, bot }: Told): EventCollected {
  const event = kind === 'passive' ? 'request' : kind
  return {
    event,
    ...(kind === 'engagement' ? {} : { url: `https://site.example${page}` }),
    ...(referrer === undefined ? {} : { referrer }),
    ...client,
    ...(kind === 'passive' ? { interactive: false as const } : {}),
    ...(bot ? { userAgent: BOT } : {}),
  }
}

/** Appends the history; answers what it amounts to, as if nothing had ever been wrong. */
async function record(driver: Driver, appId: string, { place, steps }: History): Promise<Collected[]> {
  const events: { position: number; contentPosition: number; now: Collected | undefined; id: string }[] = []
  const partition = driver.log.partitionOf(appId)
  const append = async (eventId: string, type: string, occurredAt: number, data: object, stream: string | null): Promise<number> => {
    const event = { eventId, appId, type, schemaVersion: 1, occurredAt, data: JSON.stringify(data), meta: null, ...(stream === null ? {} : { stream }) }
    const [placed] = await driver.log.append({ partition, packs: [{ deliveryId: uuidv7(), partition, receivedAt: Date.now(), events: [event], rejected: [] }] })
    return placed![0]!.position
  }
  for (const [step, one] of steps.entries()) {
    const id = uuidv5(appId, String(step))
    if ('collect' in one) {
      const at = place.around + one.collect.minutes * MINUTE
      const data = dataOf(one.collect)
      const position = await append(id, 'EventCollected', at, data, null)
      events.push({ position, contentPosition: position, now: { id, appId, at, data }, id })
      continue
    }
    const known = events.filter(({ now }) => now !== undefined)
    if (known.length === 0) continue
    const target = known[one.change.of % known.length]!
    const named = { eventId: target.id, position: target.position, contentPosition: target.contentPosition, reason: 'wrong' }
    if (one.change.told === undefined) {
      await append(id, 'EventRetracted', Date.now(), named, `correction:${target.id}`)
      target.now = undefined
    } else {
      const occurredAt = place.around + one.change.told.minutes * MINUTE
      const data = dataOf(one.change.told)
      target.contentPosition = await append(id, 'EventCorrected', Date.now(), { ...named, occurredAt, data }, `correction:${target.id}`)
      target.now = { id: target.id, appId, at: occurredAt, data }
    }
  }
  return events.flatMap(({ now }) => (now === undefined ? [] : [now]))
}

function suite(engine: Engine, numRuns: number): void {
  describe(`the web read model on ${engine}`, function () {
    this.timeout(240_000)
    let driver: Driver
    before(async () => {
      driver = await openDriver(engine)
    })
    after(() => driver.close())

    it('holds the visits that the events make which count, whatever was late, wrong or taken back', async () => {
      await fc.assert(
        fc.asyncProperty(history, async (one) => {
          const appId = uuidv7()
          await driver.register(appId, one.place.timezone)
          const events = await record(driver, appId, one)
          const live = await driver.build(web)
          await driver.fold(web, live, 4, 3)
          assert.deepEqual(await storedVisits(driver, live, appId), expectedVisits(events))
          assert.deepEqual(await storedDays(driver, live, appId), expectedDays(events, one.place.timezone))
          assert.deepEqual(await storedLinks(driver, live, appId), expectedLinks(events))
        }),
        { numRuns: numRuns * 2 },
      )
    })

    // A log of its own each time: a build folds all that there is.
    it('is the same however the log is cut into stretches and however often memory is lost', async () => {
      await fc.assert(
        fc.asyncProperty(history, async (one) => {
          const fresh = await openDriver(engine)
          try {
            const appId = uuidv7()
            await fresh.register(appId, one.place.timezone)
            await record(fresh, appId, one)
            const live = await fresh.build(web)
            await fresh.fold(web, live, 3, 4)
            const expected = await fresh.rows(web, live)
            for (const [stretchEvents, forgetEvery, visitsKept] of [[1, 2, 40_000], [3, Infinity, 4], [7, Infinity, 40_000], [10_000, Infinity, 40_000]] as const) {
              const other = await fresh.build(web, true)
              await withLimits({ visitsKept, cellPendingFromBytes: 0 }, () => fresh.fold(web, other, stretchEvents, forgetEvery))
              assert.deepEqual(await fresh.rows(web, other), expected)
            }
          } finally {
            await fresh.close()
          }
        }),
        { numRuns },
      )
    })
  })
}

suite('sqlite', 20)
suite('mysql', 3)
