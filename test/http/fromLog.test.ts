// Whatever tables cannot tell is answered from the log: filters, metadata that nobody declared, earlier moments; and where
// both can, they agree.
import assert from 'node:assert/strict'
import { codeOf, type Fixture, startFixture, type Told } from './support/fixture.ts'

const DAY = '2026-11-10'
const at = (day: string, time: string): string => `${day}T${time}Z`

const VISITS: readonly Record<string, unknown>[] = [
  { event: 'pageview', url: 'https://x.test/', userId: 'ann', timestamp: at(DAY, '10:00:00'), metadata: { plan: 'free', seats: 3 } },
  { event: 'pageview', url: 'https://x.test/pricing', userId: 'ann', timestamp: at(DAY, '10:05:00'), metadata: { plan: 'pro', seats: 10 } },
  { event: 'signup', userId: 'bob', timestamp: at(DAY, '11:00:00'), metadata: { plan: 'pro', seats: '12' } },
  { event: 'signup', userId: 'cy', timestamp: at('2026-11-09', '23:59:00') },
]

describe('answers from the log over HTTP', function () {
  this.timeout(60_000)
  let fixture: Fixture
  let last: string
  /** Position of the log after the events above. */
  let position: number
  let nowMs = Date.parse('2026-11-22T12:00:00Z')

  const get = (path: string, more: Record<string, string> = {}, token = fixture.app.token): Promise<Told> =>
    fixture.ask({ path: `/analytics/${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(more).toString()}`, token })
  const answered = async (path: string, more?: Record<string, string>): Promise<Record<string, unknown>> => {
    const told = await get(path, more)
    assert.equal(told.status, 200, told.text)
    return told.body
  }
  const collect = async (events: readonly Record<string, unknown>[]): Promise<string> => {
    const told = await fixture.ask({ path: '/collect?ack=stored', token: fixture.app.token, body: events })
    assert.equal(told.status, 201, told.text)
    return (told.body['ids'] as string[]).at(-1)!
  }
  const positionOf = (body: Record<string, unknown>): number => (body['asOf'] as { position: number }).position
  const day = { from: DAY, to: '2026-11-11' }

  before(async () => {
    fixture = await startFixture({}, { clock: { now: () => nowMs } })
    last = await collect(VISITS)
    position = positionOf(await answered('event-summary', { after: last }))
  })
  after(() => fixture.close())

  it('says where an answer is from, and the log says what the tables say', async () => {
    for (const question of ['event-summary', 'overview', 'timeseries?interval=day', 'breakdown?dimension=page', 'breakdown?dimension=event']) {
      const tables = await answered(question, { ...day, after: last })
      const log = await answered(question, { ...day, asOf: String(position) })
      assert.deepEqual([tables['from'], log['from']], ['tables', 'log'], question)
      assert.deepEqual({ ...log, from: '', asOf: 0 }, { ...tables, from: '', asOf: 0 }, question)
    }
  })

  it('answers any filter', async () => {
    const count = async (filter: string): Promise<unknown> => {
      const body = await answered('event-summary', { ...day, filter })
      assert.equal(body['from'], 'log')
      return [body['count'], body['uniqueUsers']]
    }
    assert.deepEqual(await count('metadata.plan is "pro"'), [2, 2])
    assert.deepEqual(await count('metadata.seats >= 10 and event is signup'), [1, 1])
    assert.deepEqual(await count('page in ("/", "/pricing") or metadata.plan is free'), [2, 1])
    assert.deepEqual(await count('metadata.plan is not pro'), [1, 1])
    const overview = await answered('overview', { ...day, filter: 'page is "/pricing"' })
    assert.deepEqual([overview['visits'], overview['pageviews'], overview['visitDurationSeconds']], [1, 1, 300])
  })

  it('breaks down by a key that nobody declared', async () => {
    const body = await answered('breakdown', { ...day, dimension: 'metadata.plan' })
    const rows = (body['rows'] as { value: string; events: number }[]).map(({ value, events }) => [value, events])
    assert.deepEqual([body['from'], rows, body['total'], body['without']], ['log', [['pro', 2], ['free', 1]], 3, 0])
  })

  it('compares with the range before and the year before, in local days', async () => {
    const body = await answered('event-summary', { ...day, compare: 'previous' })
    const { count, range } = body['comparison'] as { count: number; range: { from: string; to: string } }
    assert.deepEqual([body['count'], count, range.from, range.to], [3, 1, at('2026-11-09', '00:00:00.000'), at(DAY, '00:00:00.000')])
    const year = (await answered('overview', { ...day, compare: 'year' }))['comparison'] as { events: number; range: { from: string } }
    assert.deepEqual([year.events, year.range.from], [0, at('2025-11-10', '00:00:00.000')])
    const filtered = await answered('event-summary', { ...day, compare: 'previous', filter: 'event is signup' })
    assert.deepEqual([filtered['from'], filtered['count'], (filtered['comparison'] as { count: number }).count], ['log', 1, 1])
    assert.equal(codeOf(await get('overview', { period: 'all', compare: 'year' })), 'invalid_parameter')
  })

  it('answers as known at a position or a time, whatever came later', async () => {
    const before = await answered('event-summary', { ...day, after: last })
    const { recordedAt } = before['asOf'] as { recordedAt: string }
    nowMs += 3_600_000
    const late = await collect([{ event: 'signup', userId: 'late', timestamp: at(DAY, '12:00:00') }])
    const now = await answered('event-summary', { ...day, after: late })
    assert.deepEqual([before['count'], now['count']], [3, 4])
    const known = await answered('event-summary', { ...day, asOf: String(position) })
    assert.deepEqual([known['count'], positionOf(known), (known['asOf'] as { lagEvents: number }).lagEvents], [3, position, positionOf(now) - position])
    const then = await answered('event-summary', { ...day, asOf: recordedAt })
    assert.deepEqual([then['count'], then['asOf']], [3, known['asOf']])
    assert.equal((await answered('event-summary', { ...day, asOf: new Date(nowMs).toISOString() }))['count'], 4)
    const none = await answered('event-summary', { ...day, asOf: '2020-01-01' })
    assert.deepEqual([none['count'], none['asOf']], [0, { position: 0, recordedAt: null, lagEvents: positionOf(now) }])
  })

  it('keeps answers, and tells whoever has one that it has not changed', async () => {
    const asked = { ...day, filter: 'event  is signup' }
    const first = await get('event-summary', asked)
    const again = await fixture.ask({
      path: `/analytics/event-summary?${new URLSearchParams({ ...day, filter: 'event = "signup"' }).toString()}`,
      token: fixture.app.token,
      headers: { 'if-none-match': first.headers.etag! },
    })
    assert.equal(again.status, 304)
    const fixed = await get('event-summary', { ...day, asOf: String(position) })
    const id = await collect([{ event: 'signup', userId: 'dee', timestamp: at(DAY, '13:00:00') }])
    const fresh = await get('event-summary', { ...asked, after: id })
    assert.notEqual(fresh.headers.etag, first.headers.etag)
    assert.equal(fresh.body['count'], (first.body['count'] as number) + 1)
    assert.equal((await get('event-summary', { ...day, asOf: String(position) })).headers.etag, fixed.headers.etag)
  })

  it('refuses what it cannot read, with the place', async () => {
    const fault = async (more: Record<string, string>): Promise<unknown> => {
      const told = await get('event-summary', more)
      assert.deepEqual([told.status, codeOf(told)], [400, 'invalid_parameter'], told.text)
      return (told.body['errors'] as { path: string; detail: string }[])[0]
    }
    assert.deepEqual(await fault({ filter: 'page is "/" and contry is DE' }), { path: 'filter', detail: 'at character 17: "contry" is no dimension; did you mean country?' })
    assert.match(JSON.stringify(await fault({ asOf: '999999' })), /"asOf".*beyond the end of the log, which is position \d+/)
    assert.match(JSON.stringify(await fault({ asOf: '2026-12-01' })), /lies in the future/)
    assert.match(JSON.stringify(await fault({ asOf: 'yesterday' })), /neither a position of the log/)
    assert.match(JSON.stringify(await fault({ compare: 'month' })), /"compare"/)
  })

  it('shows nothing of another app', async () => {
    const told = await get('event-summary', { appId: fixture.other.appId, filter: 'event is signup' })
    assert.equal(told.status, 404)
  })
})

describe('an answer from the log that is too long', function () {
  this.timeout(60_000)
  let fixture: Fixture

  before(async () => {
    fixture = await startFixture({}, { logBounds: { maxEvents: 3, idleMs: 50 } })
  })
  after(() => fixture.close())

  it('is refused with how much there is and what to do instead; the tables go on answering', async () => {
    const { token } = fixture.app
    const events = Array.from({ length: 5 }, () => ({ event: 'order', userId: 'ann', metadata: { plan: 'pro' } }))
    const { body } = await fixture.ask({ path: '/collect?ack=stored', token, body: events })
    const after = (body['ids'] as string[]).at(-1)!
    assert.equal((await fixture.ask({ path: `/analytics/event-summary?after=${after}`, token })).body['count'], 5)
    const refused = async (query: string): Promise<string> => {
      const told = await fixture.ask({ path: `/analytics/${query}`, token })
      assert.deepEqual([told.status, codeOf(told)], [422, 'too_much_for_the_log'], told.text)
      return told.body['detail'] as string
    }
    assert.match(await refused('event-summary?filter=event%20is%20order'), /^The app has 5 events, and an answer from the log reads at most 3\. Define a report or a goal/)
    assert.match(await refused('breakdown?dimension=metadata.plan'), /Declare metadata\.plan as a dimension/)
    assert.equal((await fixture.ask({ path: '/analytics/event-summary', token })).body['count'], 5)
  })
})
