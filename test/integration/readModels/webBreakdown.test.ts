import assert from 'node:assert/strict'
import { DIMENSIONS } from '../../../src/events/dimensionNames.ts'
import type { BreakdownResult } from '../../../src/queries/stats.ts'
import type { Engine } from './driver.ts'
import { openStage, type Site, type Stage } from './webQueries.ts'

type Row = [value: string, events: number, visitors: number, visits: number, pageviews: number]
const rows = (told: BreakdownResult): Row[] => told.rows.map(({ value, events, visitors, visits, pageviews }) => [value, events, visitors, visits, pageviews])
const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0'

for (const engine of ['sqlite', 'mysql'] as const satisfies readonly Engine[]) {
  describe(`breakdowns, from tables and log alike, on ${engine}`, function () {
    this.timeout(60_000)
    let stage: Stage
    let site: Site

    before(async () => {
      stage = await openStage(engine, '2026-11-22T12:00:00Z')
    })
    after(() => stage.close())
    beforeEach(async () => {
      site = await stage.site()
    })

    it('count pages with their visitors once, and visits that hold them; what has no page is without', async () => {
      site.view('2026-11-20T10:00:00Z', 'ann', '/')
      site.view('2026-11-20T10:01:00Z', 'ann', '/pricing')
      site.view('2026-11-20T10:02:00Z', 'ann', '/')
      site.event('2026-11-20T10:03:00Z', 'ann')
      site.view('2026-11-21T10:00:00Z', 'ann', '/')
      site.view('2026-11-21T11:00:00Z', 'bob', '/Pricing')
      const told = await site.breakdown({ dimension: 'page' })
      assert.deepEqual(rows(told), [['/', 3, 1, 2, 3], ['/Pricing', 1, 1, 1, 1], ['/pricing', 1, 1, 1, 1]])
      assert.deepEqual([told.from, told.total, told.without, told.values, told.nextCursor], ['tables', 6, 1, 3, null])
    })

    it('give entry and exit pages, source and campaign to all events of the visit', async () => {
      site.view('2026-11-20T10:00:00Z', 'ann', '/landing?utm_source=Letter&utm_campaign=nov', { referrer: 'https://www.google.com/' })
      site.event('2026-11-20T10:01:00Z', 'ann')
      site.view('2026-11-20T10:02:00Z', 'ann', '/pricing')
      site.view('2026-11-20T11:00:00Z', 'bob', '/')
      assert.deepEqual(rows(await site.breakdown({ dimension: 'entryPage' })), [['/landing', 3, 1, 1, 2], ['/', 1, 1, 1, 1]])
      assert.deepEqual(rows(await site.breakdown({ dimension: 'exitPage' })), [['/pricing', 3, 1, 1, 2], ['/', 1, 1, 1, 1]])
      const campaigns = await site.breakdown({ dimension: 'utmCampaign' })
      assert.deepEqual([rows(campaigns), campaigns.without], [[['nov', 3, 1, 1, 2]], 1])
    })

    it('show a value whose visit begins in the range and whose event does not, and the other way round', async () => {
      site.view('2026-11-19T23:50:00Z', 'ann', '/evening')
      site.view('2026-11-20T00:10:00Z', 'ann', '/morning')
      const on = (from: string, to: string): Promise<BreakdownResult> => site.breakdown({ dimension: 'page', from, to })
      assert.deepEqual(rows(await on('2026-11-19', '2026-11-20')), [['/evening', 1, 1, 1, 1], ['/morning', 0, 0, 1, 0]])
      assert.deepEqual(rows(await on('2026-11-20', '2026-11-21')), [['/morning', 1, 1, 0, 1]])
    })

    it('rank by each measure, ties by the bytes of the values', async () => {
      for (const who of ['ann', 'bob', 'cid']) site.view('2026-11-20T10:00:00Z', who, '/many-people')
      for (const minute of ['10', '11', '12', '13']) site.view(`2026-11-20T${minute}:00:00Z`, 'dan', '/many-visits')
      for (let each = 0; each < 5; each++) site.event('2026-11-20T20:00:00Z', 'eve', { event: 'click', url: 'https://example.com/many-clicks' })
      site.view('2026-11-20T10:00:00Z', 'fay', '/tie-b')
      site.view('2026-11-20T10:00:00Z', 'fay', '/tie-a')
      const order = async (sort?: string): Promise<string[]> => (await site.breakdown({ dimension: 'page', ...(sort === undefined ? {} : { sort }) })).rows.map(({ value }) => value.slice(1))
      assert.deepEqual(await order(), ['many-clicks', 'many-visits', 'many-people', 'tie-a', 'tie-b'])
      assert.deepEqual(await order('visitors'), ['many-people', 'many-clicks', 'many-visits', 'tie-a', 'tie-b'])
      assert.deepEqual(await order('visits'), ['many-visits', 'many-people', 'many-clicks', 'tie-a', 'tie-b'])
      assert.deepEqual(await order('pageviews'), ['many-visits', 'many-people', 'tie-a', 'tie-b', 'many-clicks'])
    })

    it('go on page by page through ties, showing every value once', async () => {
      for (let each = 0; each < 130; each++) site.view('2026-11-20T10:00:00Z', `person ${each}`, `/page/${each % 65}`)
      site.view('2026-11-20T10:00:00Z', 'one more', '/page/7')
      const found: string[] = []
      let cursor: string | null = null
      do {
        const told: BreakdownResult = await site.breakdown({ dimension: 'page', limit: 20, ...(cursor === null ? {} : { cursor }) })
        assert.equal(told.values, 65)
        found.push(...told.rows.map(({ value }) => value))
        cursor = told.nextCursor
      } while (cursor !== null)
      assert.equal(found[0], '/page/7')
      assert.deepEqual([...found].sort(), Array.from({ length: 65 }, (_, each) => `/page/${each}`).sort())
      const { rows: beyond, nextCursor } = await site.breakdown({ dimension: 'page', cursor: '65' })
      assert.deepEqual([beyond, nextCursor], [[], null])
    })

    it('answer for every dimension there is', async () => {
      const all = '?utm_source=s&utm_medium=m&utm_campaign=c&utm_term=t&utm_content=o'
      site.view('2026-11-20T10:00:00Z', 'ann', `/${all}`, { title: 'Home', referrer: 'https://news.example.org/story', language: 'de-AT', screen: '1920x1080', userAgent: FIREFOX })
      for (const dimension of DIMENSIONS) {
        const told = await site.breakdown({ dimension })
        assert.deepEqual([told.from, told.total, told.rows.length + told.without], ['tables', 1, 1], dimension)
        if (dimension !== 'country') assert.equal(told.rows.length, 1, dimension)
      }
      assert.deepEqual(rows(await site.breakdown({ dimension: 'browser' })), [['Firefox', 1, 1, 1, 1]])
    })

    it('leave bounds in the midst of a day, and metadata that nobody declared, to the log', async () => {
      site.view('2026-11-20T10:00:00Z', 'ann', '/', { metadata: { plan: 'pro', 'odd key': 3 } })
      site.view('2026-11-20T11:00:00Z', 'bob', '/', { metadata: { plan: 'free' } })
      const part = await site.breakdown({ dimension: 'page', from: '2026-11-20T10:30:00Z', to: '2026-11-21' })
      assert.deepEqual([part.from, rows(part)], ['log', [['/', 1, 1, 1, 1]]])
      const plans = await site.breakdown({ dimension: 'metadata.plan' })
      assert.deepEqual([plans.from, rows(plans)], ['log', [['free', 1, 1, 1, 1], ['pro', 1, 1, 1, 1]]])
      assert.deepEqual(rows(await site.breakdown({ dimension: 'metadata.odd key' })), [['3', 1, 1, 1, 1]])
    })

    it('answer for declared metadata from tables, each key apart', async () => {
      const declaring = await stage.site('UTC', ['plan', 'size'])
      declaring.view('2026-11-20T10:00:00Z', 'ann', '/', { metadata: { plan: 'pro', size: 10, other: 'x' } })
      declaring.event('2026-11-20T10:01:00Z', 'ann', { metadata: { plan: true, size: 9 } })
      declaring.view('2026-11-20T11:00:00Z', 'bob', '/', { metadata: { plan: { nested: 1 }, size: 10 } })
      const plans = await declaring.breakdown({ dimension: 'metadata.plan' })
      assert.deepEqual([plans.from, rows(plans), plans.without], ['tables', [['pro', 1, 1, 1, 1], ['true', 1, 1, 1, 0]], 1])
      const sizes = await declaring.breakdown({ dimension: 'metadata.size' })
      assert.deepEqual([sizes.from, rows(sizes)], ['tables', [['10', 2, 2, 2, 2], ['9', 1, 1, 1, 0]]])
      assert.equal((await declaring.breakdown({ dimension: 'metadata.other' })).from, 'log')
    })

    it('refuse a dimension that does not exist with the names of those that do, and a cursor of something else', async () => {
      const refused = (params: Record<string, unknown>, path: string, detail: RegExp): Promise<void> =>
        assert.rejects(site.breakdown(params), (error: { code?: string; errors?: { path: string; detail: string }[] }) => {
          assert.deepEqual([error.code, error.errors?.[0]?.path], ['invalid_parameter', path])
          assert.match(error.errors![0]!.detail, detail)
          return true
        })
      await refused({ dimension: 'pages' }, 'dimension', /event, page, hostname, .*utmContent, or metadata\.<key>/)
      await refused({ dimension: 'metadata.' }, 'dimension', /metadata\.<key>/)
      await refused({}, 'dimension', /required/)
      await refused({ dimension: 'page', cursor: 'abc' }, 'cursor', /cursor/)
      await refused({ dimension: 'page', sort: 'value' }, 'sort', /visitors/)
    })
  })
}
