// What visits, bounces, visitors and times mean, as literal cases over HTTP: what Plausible, Umami, Matomo and GA4 document, as
// far as METRICS decides the same, in our own words. Every case is asked of the read tables and, by a filter that lets
// everything pass, of the log.
import assert from 'node:assert/strict'
import { RULESET_VERSION } from '../../src/projections/enrichment/dimensions.ts'
import { type Fixture, startFixture } from './support/fixture.ts'
import { BOT, BROWSER, CASES, DAY, type Sent, type VisitCase } from './support/visitCases.ts'

const EVERYTHING = encodeURIComponent('event is not "never sent"')

type Numbers = Readonly<Record<string, unknown>>

interface Site {
  readonly token: string
  /** Waits until the last of them is counted. */
  send(events: readonly Sent[]): Promise<void>
  /** Of tables and log alike. */
  ask(path: string): Promise<Numbers>
}

describe('visits over HTTP', function () {
  this.timeout(60_000)
  let fixture: Fixture

  before(async () => {
    fixture = await startFixture()
  })
  after(() => fixture.close())

  async function newSite(timezone = 'UTC'): Promise<Site> {
    const { body } = await fixture.ask({ path: '/auth/register', token: fixture.app.userToken, body: { name: 'A site', timezone } })
    const { token } = await fixture.issue({ appId: body['appId'], scopes: ['collect', 'query'] })
    let last = ''
    const answer = async (path: string): Promise<Numbers> => {
      const told = await fixture.ask({ path: `${path}&after=${last}`, token })
      assert.equal(told.status, 200, told.text)
      return told.body
    }
    return {
      token,
      async send(events) {
        const told = await fixture.ask({ path: '/collect?ack=stored', token, body: events })
        assert.equal(told.status, 201, told.text)
        last = (told.body['ids'] as string[]).at(-1)!
      },
      async ask(path) {
        const [{ from: first, asOf, ...tables }, { from: second, asOf: position, ...log }] = [await answer(path), await answer(`${path}&filter=${EVERYTHING}`)]
        assert.deepEqual([first, second], ['tables', 'log'])
        assert.deepEqual(log, tables, 'the log tells otherwise than the tables')
        assert.deepEqual((position as Numbers)['position'], (asOf as Numbers)['position'])
        return tables
      },
    }
  }

  function holds(numbers: Numbers, expected: Numbers): void {
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, numbers[name]])), expected)
  }

  /** Sorted by value, so that a case need not know how ties are broken. */
  async function rowsOf(site: Site, dimension: string, params: string): Promise<Numbers[]> {
    const { rows } = await site.ask(`/analytics/breakdown?dimension=${dimension}&${params}`)
    return (rows as { value: string }[]).toSorted((left, right) => (left.value < right.value ? -1 : 1))
  }

  async function check(site: Site, { params = `from=${DAY}&to=2026-03-11`, overview, rows = {} }: VisitCase['then'][number]): Promise<void> {
    if (overview !== undefined) holds(await site.ask(`/analytics/overview?${params}`), overview)
    for (const [dimension, expected] of Object.entries(rows)) {
      const found = await rowsOf(site, dimension, params)
      assert.deepEqual(found.map(({ value, events, visitors, visits, pageviews }) => [value, events, visitors, visits, pageviews]), expected, dimension)
    }
  }

  for (const { name, timezone, sent, then } of CASES) {
    it(name, async () => {
      const site = await newSite(timezone)
      for (const events of sent) await site.send(events)
      for (const expected of then) await check(site, expected)
    })
  }

  it('leaves bots out, counts them in, or counts them alone', async () => {
    const site = await newSite()
    const pageview = (minute: number, userAgent: string, anonymousId: string): Sent => ({ event: 'pageview', url: '/', timestamp: `${DAY}T10:${minute}:00Z`, userAgent, anonymousId })
    await site.send([pageview(10, BROWSER, 'a'), pageview(12, BROWSER, 'a'), pageview(11, BOT, 'b'), pageview(11, BOT, 'a'), pageview(59, BOT, 'b')])
    const of = (bots: string): Promise<Numbers> => site.ask(`/analytics/overview?from=${DAY}&to=2026-03-11${bots}`)
    const people = { visitors: 1, visits: 1, pageviews: 2, events: 2, bounceRate: 0, visitDurationSeconds: 120, botEvents: 3 }
    holds(await of(''), people)
    holds(await of('&bots=exclude'), people)
    holds(await of('&bots=only'), { visitors: 2, visits: 3, pageviews: 3, events: 3, bounceRate: 1, visitDurationSeconds: 0, botEvents: 3 })
    holds(await of('&bots=include'), { visitors: 2, visits: 4, pageviews: 5, events: 5, bounceRate: 0.75, visitDurationSeconds: 30, botEvents: 3 })
  })

  it('counts an event once, however often it is sent', async () => {
    const site = await newSite()
    const event = { event: 'pageview', url: '/', id: 'the-same', anonymousId: 'a', timestamp: `${DAY}T10:00:00Z` }
    await site.send([event])
    await site.send([event, event])
    holds(await site.ask(`/analytics/overview?from=${DAY}&to=2026-03-11`), { events: 1, pageviews: 1, visits: 1 })
  })

  it('shows with an event what the rules make of it', async () => {
    const { token } = fixture.app
    const event = { event: 'pageview', url: 'https://Example.com/a?ref=hn#top', referrer: 'https://t.co/x', userAgent: BROWSER, ipAddress: '8.8.8.8', language: 'en_us', userId: 'u' }
    const { ids } = (await fixture.ask({ path: '/collect?ack=stored', token, body: event })).body as { ids: string[] }
    const { body } = await fixture.ask({ path: `/events/${ids[0]!}`, token })
    const nothing = { utmSource: null, utmMedium: null, utmCampaign: null, utmTerm: null, utmContent: null }
    assert.deepEqual(body['enrichment'], {
      ...{ rulesetVersion: RULESET_VERSION, device: 'desktop', browser: 'Chrome', os: 'Windows', bot: false, visitor: 'userId' },
      dimensions: {
        ...{ event: 'pageview', page: '/a', hostname: 'example.com', title: null, country: 'US', language: 'en-US', device: 'desktop' },
        ...{ browser: 'Chrome', browserVersion: 'Chrome 120', os: 'Windows', osVersion: 'Windows 10', screen: null },
      },
      arrival: { referrer: 't.co/x', source: 'Hacker News', channel: 'Organic Social', ...nothing },
    })
  })

  it('counts visits where they start and people where they are seen, hour by hour', async () => {
    const site = await newSite()
    await site.send(['10:50', '11:05', '11:20'].map((time) => ({ event: 'pageview', url: '/', anonymousId: 'a', timestamp: `${DAY}T${time}:00Z` })))
    const { points } = await site.ask(`/analytics/timeseries?interval=hour&from=${DAY}T10:00Z&to=${DAY}T13:00Z`)
    const rows = (points as Numbers[]).map(({ at, visitors, visits, pageviews, events }) => [at, visitors, visits, pageviews, events])
    assert.deepEqual(rows, [
      [`${DAY}T10:00:00.000Z`, 1, 1, 1, 1],
      [`${DAY}T11:00:00.000Z`, 1, 0, 2, 2],
      [`${DAY}T12:00:00.000Z`, 0, 0, 0, 0],
    ])
  })
})
