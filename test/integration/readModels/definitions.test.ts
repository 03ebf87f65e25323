// Goals and reports over random histories with corrections and retractions: the rows do not depend on how the log was cut, and
// say what the log says and what a naive count says. And the real edits of Wikipedia as a report.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import type { Definitions, GoalSpec, ReportSpec } from '../../../src/events/definitions.ts'
import type { EventCollected } from '../../../src/events/eventCollected.ts'
import { localDays } from '../../../src/kernel/calendar.ts'
import { uuidv5, uuidv7 } from '../../../src/kernel/ids.ts'
import { LIMITS } from '../../../src/limits.ts'
import { definitions as model } from '../../../src/projections/definitions/definitions.ts'
import { countDefined } from '../../../src/projections/definitions/read.ts'
import type { Projection } from '../../../src/projections/projection.ts'
import { answerFromLog } from '../../../src/queries/fromLog/logAnswer.ts'
import { goal } from '../../../src/queries/goals.ts'
import type { Range, Snapshot } from '../../../src/queries/query.ts'
import { report } from '../../../src/queries/reports.ts'
import type { Bots, GoalResult, ReportResult, StatsQuestion } from '../../../src/queries/stats.ts'
import { type Change, change, History, MINUTE, type Place } from './changes.ts'
import { type Collected, type Driver, type Engine, openDriver } from './driver.ts'
import { AGENTS, summary } from './reference.ts'

const PROJECTION = model as unknown as Projection
const GOALS: readonly GoalSpec[] = [
  { name: 'Click', event: 'click', value: 'value' },
  { name: 'Some', event: 'pageview', filter: 'metadata.kind in (a, b) and value > 0', value: 'metadata.n' },
]
const OF_VALUE = (['sum', 'avg', 'min', 'max', 'median'] as const).map((measure) => ({ measure, of: 'value' }))
const REPORTS: readonly ReportSpec[] = [
  { name: 'Kinds', measures: [{ measure: 'count' }, { measure: 'visitors' }, ...OF_VALUE], dimensions: ['device', 'metadata.kind'], interval: 'day' },
  { name: 'Hours', event: 'click', measures: [{ measure: 'count' }, { measure: 'sum', of: 'metadata.n' }], dimensions: [], interval: 'hour' },
  { name: 'Weeks', filter: 'metadata.kind is not "a"', measures: [{ measure: 'visitors' }], dimensions: ['event'], interval: 'week' },
  { name: 'Totals', measures: [{ measure: 'count' }, { measure: 'median', of: 'value' }], dimensions: [], interval: 'none' },
]
const idOf = (name: string): string => uuidv5('5f0c2a52-0d7e-5b1c-9c7e-2f6a3b1d4e5f', name)
const define = <Spec extends { name: string }, Kind extends string>(kind: Kind, spec: Spec) => ({ definitionId: idOf(spec.name), kind, revision: 1, spec })
const DEFINED: Definitions = { dimensions: [], goals: GOALS.map((spec) => define('goal' as const, spec)), reports: REPORTS.map((spec) => define('report' as const, spec)) }

const PLACES = [
  { timezone: 'UTC', around: Date.UTC(2024, 1, 29) },
  { timezone: 'Asia/Kathmandu', around: Date.UTC(2024, 0, 1) },
  { timezone: 'Pacific/Apia', around: Date.UTC(2011, 11, 30, 10) },
  { timezone: 'America/New_York', around: Date.UTC(2024, 10, 3, 6) },
]
const story = fc.record({
  places: fc.tuple(fc.constantFrom(...PLACES), fc.constantFrom(...PLACES)),
  changes: fc.array(change, { minLength: 15, maxLength: 40 }),
  bots: fc.constantFrom<Bots>('include', 'exclude', 'only'),
})
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never

/** Numbers that binary fractions cannot hold, of both signs and equal ones among them. */
function more({ id, said }: Change): Partial<EventCollected> {
  const kind = ['a', 'b', 'c', undefined][id % 4]
  return { value: said.minutes / 10, ...(id % 3 === 0 ? {} : { currency: id % 3 === 1 ? 'EUR' : 'USD' }), metadata: { n: id / 10, ...(kind === undefined ? {} : { kind }) } }
}

async function definedIn(driver: Driver, appId: string): Promise<void> {
  const said = [...DEFINED.goals, ...DEFINED.reports].map(({ kind, ...data }) => ({
    ...{ eventId: uuidv7(), appId, type: kind === 'goal' ? 'GoalDefined' : 'ReportDefined', schemaVersion: 1, occurredAt: 0, meta: null },
    ...{ data: JSON.stringify(data), stream: `definitions:${appId}` },
  }))
  await driver.append(said)
}

async function play(driver: Driver, { places, changes, bots }: Story): Promise<void> {
  const apps: Place[] = places.map((place) => ({ ...place, appId: uuidv7() }))
  for (const { appId, timezone } of apps) {
    await driver.register(appId, timezone)
    await definedIn(driver, appId)
  }
  const written = new History(driver, apps, more)
  const live = await driver.build(PROJECTION)
  const part = Math.ceil(changes.length / 4)
  for (let at = 0; at < changes.length; at += part) {
    await written.write(changes.slice(at, at + part))
    await driver.fold(PROJECTION, live, 5, 2)
  }
  const expected = await driver.rows(PROJECTION, live)
  for (const [stretchEvents, forgetEvery] of [[2, 3], [1_000, Infinity]] as const) {
    const other = await driver.build(PROJECTION, true)
    await driver.fold(PROJECTION, other, stretchEvents, forgetEvery)
    assert.deepEqual(await driver.rows(PROJECTION, other), expected, `in stretches of ${stretchEvents}`)
  }
  for (const app of apps) {
    const zone = localDays(app.timezone)
    const counting = written.counting(app.appId)
    for (const [fromMs, toMs] of [[zone.at(app.around - 3_200 * MINUTE).fromMs, zone.at(app.around + 3_200 * MINUTE).toMs], [zone.at(app.around).fromMs, zone.at(app.around).toMs]] as const) {
      await checkAnswers(driver, live, app, { fromMs, toMs }, bots, counting)
    }
  }
}

async function checkAnswers(driver: Driver, build: number, { appId, timezone }: Place, { fromMs, toMs }: { fromMs: number; toMs: number }, bots: Bots, counting: readonly Collected[]): Promise<void> {
  const range = { fromMs, toMs, timezone }
  const { position: upTo } = await driver.log.head(driver.log.partitionOf(appId))
  const told = <Result>(query: typeof goal | typeof report, { definitionId, revision }: { definitionId: string; revision: number }): Promise<Result> =>
    driver.database.snapshot(async (trx) => {
      const snapshot: Snapshot = { trx, log: driver.log, build, appId, timezone, range, defined: DEFINED, position: upTo, nowMs: 0 }
      const params = { definitionId, revision, bots }
      assert.ok(await query.stats!.fromTables!(params, snapshot), 'tables tell')
      return (await query.run(snapshot, params)) as Result
    })
  const logged = async (question: StatsQuestion): Promise<object> => (await answerFromLog(driver.log, question, { upTo })).result
  for (const defined of DEFINED.goals) assert.deepEqual(await told<GoalResult>(goal, defined), await logged({ name: 'goal', appId, range, bots, goal: defined.spec }))
  for (const defined of DEFINED.reports) assert.deepEqual(await told<ReportResult>(report, defined), await logged({ name: 'report', appId, range, bots, report: defined.spec }))

  const clicks = await told<GoalResult>(goal, DEFINED.goals[0]!)
  const counted = summary(counting, { from: fromMs, to: toMs, event: 'click', bots })
  const all = summary(counting, { from: fromMs, to: toMs, bots })
  assert.deepEqual([clicks.conversions, clicks.converters, clicks.visitors], [counted.count, counted.uniqueUsers, all.uniqueUsers])
  const totals = (await told<ReportResult>(report, DEFINED.reports[3]!)).rows[0]!.measures
  assert.deepEqual(totals, [all.count, naiveMedian(counting.filter((event) => isAsked(event, fromMs, toMs, bots)).map(({ data }) => data.value!))])
}

function isAsked({ at, data }: Collected, fromMs: number, toMs: number, bots: Bots): boolean {
  const isBot = AGENTS.find(({ text }) => text === data.userAgent)?.bot === true
  return at >= fromMs && at < toMs && (bots === 'include' || isBot === (bots === 'only'))
}

function naiveMedian(numbers: readonly number[]): number | null {
  const tenths = numbers.map((number) => Math.round(number * 10)).sort((left, right) => left - right)
  if (tenths.length === 0) return null
  const [low, high] = [tenths[Math.floor((tenths.length - 1) / 2)]!, tenths[Math.floor(tenths.length / 2)]!]
  return (low + high) / 20
}

interface Edit { readonly time: string; readonly page: string; readonly channel: string; readonly user: string; readonly added: number; readonly deleted: number }

function suite(engine: Engine, numRuns: number): void {
  describe(`goals and reports on ${engine}`, function () {
    this.timeout(120_000)
    let driver: Driver
    before(async () => {
      driver = await openDriver(engine)
    })
    after(() => driver.close())

    it('have the rows that a rebuild makes, in any cut, and the numbers of the log and of a naive count', async () => {
      await fc.assert(fc.asyncProperty(story, (one) => play(driver, one)), { numRuns, endOnFailure: process.env['NOSHRINK'] !== undefined })
    })

    it('unlink whom a retracted event alone linked', async () => {
      const one = (kind: Change['kind'], id: number, identity: Change['said']['identity']): Change =>
        ({ kind, app: 0, id, said: { minutes: 0, event: 'click', agent: undefined, device: undefined, ip: undefined, identity } })
      const linking = { userId: 'ann', anonymousId: 'x' } as const
      // In four parts: each is folded before the next is written.
      const changes = [one('collect', 0, linking), one('collect', 1, { anonymousId: 'x' }), one('collect', 2, { userId: 'ann' }), one('retract', 0, linking)]
      await play(driver, { places: [PLACES[0]!, PLACES[0]!], changes, bots: 'include' })
    })

    it('count real edits by page, with what was added and deleted', async () => {
      const lines = readFileSync(new URL('../../fixtures/realData/wikiticker_excerpt.jsonl', import.meta.url), 'utf8').trimEnd().split('\n')
      const edits = lines.map((line) => JSON.parse(line) as Edit)
      const appId = uuidv7()
      await driver.register(appId, 'UTC')
      const spec: ReportSpec = { name: 'Pages', event: 'edit', measures: [{ measure: 'count' }, { measure: 'sum', of: 'metadata.added' }, { measure: 'sum', of: 'metadata.deleted' }], dimensions: ['metadata.page'], interval: 'none' }
      const defined = define('report' as const, spec)
      await driver.append([{ eventId: uuidv7(), appId, type: 'ReportDefined', schemaVersion: 1, occurredAt: 0, meta: null, data: JSON.stringify({ definitionId: defined.definitionId, revision: 1, spec }), stream: `definitions:${appId}` }])
      await driver.collect(edits.map(({ time, page, channel, user, added, deleted }) => ({ id: uuidv7(), appId, at: Date.parse(time), data: { event: 'edit', userId: user, metadata: { page, channel, added, deleted } } })))
      const build = await driver.build(PROJECTION, true)
      await driver.fold(PROJECTION, build)
      const range = { fromMs: Date.UTC(2015, 8, 12), toMs: Date.UTC(2015, 8, 13), timezone: 'UTC' }
      const { rows } = await driver.database.snapshot((trx) =>
        report.run({ trx, log: driver.log, build, appId, timezone: 'UTC', range, defined: { dimensions: [], goals: [], reports: [defined] }, position: 0, nowMs: 0 }, { definitionId: defined.definitionId, revision: 1, bots: 'exclude' }),
      )
      const naive = new Map<string, number[]>()
      for (const { page, added, deleted } of edits) {
        const [count = 0, sumAdded = 0, sumDeleted = 0] = naive.get(page) ?? []
        naive.set(page, [count + 1, sumAdded + added, sumDeleted + deleted])
      }
      assert.deepEqual(new Map(rows.map(({ dimensions: [page], measures }) => [page, measures])), naive)
      assert.deepEqual(Math.max(...rows.map(({ measures: [count] }) => count!)), Math.max(...[...naive.values()].map(([count]) => count!)))
    })

    it('answer as many rows as one answer holds, and beyond say how to ask for fewer, as the log does', async () => {
      const appId = uuidv7()
      await driver.register(appId, 'UTC')
      const spec: ReportSpec = { name: 'Wide', measures: [{ measure: 'count' }], dimensions: ['metadata.n'], interval: 'none' }
      const defined = define('report' as const, spec)
      await driver.append([{ eventId: uuidv7(), appId, type: 'ReportDefined', schemaVersion: 1, occurredAt: 0, meta: null, data: JSON.stringify({ definitionId: defined.definitionId, revision: 1, spec }), stream: `definitions:${appId}` }])
      // One row more over both days than over the first alone.
      const at = (n: number): number => Date.UTC(2026, 0, n < LIMITS.reportRows ? 1 : 2)
      await driver.collect(Array.from({ length: LIMITS.reportRows + 1 }, (_, n) => ({ id: uuidv7(), appId, at: at(n), data: { event: 'e', metadata: { n } } })))
      const build = await driver.build(PROJECTION, true)
      await driver.fold(PROJECTION, build)
      const { position: upTo } = await driver.log.head(driver.log.partitionOf(appId))
      const params = { definitionId: defined.definitionId, revision: 1, bots: 'exclude' } as const
      const days = (count: number): Range => ({ fromMs: Date.UTC(2026, 0, 1), toMs: Date.UTC(2026, 0, 1 + count), timezone: 'UTC' })
      const tables = (range: Range): Promise<ReportResult> =>
        driver.database.snapshot((trx) => report.run({ trx, log: driver.log, build, appId, timezone: 'UTC', range, defined: { dimensions: [], goals: [], reports: [defined] }, position: upTo, nowMs: 0 }, params))
      const log = async (range: Range): Promise<object> => (await answerFromLog(driver.log, { name: 'report', appId, range, bots: 'exclude', report: spec }, { upTo })).result
      assert.equal((await tables(days(1))).rows.length, LIMITS.reportRows)
      assert.deepEqual(await tables(days(1)), await log(days(1)))
      for (const ask of [tables, log]) await assert.rejects(ask(days(2)), { code: 'too_many_rows', message: /more than 10,000 rows .* shorter range/ })
      const cells = (bound: number): Promise<number> => driver.database.snapshot((trx) => countDefined({ trx, build, appId }, params, days(2), bound))
      assert.deepEqual([await cells(7), await cells(100_000)], [7, LIMITS.reportRows + 1])
    })
  })
}

suite('sqlite', 15)
suite('mysql', 6)
