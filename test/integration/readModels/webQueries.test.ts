import assert from 'node:assert/strict'
import type { OverviewResult, TimeseriesPoint } from '../../../src/queries/stats.ts'
import type { Engine } from './driver.ts'
import { BOT, openStage, type Stage } from './webQueries.ts'

const NOTHING: OverviewResult = {
  ...{ visitors: 0, visits: 0, pageviews: 0, events: 0, bounceRate: null, visitDurationSeconds: null, viewsPerVisit: null },
  visitorsBy: { userId: 0, anonymousId: 0, cookieless: 0 },
  botEvents: 0,
}

type Numbers = readonly [visitors: number, visits: number, pageviews: number, events: number]
const numbers = ({ visitors, visits, pageviews, events }: Pick<OverviewResult, 'visitors' | 'visits' | 'pageviews' | 'events'>): Numbers => [visitors, visits, pageviews, events]
const points = (all: readonly TimeseriesPoint[]): [string, ...Numbers][] => all.map((point) => [point.at, ...numbers(point)])
const cookieless = (letter: string): { cookieless: string } => ({ cookieless: letter.repeat(22) })

for (const engine of ['sqlite', 'mysql'] as const satisfies readonly Engine[]) {
  describe(`questions of web analytics, from tables and log alike, on ${engine}`, function () {
    this.timeout(60_000)
    let stage: Stage

    before(async () => {
      stage = await openStage(engine, '2026-11-22T12:00:00Z')
    })
    after(() => stage.close())

    it('answer nothing for an app where nothing happened, over all times too', async () => {
      const site = await stage.site()
      const { range, from, ...rest } = await site.overview({ period: 'all' })
      assert.deepEqual([range.from, range.to, from], ['2026-11-22T00:00:00.000Z', '2026-11-23T00:00:00.000Z', 'tables'])
      assert.deepEqual({ ...rest, asOf: undefined }, { ...NOTHING, asOf: undefined })
      assert.deepEqual(points((await site.timeseries({ interval: 'day', period: 'today' })).points), [['2026-11-22T00:00:00.000Z', 0, 0, 0, 0]])
      const { rows, total, without, values, nextCursor } = await site.breakdown({ dimension: 'page' })
      assert.deepEqual([rows, total, without, values, nextCursor], [[], 0, 0, 0, null])
    })

    it('count a bounce, a visit of two pages, and one whose single page was followed by a click', async () => {
      const site = await stage.site()
      site.view('2026-11-20T10:00:00Z', 'ann', '/')
      site.view('2026-11-20T11:00:00Z', 'bob', '/')
      site.view('2026-11-20T11:03:00Z', 'bob', '/pricing')
      site.view('2026-11-20T12:00:00Z', 'cid', '/')
      site.event('2026-11-20T12:00:30Z', 'cid')
      const told = await site.overview()
      assert.deepEqual(numbers(told), [3, 3, 4, 5])
      assert.deepEqual([told.bounceRate, told.visitDurationSeconds, told.viewsPerVisit], [1 / 3, 70, 4 / 3])
    })

    it('leave engagement out of bounces and of the start of visits, and let it lengthen them', async () => {
      const site = await stage.site()
      site.event('2026-11-20T09:59:00Z', 'ann', { event: 'engagement', interactive: false })
      site.view('2026-11-20T10:00:00Z', 'ann', '/')
      site.event('2026-11-20T10:01:00Z', 'ann', { event: 'engagement', interactive: false })
      site.event('2026-11-20T10:20:00Z', 'ann', { event: 'asset', interactive: false })
      const told = await site.overview()
      assert.deepEqual([...numbers(told), told.bounceRate, told.visitDurationSeconds], [1, 1, 1, 4, 1, 60])
    })

    it('cut visits after thirty minutes of silence, not at midnight and not at a campaign', async () => {
      const site = await stage.site()
      site.view('2026-11-19T23:50:00Z', 'ann', '/')
      site.view('2026-11-20T00:20:00Z', 'ann', '/?utm_source=news')
      site.view('2026-11-20T00:50:00.001Z', 'ann', '/')
      const day = (date: string, next: string): Promise<OverviewResult> => site.overview({ from: date, to: next })
      assert.deepEqual(numbers(await day('2026-11-19', '2026-11-20')), [1, 1, 1, 1])
      assert.deepEqual(numbers(await day('2026-11-20', '2026-11-21')), [1, 1, 2, 2])
      assert.equal((await day('2026-11-19', '2026-11-20')).visitDurationSeconds, 1_800)
      assert.deepEqual(numbers(await site.overview()), [1, 2, 3, 3])
    })

    it('tell apart what visitors are known by, after links', async () => {
      const site = await stage.site()
      site.view('2026-11-10T10:00:00Z', 'browser', '/')
      site.view('2026-11-12T10:00:00Z', 'browser', '/', { userId: 'ann' })
      site.view('2026-11-12T11:00:00Z', undefined, '/', { userId: 'ann' })
      site.view('2026-11-12T12:00:00Z', 'stranger', '/')
      site.view('2026-11-12T13:00:00Z', undefined, '/', cookieless('c'))
      site.view('2026-11-13T13:00:00Z', undefined, '/', cookieless('d'))
      site.view('2026-11-13T14:00:00Z', undefined, '/')
      const told = await site.overview()
      assert.deepEqual([told.visitors, told.visitorsBy], [4, { userId: 1, anonymousId: 1, cookieless: 2 }])
      const alone = await site.overview({ from: '2026-11-10', to: '2026-11-11' })
      assert.deepEqual([alone.visitors, alone.visitorsBy.userId], [1, 1])
      // Who comes on two days is a visitor of each, and of the week once.
      const days = await site.timeseries({ interval: 'day', from: '2026-11-10', to: '2026-11-14' })
      assert.deepEqual(days.points.map(({ visitors }) => visitors), [1, 0, 3, 1])
      assert.deepEqual((await site.timeseries({ interval: 'week', from: '2026-11-09', to: '2026-11-16' })).points.map(({ visitors }) => visitors), [4])
    })

    it('leave bots out, count them alone or with all others, and always say how many events they made', async () => {
      const site = await stage.site()
      site.view('2026-11-20T10:00:00Z', 'ann', '/')
      site.view('2026-11-20T10:00:00Z', 'crawler', '/robots', { userAgent: BOT })
      site.view('2026-11-20T10:10:00Z', 'crawler', '/', { userAgent: BOT })
      const bots = async (bots?: string): Promise<unknown[]> => {
        const told = await site.overview(bots === undefined ? {} : { bots })
        return [...numbers(told), told.botEvents]
      }
      assert.deepEqual([await bots(), await bots('include'), await bots('only')], [[1, 1, 1, 1, 2], [2, 2, 3, 3, 2], [1, 1, 2, 2, 2]])
      const pages = async (bots: string): Promise<string[]> => (await site.breakdown({ dimension: 'page', bots })).rows.map(({ value, events }) => `${value} ${events}`)
      assert.deepEqual([await pages('exclude'), await pages('only'), await pages('include')], [['/ 1'], ['/ 1', '/robots 1'], ['/ 2', '/robots 1']])
      assert.equal((await site.timeseries({ interval: 'day', period: 'month', bots: 'only' })).points[19]!.events, 2)
    })

    it('count parts of days by quarters of an hour, and leave finer bounds to the log', async () => {
      const site = await stage.site()
      for (const time of ['09:59:59.999', '10:00:00.000', '10:14:59.999', '10:15:00.000']) site.view(`2026-11-20T${time}Z`, `at ${time}`, '/')
      const within = async (from: string, to: string): Promise<unknown[]> => {
        const told = await site.overview({ from: `2026-11-20T${from}Z`, to: `2026-11-20T${to}Z` })
        return [told.from, ...numbers(told)]
      }
      assert.deepEqual(await within('10:00', '10:15'), ['tables', 2, 2, 2, 2])
      assert.deepEqual(await within('10:00:00.001', '10:15'), ['log', 1, 1, 1, 1])
      const over = await site.overview({ from: '2026-11-19T10:15:00Z', to: '2026-11-20T10:15:00Z' })
      assert.deepEqual([over.from, over.events], ['tables', 3])
    })

    it('cut hours as local clocks show them: 25 of them where clocks go back, 45 minutes past in Kathmandu', async () => {
      const berlin = await stage.site('Europe/Berlin')
      berlin.view('2025-10-26T00:30:00Z', 'ann', '/')
      berlin.view('2025-10-26T01:15:00Z', 'ann', '/')
      const autumn = await berlin.timeseries({ interval: 'hour', from: '2025-10-26', to: '2025-10-27' })
      assert.deepEqual([autumn.from, autumn.points.length], ['tables', 25])
      assert.deepEqual(points(autumn.points.slice(2, 4)), [['2025-10-26T00:00:00.000Z', 1, 1, 1, 1], ['2025-10-26T01:00:00.000Z', 1, 1, 1, 1]])
      assert.equal((await berlin.timeseries({ interval: 'hour', from: '2025-03-30', to: '2025-03-31' })).points.length, 23)
      const kathmandu = await stage.site('Asia/Kathmandu')
      kathmandu.view('2026-11-20T18:14:59Z', 'ann', '/')
      kathmandu.view('2026-11-20T18:15:00Z', 'ann', '/')
      const hours = await kathmandu.timeseries({ interval: 'hour', from: '2026-11-20T23:00', to: '2026-11-21T01:00' })
      assert.deepEqual([hours.from, ...points(hours.points)], ['tables', ['2026-11-20T17:15:00.000Z', 1, 1, 1, 1], ['2026-11-20T18:15:00.000Z', 1, 0, 1, 1]])
    })

    it('leave hours to the log in a zone whose clocks no quarter of an hour fits', async () => {
      const site = await stage.site('Africa/Monrovia')
      site.view('1971-06-01T01:00:00Z', 'ann', '/')
      const told = await site.timeseries({ interval: 'hour', from: '1971-06-01', to: '1971-06-02' })
      assert.deepEqual([told.from, told.points.filter(({ events }) => events > 0).map(({ at }) => at)], ['log', ['1971-06-01T00:44:30.000Z']])
      const days = await site.timeseries({ interval: 'day', from: '1971-05-31', to: '1971-06-02' })
      assert.deepEqual([days.from, days.points.map(({ events }) => events)], ['tables', [0, 1]])
      // The day begins in the midst of a quarter of an hour, of which each of the two days has its part.
      for (const second of [29, 30]) site.event(`1971-06-01T00:44:${second}Z`, 'ann')
      const [before, after] = [await site.overview({ from: '1971-05-31', to: '1971-06-01' }), await site.overview({ from: '1971-06-01', to: '1971-06-01T02:00:00Z' })]
      assert.deepEqual([before.from, before.events, after.from, after.events], ['tables', 1, 'tables', 2])
    })

    it('pass over a date that Apia skipped, and begin weeks on Monday and months on the first', async () => {
      const site = await stage.site('Pacific/Apia')
      site.view('2011-12-30T09:59:59Z', 'ann', '/')
      site.view('2011-12-30T10:00:00Z', 'ann', '/')
      const days = await site.timeseries({ interval: 'day', from: '2011-12-29', to: '2012-01-01' })
      assert.deepEqual(points(days.points), [['2011-12-29T10:00:00.000Z', 1, 1, 1, 1], ['2011-12-30T10:00:00.000Z', 1, 0, 1, 1]])
      const weeks = await site.timeseries({ interval: 'week', from: '2011-12-29', to: '2012-01-03' })
      assert.deepEqual(points(weeks.points), [['2011-12-26T10:00:00.000Z', 1, 1, 2, 2], ['2012-01-01T10:00:00.000Z', 0, 0, 0, 0]])
      const months = await site.timeseries({ interval: 'month', from: '2011-12-31', to: '2012-01-02' })
      assert.deepEqual(points(months.points), [['2011-12-01T10:00:00.000Z', 1, 0, 1, 1], ['2011-12-31T10:00:00.000Z', 0, 0, 0, 0]])
    })

    it('go down to the minute from the log', async () => {
      const site = await stage.site()
      site.view('2026-11-20T10:00:59Z', 'ann', '/')
      site.view('2026-11-20T10:02:00Z', 'ann', '/')
      const told = await site.timeseries({ interval: 'minute', from: '2026-11-20T10:00:00Z', to: '2026-11-20T10:03:00Z' })
      assert.deepEqual([told.from, told.points.map(({ events }) => events), told.points.map(({ visits }) => visits)], ['log', [1, 0, 1], [1, 0, 0]])
    })

    it('follow one event by name: from tables by day, from the log by the hour', async () => {
      const site = await stage.site()
      site.view('2026-11-19T10:00:00Z', 'ann', '/')
      site.event('2026-11-19T10:05:00Z', 'ann', { event: 'signup' })
      site.event('2026-11-20T10:05:00Z', 'bob', { event: 'signup' })
      site.event('2026-11-20T10:06:00Z', 'bob', { event: 'signup', userAgent: BOT })
      const days = await site.timeseries({ interval: 'day', event: 'signup', from: '2026-11-18', to: '2026-11-21' })
      assert.deepEqual([days.from, ...days.points.map(numbers)], ['tables', [0, 0, 0, 0], [1, 1, 0, 1], [1, 1, 0, 1]])
      const week = await site.timeseries({ interval: 'week', event: 'pageview', from: '2026-11-16', to: '2026-11-23' })
      assert.deepEqual(points(week.points), [['2026-11-16T00:00:00.000Z', 1, 1, 1, 1]])
      const hours = await site.timeseries({ interval: 'hour', event: 'signup', from: '2026-11-19T10:00', to: '2026-11-19T11:00' })
      assert.deepEqual([hours.from, ...hours.points.map(numbers)], ['log', [1, 1, 0, 1]])
      assert.deepEqual((await site.timeseries({ interval: 'month', event: 'never', from: '2026-11-01', to: '2026-12-01' })).points.map(numbers), [[0, 0, 0, 0]])
    })
  })
}
