// Goals, reports and summaries counted from literal histories.
import assert from 'node:assert/strict'
import type { GoalSpec, ReportSpec } from '../../../../src/events/definitions.ts'
import { matchesPage } from '../../../../src/events/pagePattern.ts'
import type { GoalResult, ReportResult } from '../../../../src/queries/stats.ts'
import { GOOGLEBOT, History } from './history.ts'

const url = (path: string): { url: string } => ({ url: `https://example.com${path}` })

async function goal(history: History, spec: Partial<GoalSpec>, question: object = {}): Promise<GoalResult> {
  return (await history.ask({ name: 'goal', goal: { name: 'g', ...spec }, ...question })) as GoalResult
}

async function report(history: History, spec: Partial<ReportSpec>, question: object = {}): Promise<ReportResult> {
  return (await history.ask({ name: 'report', report: { name: 'r', measures: [{ measure: 'count' }], dimensions: [], interval: 'none', ...spec }, ...question })) as ReportResult
}

describe('page patterns', () => {
  it('takes * for any run of characters and all else for itself', () => {
    const holds: [string, string][] = [['/a', '/a'], ['*', ''], ['/a*', '/a'], ['/a*', '/a/b'], ['*/b', '/a/b'], ['/a*c*d', '/abcxcd'], ['/a*a', '/aa'], ['/**x', '/x'], ['/a.b', '/a.b'], ['*b*', '/abc']]
    for (const [pattern, page] of holds) assert.equal(matchesPage(pattern, page), true, `${pattern} ${page}`)
    const fails: [string, string][] = [['/a', '/a/'], ['/a', '/A'], ['/a*a', '/a'], ['/a.b', '/axb'], ['a*', '/a'], ['/a*c*d', '/abd'], ['/ab*bc', '/abc'], ['*b*', '/acd']]
    for (const [pattern, page] of fails) assert.equal(matchesPage(pattern, page), false, `${pattern} ${page}`)
  })
})

describe('goals from the log', () => {
  it('counts conversions, converters and their share of all visitors', async () => {
    const history = new History()
    history.add(0, { anonymousId: 'a' })
    history.add(1, { anonymousId: 'a', event: 'signup' })
    history.add(2, { anonymousId: 'a', event: 'signup' })
    history.add(3, { anonymousId: 'b' })
    history.add(4, { event: 'signup' })
    history.add(5, { anonymousId: 'bot', event: 'signup', userAgent: GOOGLEBOT })
    const { name, ...counts } = await goal(history, { name: 'Sign up', event: 'signup' })
    assert.deepEqual([name, counts], ['Sign up', { conversions: 3, converters: 1, visitors: 2, conversionRate: 0.5, revenue: [] }])
    assert.deepEqual((await goal(history, { event: 'signup' }, { bots: 'only' })).conversions, 1)
    assert.equal((await goal(new History(), { event: 'signup' })).conversionRate, null)
  })

  it('takes a page alone as its pageviews, and with an event as where that happened', async () => {
    const history = new History()
    history.add(0, { anonymousId: 'a', ...url('/thanks/1') })
    history.add(1, { anonymousId: 'a', ...url('/thanks/1'), event: 'click' })
    history.add(2, { anonymousId: 'b', ...url('/other') })
    assert.equal((await goal(history, { page: '/thanks/*' })).conversions, 1)
    assert.equal((await goal(history, { page: '/thanks/*', event: 'click' })).conversions, 1)
    assert.equal((await goal(history, { page: '/thanks' })).conversions, 0)
  })

  it('asks for its conditions besides, and the question for its own of all visitors', async () => {
    const history = new History()
    history.add(0, { anonymousId: 'a', event: 'buy', metadata: { plan: 'pro' } })
    history.add(1, { anonymousId: 'b', event: 'buy', metadata: { plan: 'free' } })
    history.add(2, { anonymousId: 'c', event: 'look' })
    const pro = { event: 'buy', filter: 'metadata.plan = pro' }
    const { conversions, visitors } = await goal(history, pro)
    assert.deepEqual([conversions, visitors], [1, 3])
    const { visitors: buyers } = await goal(history, pro, { filter: { op: 'is', field: 'event', values: ['buy'] } })
    assert.equal(buyers, 2)
  })

  it('sums revenue by currency, from the value or from metadata that is a number, and never across', async () => {
    const history = new History()
    const buy = (value: number | undefined, currency: string | undefined, price?: unknown): number =>
      history.add(0, { anonymousId: 'a', event: 'buy', ...(value === undefined ? {} : { value }), ...(currency === undefined ? {} : { currency }), metadata: { price } })
    buy(0.1, 'USD', 5)
    buy(0.2, 'USD', '7')
    buy(19.99, 'EUR', 1.5)
    buy(3, undefined)
    buy(undefined, 'CHF')
    assert.deepEqual((await goal(history, { event: 'buy', value: 'value' })).revenue, [{ currency: 'EUR', sum: 19.99 }, { currency: 'USD', sum: 0.3 }, { currency: null, sum: 3 }])
    assert.deepEqual((await goal(history, { event: 'buy', value: 'metadata.price' })).revenue, [{ currency: 'EUR', sum: 1.5 }, { currency: 'USD', sum: 5 }])
  })
})

describe('reports from the log', () => {
  it('measures numbers per interval and dimensions, in order', async () => {
    const history = new History()
    const put = (at: number, plan: string | undefined, price: unknown, who = 'a'): number =>
      history.add(at, { anonymousId: who, event: 'buy', metadata: { price, ...(plan === undefined ? {} : { plan }) } })
    put(61, 'pro', 4)
    put(0, 'pro', 1.1)
    put(1, 'free', 2)
    put(2, 'pro', 2.2, 'b')
    put(3, undefined, '9')
    put(4, 'pro', 10)
    history.add(5, { anonymousId: 'a', event: 'look', metadata: { price: 1_000 } })
    const measures = [{ measure: 'count' }, { measure: 'visitors' }, ...(['sum', 'avg', 'min', 'max', 'median'] as const).map((measure) => ({ measure, of: 'metadata.price' }))] as const
    const result = await report(history, { event: 'buy', measures, dimensions: ['metadata.plan', 'event'], interval: 'hour' })
    assert.deepEqual(result.measures, ['count', 'visitors', ...['sum', 'avg', 'min', 'max', 'median'].map((name) => `${name}(metadata.price)`)])
    assert.deepEqual([result.dimensions, result.interval, result.name], [['metadata.plan', 'event'], 'hour', 'r'])
    assert.deepEqual(result.rows, [
      { at: '2026-11-02T00:00:00.000Z', dimensions: ['free', 'buy'], measures: [1, 1, 2, 2, 2, 2, 2] },
      { at: '2026-11-02T00:00:00.000Z', dimensions: ['pro', 'buy'], measures: [3, 2, 13.3, 13.3 / 3, 1.1, 10, 2.2] },
      { at: '2026-11-02T00:00:00.000Z', dimensions: [null, 'buy'], measures: [1, 1, null, null, null, null, null] },
      { at: '2026-11-02T01:00:00.000Z', dimensions: ['pro', 'buy'], measures: [1, 1, 4, 4, 4, 4, 4] },
    ])
  })

  it('has one row of totals without interval and dimensions, also of nothing, and none otherwise', async () => {
    const history = new History()
    const measures = [{ measure: 'count' }, { measure: 'sum', of: 'value' }] as const
    assert.deepEqual((await report(history, { measures })).rows, [{ at: null, dimensions: [], measures: [0, null] }])
    assert.deepEqual((await report(history, { measures, interval: 'day' })).rows, [])
    history.add(0, { value: 0.5 })
    history.add(1, { value: 0.25, url: 'https://example.com/x' })
    assert.deepEqual((await report(history, { measures })).rows, [{ at: null, dimensions: [], measures: [2, 0.75] }])
    assert.deepEqual((await report(history, { measures, filter: 'page is "/x"' })).rows, [{ at: null, dimensions: [], measures: [1, 0.25] }])
    // Nothing to sum is not the same as a sum of nothing.
    history.add(2, { value: -0.75 })
    assert.deepEqual((await report(history, { measures })).rows[0]!.measures, [3, 0])
  })
})

describe('summaries from the log', () => {
  it('counts devices with unknown ones, people, and one event name exactly', async () => {
    const history = new History()
    const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1'
    history.add(0, { anonymousId: 'a', event: 'x', userAgent: iphone })
    history.add(1, { anonymousId: 'a', event: 'x', device: 'Laptop', userAgent: iphone })
    history.add(2, { event: 'x' })
    history.add(3, { anonymousId: 'b', event: 'X' })
    const { event, count, uniqueUsers, deviceData } = (await history.ask({ name: 'event-summary', event: 'x' })) as Record<string, never>
    assert.deepEqual([event, count, uniqueUsers], ['x', 3, 1])
    assert.deepEqual(deviceData, { desktop: 1, mobile: 1, tablet: 0, tv: 0, console: 0, wearable: 0, other: 0, unknown: 1 })
    const all = (await history.ask({ name: 'event-summary' })) as { event: null; count: number }
    assert.deepEqual([all.event, all.count], [null, 4])
  })
})
