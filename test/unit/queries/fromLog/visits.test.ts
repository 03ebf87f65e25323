// Visits, bounces, durations and ranges as METRICS has them, counted from literal histories.
import assert from 'node:assert/strict'
import { DAY, History, range } from './history.ts'

describe('visits from the log', () => {
  it('ends a visit after more than 30 minutes of silence, and not after 30', async () => {
    const history = new History()
    for (const at of [0, 30, 60, 90.1]) history.add(at, { anonymousId: 'a' })
    const { visits, pageviews, visitors, visitDurationSeconds, bounceRate, viewsPerVisit } = await history.overview()
    assert.deepEqual({ visits, pageviews, visitors }, { visits: 2, pageviews: 4, visitors: 1 })
    assert.deepEqual({ visitDurationSeconds, bounceRate, viewsPerVisit }, { visitDurationSeconds: 1_800, bounceRate: 0.5, viewsPerVisit: 2 })
  })

  it('orders by time and not by arrival', async () => {
    const history = new History()
    for (const at of [60, 20, 40, 0]) history.add(at, { anonymousId: 'a' })
    const { visits, visitDurationSeconds } = await history.overview()
    assert.deepEqual([visits, visitDurationSeconds], [1, 3_600])
  })

  it('takes an explicit session as one visit, whatever passes, and leaves its visitor another beside it', async () => {
    const history = new History()
    history.add(0, { anonymousId: 'a', sessionId: 's' })
    history.add(300, { anonymousId: 'a', sessionId: 's' })
    history.add(301, { anonymousId: 'a' })
    const { visits, visitors } = await history.overview()
    assert.deepEqual([visits, visitors], [2, 1])
  })

  it('does not let signing in cut a visit, and takes a user alone as a client', async () => {
    const history = new History()
    history.add(0, { anonymousId: 'a' })
    history.add(5, { anonymousId: 'a', userId: 'u' })
    history.add(6, { userId: 'v' })
    history.add(7, { cookieless: 'c'.repeat(22) })
    history.add(8, {})
    const { visits, visitors, events } = await history.overview()
    assert.deepEqual([visits, visitors, events], [3, 3, 5])
  })

  it('counts a bounce where one pageview is all that is interactive', async () => {
    const history = new History()
    const bounces = async (): Promise<(number | null)[]> => {
      const { bounceRate, visits } = await history.overview()
      return [bounceRate, visits]
    }
    history.add(0, { anonymousId: 'a' })
    history.add(1, { anonymousId: 'a', event: 'engagement', interactive: false })
    history.add(1, { anonymousId: 'a', event: 'asset', interactive: false })
    assert.deepEqual(await bounces(), [1, 1])
    history.add(2, { anonymousId: 'a', event: 'click' })
    assert.deepEqual(await bounces(), [0, 1])
    // No pageview at all is no bounce and in no ratio of views.
    history.add(3, { anonymousId: 'b', event: 'click' })
    assert.deepEqual(await bounces(), [0, 2])
    assert.equal((await history.overview()).viewsPerVisit, 1)
  })

  it('extends a visit by engagement, starts none with it, and ignores what is passive', async () => {
    const history = new History()
    history.add(0, { anonymousId: 'a', event: 'engagement' })
    history.add(10, { anonymousId: 'a' })
    history.add(39, { anonymousId: 'a', event: 'engagement' })
    history.add(60, { anonymousId: 'a', event: 'asset', interactive: false })
    history.add(68, { anonymousId: 'a' })
    history.add(200, { anonymousId: 'a', event: 'engagement' })
    const { visits, visitDurationSeconds, events, pageviews, bounceRate } = await history.overview()
    assert.deepEqual({ visits, visitDurationSeconds, events, pageviews, bounceRate }, { visits: 1, visitDurationSeconds: 58 * 60, events: 6, pageviews: 2, bounceRate: 0 })
    assert.deepEqual((await history.overview({ range: range('2026-11-02T00:05:00Z', '2026-11-02T00:15:00Z') })).visits, 1)
    // It starts with the pageview at 10, not with the engagement at 0.
    assert.deepEqual((await history.overview({ range: range('2026-11-02T00:00:00Z', '2026-11-02T00:05:00Z') })).visits, 0)
  })

  it('keeps a gap between carrying events, though what is left out lies within it', async () => {
    const history = new History()
    history.add(0, { anonymousId: 'a' })
    history.add(20, { anonymousId: 'a', event: 'request', interactive: false })
    history.add(40, { anonymousId: 'a' })
    assert.equal((await history.overview()).visits, 2)
  })

  it('counts events in the range, and visits that start in it over their whole length', async () => {
    const history = new History()
    history.add('2026-11-01T23:50:00Z', { anonymousId: 'a' })
    history.add(10, { anonymousId: 'a' })
    history.add('2026-11-02T23:55:00Z', { anonymousId: 'b' })
    history.add('2026-11-03T00:00:00Z', { anonymousId: 'b' })
    history.add('2026-11-03T00:00:00Z', { anonymousId: 'c' })
    const { visits, visitors, pageviews, viewsPerVisit, visitDurationSeconds, bounceRate } = await history.overview()
    assert.deepEqual({ visits, visitors, pageviews }, { visits: 1, visitors: 2, pageviews: 2 })
    assert.deepEqual({ viewsPerVisit, visitDurationSeconds, bounceRate }, { viewsPerVisit: 2, visitDurationSeconds: 300, bounceRate: 0 })
  })

  it('answers null for ratios over nothing', async () => {
    const nothing = { visitors: 0, visits: 0, pageviews: 0, events: 0, bounceRate: null, visitDurationSeconds: null, viewsPerVisit: null }
    assert.deepEqual(await new History().overview(), { ...nothing, visitorsBy: { userId: 0, anonymousId: 0, cookieless: 0 }, botEvents: 0 })
  })

  it('never puts bots and people into one visit, and counts bots apart', async () => {
    const history = new History()
    const bot = { userAgent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' }
    history.add(0, { anonymousId: 'a' })
    history.add(20, { anonymousId: 'a', ...bot })
    history.add(40, { anonymousId: 'a' })
    const answers: number[][] = []
    for (const bots of ['exclude', 'include', 'only'] as const) {
      const { events, visits, visitors, botEvents } = await history.overview({ bots })
      answers.push([events, visits, visitors, botEvents])
    }
    assert.deepEqual(answers, [[2, 2, 1, 1], [3, 3, 1, 1], [1, 1, 1, 1]])
  })

  it('counts a visit under a filter if any of its events passes, wherever in time, and then over its whole length', async () => {
    const history = new History()
    history.add(1_430, { anonymousId: 'a', url: 'https://example.com/a' })
    history.add(1_450, { anonymousId: 'a', url: 'https://example.com/b' })
    history.add(1_000, { anonymousId: 'b', url: 'https://example.com/a' })
    const { events, visitors, visits, visitDurationSeconds, bounceRate } = await history.overview({ filter: { op: 'is', field: 'page', values: ['/b'] } })
    assert.deepEqual([events, visitors, visits, visitDurationSeconds, bounceRate], [0, 0, 1, 1_200, 0])
    assert.equal(DAY.toMs - DAY.fromMs, 1_440 * 60_000)
  })
})
