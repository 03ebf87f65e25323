// Any history and any question that tables answer: the log has to answer the same (the stage asks it each time).
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DIMENSIONS } from '../../../src/events/dimensionNames.ts'
import type { EventCollected } from '../../../src/events/eventCollected.ts'
import { BOT, openStage, type Site, type Stage } from './webQueries.ts'

const MINUTE_MS = 60_000
const ZONES = [
  { timezone: 'UTC', around: '2026-11-20T00:00:00Z' },
  { timezone: 'Asia/Kathmandu', around: '2026-11-19T18:15:00Z' },
  { timezone: 'Pacific/Apia', around: '2011-12-30T10:00:00Z' },
  { timezone: 'Europe/Berlin', around: '2025-10-26T01:00:00Z' },
  { timezone: 'Australia/Lord_Howe', around: '2026-04-04T15:00:00Z' },
] as const

const optional = <T>(...values: T[]): fc.Arbitrary<T | undefined> => fc.option(fc.constantFrom(...values), { nil: undefined })
const happening = fc.record({
  minutes: fc.oneof(fc.integer({ min: -3_000, max: 3_000 }), fc.integer({ min: -40, max: 40 })),
  event: fc.constantFrom('pageview', 'pageview', 'pageview', 'click', 'engagement', 'asset'),
  path: fc.constantFrom('/', '/a', '/b', '/ä', '/a?utm_source=news&utm_medium=email', '/?gclid=1'),
  referrer: optional('https://www.google.com/', 'https://example.net/page'),
  userAgent: optional(BOT, 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0'),
  who: fc.record({ userId: fc.constantFrom('ann', 'bob'), anonymousId: fc.constantFrom('x', 'y', 'z'), cookieless: fc.constant('c'.repeat(22)), sessionId: fc.constantFrom('s1', 's2') }, { requiredKeys: [] }),
  plan: optional<string | number>('pro', 'free', 7),
})
const bounds = fc.record({ from: fc.integer({ min: -260, max: 200 }), length: fc.integer({ min: 1, max: 260 }), whole: fc.boolean() })
const bots = fc.constantFrom('exclude', 'include', 'only')
const question = fc.oneof(
  fc.record({ name: fc.constant('overview' as const), params: fc.record({ bots }) }),
  fc.record({ name: fc.constant('timeseries' as const), params: fc.record({ bots, interval: fc.constantFrom('hour', 'day', 'week', 'month') }) }),
  fc.record({ name: fc.constant('timeseries' as const), params: fc.record({ bots, interval: fc.constantFrom('day', 'week', 'month'), event: fc.constantFrom('pageview', 'click', 'asset') }) }),
  fc.record({
    name: fc.constant('breakdown' as const),
    params: fc.record({ bots, dimension: fc.constantFrom(...DIMENSIONS, 'metadata.plan'), sort: fc.constantFrom('events', 'visitors', 'visits', 'pageviews'), limit: fc.integer({ min: 1, max: 4 }) }),
  }),
)

describe('any question of web analytics about any history', function () {
  this.timeout(180_000)
  let stage: Stage

  before(async () => {
    stage = await openStage('sqlite', '2026-11-22T12:00:00Z')
  })
  after(() => stage.close())

  it('is answered by tables as by the log', async () => {
    let byTables = 0
    const questions = fc.array(fc.record({ question, bounds }), { minLength: 6, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ZONES), fc.array(happening, { maxLength: 40 }), questions, async ({ timezone, around }, happenings, asked) => {
        const site = await stage.site(timezone, ['plan'])
        const middleMs = Date.parse(around)
        for (const one of happenings) collect(site, middleMs, one)
        for (const { question: { name, params }, bounds: within } of asked) {
          const told = await site[name]({ ...params, ...rangeOf(middleMs, within) })
          if (told.from === 'tables') byTables++
        }
      }),
      { numRuns: 40 },
    )
    assert.ok(byTables > 150, `tables answered ${byTables} only`)
  })
})

function collect(site: Site, middleMs: number, { minutes, event, path, referrer, userAgent, who, plan }: typeof happening extends fc.Arbitrary<infer T> ? T : never): void {
  const data: Partial<EventCollected> = { event, url: `https://example.com${path}`, ...who }
  if (referrer !== undefined) data.referrer = referrer
  if (userAgent !== undefined) data.userAgent = userAgent
  if (plan !== undefined) data.metadata = { plan }
  if (event === 'engagement' || event === 'asset') data.interactive = false
  site.event(new Date(middleMs + minutes * MINUTE_MS).toISOString(), undefined, data)
}

/** In quarters of an hour around the middle, or in local days. */
function rangeOf(middleMs: number, { from, length, whole }: typeof bounds extends fc.Arbitrary<infer T> ? T : never): { from: string; to: string } {
  const at = (quarters: number): string => new Date(middleMs + quarters * 15 * MINUTE_MS).toISOString()
  if (!whole) return { from: at(from), to: at(from + length) }
  const date = (quarters: number): string => at(quarters).slice(0, 10)
  // Two days at least: Apia has a date that is no day.
  return { from: date(from), to: date(from + 2 * 96 + length) }
}
