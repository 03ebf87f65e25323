import assert from 'node:assert/strict'
import fc from 'fast-check'
import { NO_DEFINITIONS } from '../../../src/events/definitions.ts'
import { uuidv5, uuidv7 } from '../../../src/kernel/ids.ts'
import { eventSummary as projection } from '../../../src/projections/eventSummary/eventSummary.ts'
import type { Projection } from '../../../src/projections/projection.ts'
import { userStats as persons } from '../../../src/projections/userStats/userStats.ts'
import { eventSummary } from '../../../src/queries/eventSummary.ts'
import type { Bots } from '../../../src/queries/summaryTally.ts'
import { userStats } from '../../../src/queries/userStats.ts'
import { type Collected, type Driver, type Engine, openDriver } from './driver.ts'
import { AGENTS, logged, personal, summary } from './reference.ts'

const summaries = projection as Projection
const stats = persons as Projection
const MINUTE = 60_000
/** Around changes of clocks, a skipped date, and midnight. */
const PLACES = [
  { timezone: 'UTC', around: Date.UTC(2024, 1, 29) },
  { timezone: 'Asia/Kathmandu', around: Date.UTC(2024, 0, 1) },
  { timezone: 'Pacific/Apia', around: Date.UTC(2011, 11, 30, 10) },
  { timezone: 'America/New_York', around: Date.UTC(2024, 10, 3, 6) },
  { timezone: 'America/New_York', around: Date.UTC(2024, 2, 10, 7) },
  { timezone: 'Africa/Monrovia', around: Date.UTC(1971, 11, 31) },
]
const EVERYTHING = { from: -3_100, length: 6_200, snap: 1, event: undefined, bots: 'include' }
const NAMES = ['pageview', 'Pageview', 'click ', 'click', 'é']

const identity = fc.record(
  { userId: fc.constantFrom('ann', 'bob', 'Ann'), anonymousId: fc.constantFrom('x', 'y', 'z', 'ann'), cookieless: fc.constantFrom('c'.repeat(22), 'd'.repeat(22)) },
  { requiredKeys: [] },
)
const event = fc.record({
  app: fc.nat(1),
  id: fc.nat(80),
  minutes: fc.oneof(fc.integer({ min: -3_000, max: 3_000 }), fc.integer({ min: -60, max: 60 })),
  millis: fc.constantFrom(0, 1, 59_999),
  event: fc.constantFrom(...NAMES),
  agent: fc.option(fc.constantFrom(...AGENTS), { nil: undefined }),
  device: fc.option(fc.constantFrom('tablet', 'tv'), { nil: undefined }),
  identity,
})
const question = fc.record({
  from: fc.integer({ min: -3_100, max: 3_000 }),
  length: fc.oneof(fc.integer({ min: 1, max: 6_000 }), fc.integer({ min: 1, max: 40 })),
  snap: fc.constantFrom(1, 15, 60, 1_440),
  event: fc.option(fc.constantFrom(...NAMES), { nil: undefined }),
  bots: fc.constantFrom('include', 'exclude', 'only'),
})
const history = fc.record({
  places: fc.tuple(fc.constantFrom(...PLACES), fc.constantFrom(...PLACES)),
  events: fc.array(event, { minLength: 1, maxLength: 60 }),
  questions: fc.array(question, { minLength: 5, maxLength: 12 }),
})
type History = typeof history extends fc.Arbitrary<infer T> ? T : never

/** `scale` makes stretches longer where there are many events. */
async function play(driver: Driver, { places, events, questions }: History, scale = 1): Promise<void> {
  const apps = places.map((place) => ({ ...place, appId: uuidv7() }))
  const collected: Collected[] = events.map(({ app, id, minutes, millis, event: name, agent, device, identity: who }) => ({
    id: uuidv5(apps[app]!.appId, String(id)),
    appId: apps[app]!.appId,
    at: apps[app]!.around + minutes * MINUTE + millis,
    data: { event: name, ...who, ...(agent === undefined ? {} : { userAgent: agent.text }), ...(device === undefined ? {} : { device }) },
  }))
  for (const { appId, timezone } of apps) await driver.register(appId, timezone)
  const half = Math.floor(collected.length / 2)
  const live = [await driver.build(summaries), await driver.build(stats)] as const
  await driver.collect(collected.slice(0, half))
  await driver.fold(summaries, live[0], 7 * scale)
  await driver.fold(stats, live[1], 7 * scale)
  await driver.collect(collected.slice(half))
  await driver.fold(summaries, live[0], 7 * scale, 2)
  await driver.fold(stats, live[1], 7 * scale, 2)
  for (const [model, build] of [[summaries, live[0]], [stats, live[1]]] as const) {
    const expected = await driver.rows(model, build)
    for (const [stretchEvents, forgetEvery] of [[scale, 3], [1_000, Infinity]] as const) {
      const other = await driver.build(model, true)
      await driver.fold(model, other, stretchEvents, forgetEvery)
      assert.deepEqual(await driver.rows(model, other), expected)
    }
  }
  for (const { appId, around, timezone } of apps) {
    const log = logged(collected, appId)
    // One question about everything, so that links between any two events matter.
    for (const { from, length, snap, event: name, bots } of [...questions, EVERYTHING]) {
      const at = around + Math.floor(from / snap) * snap * MINUTE
      const range = { fromMs: at, toMs: at + Math.ceil(length / snap) * snap * MINUTE, timezone }
      const answer = await driver.database.snapshot((trx) =>
        eventSummary.run({ trx, log: driver.log, build: live[0], appId, timezone, range, defined: NO_DEFINITIONS, position: 0, nowMs: 0 }, { bots: bots as Bots, ...(name === undefined ? {} : { event: name }) }),
      )
      assert.deepEqual(answer, { event: name ?? null, ...summary(log, { from: range.fromMs, to: range.toMs, event: name, bots }) })
    }
    for (const userId of ['ann', 'bob']) await checkPerson(driver, live[1], appId, userId, log)
  }
}

async function checkPerson(driver: Driver, build: number, appId: string, userId: string, log: readonly Collected[]): Promise<void> {
  const expected = personal(log, userId)
  const asked = driver.database.snapshot((trx) => userStats.run({ trx, log: driver.log, build, appId, timezone: 'UTC', range: undefined, defined: NO_DEFINITIONS, position: 0, nowMs: 0 }, { userId, bots: 'include' }))
  if (expected === undefined) {
    await assert.rejects(asked, { code: 'not_found' })
    return
  }
  const answer = await asked
  assert.deepEqual(
    { totalEvents: answer.totalEvents, firstSeen: Date.parse(answer.firstSeen), lastSeen: Date.parse(answer.lastSeen), recent: answer.recentEvents.map(({ id }) => id) },
    expected,
  )
}

function suite(engine: Engine, numRuns: number): void {
  describe(`read models over random histories on ${engine}`, function () {
    this.timeout(120_000)
    let driver: Driver
    before(async () => {
      driver = await openDriver(engine)
    })
    after(() => driver.close())

    it('are the same however the log is cut into stretches, and say what a naive count says', async () => {
      await fc.assert(fc.asyncProperty(history, (one) => play(driver, one)), { numRuns })
    })

    it('are exact for days so large that their quarters of an hour are rows of their own', async () => {
      const events = Array.from({ length: 2_400 }, (_, index) => ({
        app: 0, id: index, minutes: (index * 7) % 1_440, millis: index % 3, event: NAMES[index % 2]!, agent: AGENTS[index % 3], device: undefined,
        identity: index % 5 === 0 ? { anonymousId: `a${index % 390}`, ...(index % 20 === 0 ? { userId: `u${index % 70}` } : {}) } : { anonymousId: `a${index % 390}` },
      })) // prettier-ignore
      const questions = [[0, 1_440, 1], [-1, 300, 1], [7, 900, 1], [30, 15, 15], [-3_000, 6_000, 60]].map(([from, length, snap]) => ({ from: from!, length: length!, snap: snap as 1 | 15 | 60, event: undefined, bots: 'include' as const }))
      const named = questions.map((one) => ({ ...one, event: 'Pageview', bots: 'exclude' as const }))
      await play(driver, { places: [PLACES[0]!, PLACES[1]!], events: events as never, questions: [...questions, ...named] }, 50)
    })
  })
}

suite('sqlite', 15)
suite('mysql', 4)
