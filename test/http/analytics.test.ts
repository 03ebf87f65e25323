// The numbers of a site over HTTP: what is collected is counted, parameters and errors, who may ask, and whose numbers they are.
import assert from 'node:assert/strict'
import { codeOf, type Fixture, startFixture, type Told } from './support/fixture.ts'

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0'
const QUERY = ['/analytics/overview', '/analytics/timeseries?interval=day', '/analytics/breakdown?dimension=page', '/analytics/live']
const PEOPLE = ['/analytics/visits?userId=ann', '/analytics/timeline?userId=ann']

describe('the numbers of a site over HTTP', function () {
  this.timeout(60_000)
  let fixture: Fixture
  let last: string

  const get = (path: string, token = fixture.app.token): Promise<Told> => fixture.ask({ path, token })
  const body = async (path: string): Promise<Record<string, unknown>> => {
    const told = await get(path)
    assert.equal(told.status, 200, told.text)
    return told.body
  }

  before(async () => {
    fixture = await startFixture()
    const now = Date.now()
    const view = (path: string, secondsAgo: number, more: object): object => ({
      ...{ event: 'pageview', url: `https://example.com${path}`, userAgent: FIREFOX, timestamp: new Date(now - secondsAgo * 1_000).toISOString() },
      ...more,
    })
    const events = [
      view('/', 200, { anonymousId: 'browser', referrer: 'https://www.google.com/', title: 'Home' }),
      view('/pricing', 100, { anonymousId: 'browser' }),
      { event: 'signup', userId: 'ann', anonymousId: 'browser', metadata: { plan: 'pro' }, timestamp: new Date(now - 50_000).toISOString() },
      view('/', 40, { userId: 'bob' }),
      view('/', 30, { anonymousId: 'crawler', userAgent: 'Googlebot/2.1 (+http://www.google.com/bot.html)' }),
    ]
    const told = await fixture.ask({ path: '/collect', token: fixture.app.token, body: events })
    assert.equal(told.status, 202, told.text)
    last = (told.body['ids'] as string[]).at(-1)!
  })
  after(() => fixture.close())

  it('tell an overview of what was just collected, and 304 until more comes', async () => {
    const path = `/analytics/overview?period=7d&after=${last}`
    const told = await get(path)
    assert.equal(told.status, 200, told.text)
    const { visitors, visits, pageviews, events, bounceRate, viewsPerVisit, visitorsBy, botEvents, from } = told.body
    assert.deepEqual([visitors, visits, pageviews, events, bounceRate, viewsPerVisit, botEvents, from], [2, 2, 3, 4, 0.5, 1.5, 1, 'tables'])
    assert.deepEqual(visitorsBy, { userId: 2, anonymousId: 0, cookieless: 0 })
    const again = await fixture.ask({ path, token: fixture.app.token, headers: { 'if-none-match': told.headers.etag! } })
    assert.equal(again.status, 304)
  })

  it('tell a series, breakdowns, and who is here', async () => {
    const { points } = (await body('/analytics/timeseries?interval=month&period=7d')) as { points: { events: number }[] }
    assert.equal(points.reduce((sum, { events }) => sum + events, 0), 4)
    const pages = await body('/analytics/breakdown?dimension=page&period=7d&limit=1')
    assert.deepEqual([pages['rows'], pages['nextCursor']], [[{ value: '/', events: 2, visitors: 2, visits: 2, pageviews: 2 }], '1'])
    const plans = await body('/analytics/breakdown?dimension=metadata.plan&period=7d')
    assert.deepEqual([plans['from'], (plans['rows'] as { value: string }[])[0]!.value], ['log', 'pro'])
    const live = await body(`/analytics/live?after=${last}`)
    assert.deepEqual([live['last5Minutes'], live['last30Minutes'], (live['minutes'] as unknown[]).length], [2, 2, 30])
  })

  it('tell the visits and events of a person by either id', async () => {
    const { visits } = (await body(`/analytics/visits?userId=ann&after=${last}`)) as { visits: Record<string, unknown>[] }
    const { start, end, ...rest } = visits[0]!
    assert.deepEqual([visits.length, typeof start, typeof end], [1, 'string', 'string'])
    assert.deepEqual(rest, {
      ...{ durationSeconds: 150, pageviews: 2, events: 3, bounce: false, bot: false, entryPage: '/', exitPage: '/pricing' },
      ...{ source: 'Google', channel: rest['channel'], country: null, device: 'desktop', browser: 'Firefox' },
    })
    assert.deepEqual((await body('/analytics/visits?anonymousId=browser'))['visits'], visits)
    const first = await body('/analytics/timeline?userId=ann&limit=2')
    const names = (page: Record<string, unknown>): unknown[] => (page['events'] as { event: string; url: string | null; visitStart: string }[]).map(({ event, url, visitStart }) => [event, url, visitStart === start])
    assert.deepEqual(names(first), [['signup', null, true], ['pageview', 'https://example.com/pricing', true]])
    const second = await body(`/analytics/timeline?userId=ann&limit=2&cursor=${encodeURIComponent(String(first['nextCursor']))}`)
    assert.deepEqual([names(second), second['nextCursor']], [[['pageview', 'https://example.com/', true]], null])
  })

  it('refuse what they cannot make sense of, with the name of the parameter', async () => {
    const refused: [path: string, parameter: string][] = [
      ['/analytics/timeseries', 'interval'],
      ['/analytics/timeseries?interval=year', 'interval'],
      ['/analytics/timeseries?interval=minute&period=30d', 'interval'],
      ['/analytics/overview?bots=some', 'bots'],
      ['/analytics/overview?dimension=page', 'dimension'],
      ['/analytics/breakdown', 'dimension'],
      ['/analytics/breakdown?dimension=pages', 'dimension'],
      ['/analytics/breakdown?dimension=page&cursor=zero', 'cursor'],
      ['/analytics/breakdown?dimension=page&limit=501', 'limit'],
      ['/analytics/live?period=7d', 'period'],
      ['/analytics/visits', 'userId'],
      ['/analytics/visits?userId=ann&anonymousId=x', 'userId'],
      ['/analytics/visits?userId=ann&cursor=zero', 'cursor'],
      ['/analytics/timeline?userId=ann&cursor=zero', 'cursor'],
    ]
    for (const [path, parameter] of refused) {
      const told = await get(path)
      assert.deepEqual([told.status, codeOf(told), (told.body['errors'] as { path: string }[])[0]!.path], [400, 'invalid_parameter', parameter], path)
    }
    const many = await get('/analytics/timeseries?interval=minute&period=30d&filter=page%20is%20%22%2F%22')
    assert.match(many.text, /at most 5,000|more than 5,000/)
    assert.equal(codeOf(await get('/analytics/overview?from=2026-01-02&to=2026-01-02')), 'empty_range')
    assert.equal((await get('/analytics/visits?userId=nobody')).status, 404)
  })

  it('are told to keys with the scope, query for numbers and people for persons', async () => {
    const { token: query } = await fixture.issue({ name: 'Numbers', scopes: ['query'] })
    const { token: people } = await fixture.issue({ name: 'Persons', scopes: ['people'] })
    for (const path of QUERY) assert.deepEqual([(await get(path, query)).status, (await get(path, people)).status], [200, 403], path)
    for (const path of PEOPLE) assert.deepEqual([(await get(path, query)).status, (await get(path, people)).status], [403, 200], path)
    for (const path of [...QUERY, ...PEOPLE]) assert.equal((await fixture.ask({ path })).status, 401, path)
  })

  it('are those of the caller\'s own apps alone', async () => {
    for (const path of [...QUERY, ...PEOPLE]) {
      const named = `${path}${path.includes('?') ? '&' : '?'}appId=${fixture.other.appId}`
      assert.equal((await get(named)).status, 404, named)
      assert.equal((await fixture.ask({ path: `${path}${path.includes('?') ? '&' : '?'}appId=${fixture.app.appId}`, token: fixture.app.userToken })).status, 200, path)
    }
    const other = await get('/analytics/overview?period=7d', fixture.other.token)
    assert.equal(other.body['events'], 0)
    assert.equal((await get('/analytics/visits?userId=ann', fixture.other.token)).status, 404)
  })
})
