// Correcting and retracting over HTTP: the numbers are those of a history in which it had been collected so, and what was done
// is told with who did it and why.
import assert from 'node:assert/strict'
import { uuidv7 } from '../../src/kernel/ids.ts'
import { type Asked, codeOf, type Fixture, startFixture, type Told } from './support/fixture.ts'

const DAY = 86_400_000
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1'
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const day = (daysAgo: number): string => new Date(Date.now() - daysAgo * DAY).toISOString().slice(0, 10)

describe('corrections over HTTP', function () {
  this.timeout(60_000)
  let fixture: Fixture
  before(async () => {
    fixture = await startFixture()
  })
  after(() => fixture.close())

  const post = (path: string, body: unknown, more: Partial<Asked> = {}): Promise<Told> =>
    fixture.ask({ path: `${path}?appId=${fixture.app.appId}`, token: fixture.app.userToken, body, ...more })
  const correct = (id: string, changes: unknown, more: object = {}): Promise<Told> => post(`/events/${id}/corrections`, { changes, reason: 'wrong shop', ...more })
  const retract = (id: string, more: object = {}): Promise<Told> => post(`/events/${id}/retraction`, { reason: 'load test', ...more })
  const read = async (path: string): Promise<Record<string, unknown>> => (await fixture.ask({ path, token: fixture.app.token })).body
  async function collect(...events: object[]): Promise<string[]> {
    const told = await fixture.ask({ path: '/collect?ack=stored', token: fixture.app.token, body: events })
    assert.equal(told.status, 201, told.text)
    return told.body['ids'] as string[]
  }
  const idOf = ({ body }: Told): string => body['correctionId'] as string
  async function summary(event: string, after: string, range = ''): Promise<unknown> {
    const { count, uniqueUsers, deviceData } = await read(`/analytics/event-summary?event=${event}&after=${after}${range}`)
    return { count, uniqueUsers, devices: Object.fromEntries(Object.entries(deviceData as object).filter(([, value]) => value !== 0)) }
  }

  it('count an event as if it had been collected so: name, time, person, device', async () => {
    const [first, second] = await collect(
      { event: 'buy', userId: 'ann', anonymousId: 'x', userAgent: IPHONE, timestamp: `${day(3)}T10:00:00Z` },
      { event: 'buy', anonymousId: 'x', userAgent: IPHONE, timestamp: `${day(3)}T10:05:00Z` },
    )
    assert.deepEqual(await summary('buy', second!), { count: 2, uniqueUsers: 1, devices: { mobile: 2 } })
    const done = await correct(first!, { event: 'purchase', timestamp: `${day(2)}T11:00:00Z`, userId: 'bob', userAgent: FIREFOX })
    assert.equal(done.status, 201)
    assert.deepEqual(await summary('buy', idOf(done)), { count: 1, uniqueUsers: 1, devices: { mobile: 1 } })
    assert.deepEqual(await summary('purchase', idOf(done), `&from=${day(2)}T11:00:00Z&to=${day(2)}T11:01:00Z`), { count: 1, uniqueUsers: 1, devices: { desktop: 1 } })
    assert.equal((await fixture.ask({ path: `/analytics/user-stats?userId=ann&after=${idOf(done)}`, token: fixture.app.token })).status, 404)
    const bob = await read(`/analytics/user-stats?userId=bob&after=${idOf(done)}`)
    const recent = bob['recentEvents'] as { id: string; event: string }[]
    assert.deepEqual([bob['totalEvents'], bob['firstSeen'], recent.map(({ id, event }) => [id, event])], [2, `${day(3)}T10:05:00.000Z`, [[first, 'purchase'], [second, 'buy']]])
    assert.equal((bob['deviceDetails'] as { browser: string }).browser, 'Firefox')
  })

  it('take a retracted event out of every number, and show it with the reason', async () => {
    const [first, second] = await collect({ event: 'rate', userId: 'carl', value: 1 }, { event: 'rate', userId: 'dora', value: 2 })
    const done = await retract(first!)
    assert.equal(done.status, 201)
    assert.deepEqual(await summary('rate', idOf(done)), { count: 1, uniqueUsers: 1, devices: { unknown: 1 } })
    assert.equal((await fixture.ask({ path: `/analytics/user-stats?userId=carl&after=${idOf(done)}`, token: fixture.app.token })).status, 404)
    const { events } = (await read('/events?event=rate')) as { events: { id: string; status: string }[] }
    assert.deepEqual(events.map(({ id, status }) => [id, status]), [[second, 'collected'], [first, 'retracted']])
    const one = await read(`/events/${first}?after=${idOf(done)}`)
    const [correction, ...others] = one['corrections'] as Record<string, unknown>[]
    assert.deepEqual([one['status'], one['counts'], one['countsIn'], others], ['retracted', null, [], []])
    assert.deepEqual([correction!['id'], correction!['kind'], correction!['reason']], [idOf(done), 'retracted', 'load test'])
    assert.equal(typeof correction!['by'], 'string')
    const again = await retract(first!)
    assert.deepEqual([again.status, codeOf(again)], [409, 'already_retracted'])
    const late = await correct(first!, { value: 3 })
    assert.deepEqual([late.status, codeOf(late)], [409, 'already_retracted'])
  })

  it('correct a correction, and retract what was corrected', async () => {
    const [id] = await collect({ event: 'step', url: '/one', userId: 'eve', timestamp: `${day(1)}T08:00:00Z` })
    await correct(id!, { event: 'leap', url: '/two?email=a@b.c&utm_source=x' })
    const second = await correct(id!, { title: 'Two', timestamp: `${day(1)}T09:00:00Z` })
    const { counts, countsIn, data, status } = await read(`/events/${id}?after=${idOf(second)}`)
    assert.deepEqual([status, data], ['corrected', { event: 'step', url: '/one', userId: 'eve' }])
    assert.deepEqual((counts as { data: object }).data, { event: 'leap', url: '/two?utm_source=x', userId: 'eve', title: 'Two' })
    assert.deepEqual((countsIn as { event: string | null; slotFrom: string }[]).map(({ event, slotFrom }) => [event, slotFrom]), [['leap', `${day(1)}T09:00:00.000Z`], [null, `${day(1)}T09:00:00.000Z`]])
    assert.deepEqual(await summary('leap', idOf(second)), { count: 1, uniqueUsers: 1, devices: { unknown: 1 } })
    const gone = await retract(id!)
    assert.deepEqual([await summary('leap', idOf(gone)), await summary('step', idOf(gone))], [{ count: 0, uniqueUsers: 0, devices: {} }, { count: 0, uniqueUsers: 0, devices: {} }])
  })

  it('are answered as the first time when they are sent again, and say when nothing changes', async () => {
    const [id] = await collect({ event: 'twice', title: 'a' })
    const commandId = uuidv7()
    const [first, repeated] = [await correct(id!, { title: 'b' }, { commandId }), await correct(id!, { title: 'b' }, { commandId })]
    assert.deepEqual([first.status, repeated.status, idOf(repeated)], [201, 200, idOf(first)])
    const nothing = await correct(id!, { title: 'b' })
    assert.deepEqual([nothing.status, nothing.body], [200, { eventId: id, correctionId: null }])
    const gone = await retract(id!, { commandId: uuidv7() })
    const other = await retract(id!, { commandId })
    assert.deepEqual([gone.status, other.status, codeOf(other)], [201, 409, 'conflict'])
  })

  it('made at the same time both hold, one after the other', async () => {
    const [id] = await collect({ event: 'race', userId: 'fay' })
    const done = await Promise.all([correct(id!, { title: 'x' }), correct(id!, { language: 'de' }), correct(id!, { screen: '1x1' })])
    assert.deepEqual(done.map(({ status }) => status), [201, 201, 201])
    const { counts, corrections } = await read(`/events/${id}`)
    assert.deepEqual((counts as { data: object }).data, { event: 'race', userId: 'fay', title: 'x', language: 'de', screen: '1x1' })
    assert.equal((corrections as unknown[]).length, 3)
    const both = await Promise.all([retract(id!), retract(id!)])
    assert.deepEqual(both.map(({ status }) => status).sort(), [201, 409])
  })

  it('are for the owner of the app alone, and for events that are there', async () => {
    const [id] = await collect({ event: 'mine' })
    assert.equal((await correct(uuidv7(), { title: 'x' })).status, 404)
    const elsewhere = { path: `/events/${id}/retraction?appId=${fixture.other.appId}` }
    assert.equal((await post('', { reason: 'x' }, elsewhere)).status, 404)
    assert.equal((await post('', { reason: 'x' }, { path: `/events/${id}/retraction?appId=${uuidv7()}` })).status, 404)
    assert.equal((await post(`/events/${id}/retraction`, { reason: 'x' }, { token: fixture.app.token })).status, 403)
    assert.equal((await post(`/events/${id}/retraction`, { reason: 'x' }, { token: undefined })).status, 401)
    assert.equal((await read(`/events/${id}`))['status'], 'collected')
  })

  it('say what is wrong with them, and where', async () => {
    const [id] = await collect({ event: 'pageview', url: '/' })
    const paths = ({ status, body }: Told): unknown[] => [status, ...(body['errors'] as { path: string }[]).map(({ path }) => path)]
    assert.deepEqual(paths(await correct(id!, {})), [400, '/changes'])
    assert.deepEqual(paths(await correct(id!, { url: null })), [400, '/changes/url'])
    assert.deepEqual(paths(await correct(id!, { timestamp: 'tomorrow at noon' })), [400, '/changes/timestamp'])
    assert.deepEqual(paths(await correct(id!, { ipAddress: 'home', cookieless: 'x' })), [400, '/changes/cookieless'])
    assert.deepEqual(paths(await correct(id!, { ipAddress: 'home' })), [400, '/changes/ipAddress'])
    assert.deepEqual(paths(await post(`/events/${id}/retraction`, { reason: '' })), [400, '/reason'])
    assert.deepEqual(paths(await post(`/events/${id}/retraction`, {})), [400, '/reason'])
    assert.deepEqual(paths(await post('/events/xyz/retraction', { reason: 'x' })), [400, 'eventId'])
  })

  it('restate closed days, with how much, when and why', async () => {
    const app = fixture.other
    const ask = async (path: string): Promise<Record<string, unknown>> => (await fixture.ask({ path, token: app.token })).body
    const told = await fixture.ask({
      path: '/collect?ack=stored',
      token: app.token,
      body: [5, 2, 4, 4, 0, 2].map((ago, index) => ({ event: index === 3 ? 'click' : 'pageview', url: '/', id: `r${index}`, timestamp: `${day(ago)}T00:00:00Z` })),
    })
    const ids = told.body['ids'] as string[]
    const change = (id: string, what: string, body: object): Promise<Told> => fixture.ask({ path: `/events/${id}/${what}?appId=${app.appId}`, token: app.userToken, body })
    await change(ids[0]!, 'corrections', { changes: { timestamp: `${day(4)}T12:00:00Z` }, reason: 'clock' })
    const last = await change(ids[4]!, 'retraction', { reason: 'today is open' })
    const end = idOf(await change(ids[1]!, 'retraction', { reason: 'robot' }))
    assert.equal(last.status, 201)
    const { restatements } = (await ask(`/analytics/restatements?after=${end}`)) as { restatements: Record<string, unknown>[] }
    const seen = restatements.map(({ day: of, restatedOn, cause, events, pageviews }) => [of, restatedOn, cause, ...Object.values(events as Record<string, number>), ...Object.values(pageviews as Record<string, number>)])
    assert.deepEqual(seen, [
      [day(2), day(0), 'late', 1, 0, 1, 0],
      [day(2), day(0), 'retracted', 0, 1, 0, 1],
      [day(4), day(0), 'corrected', 1, 0, 1, 0],
      [day(5), day(0), 'corrected', 0, 1, 0, 1],
      [day(4), day(2), 'late', 2, 0, 1, 0],
    ])
    const pages: unknown[] = []
    for (let cursor = ''; ; ) {
      const page = await ask(`/analytics/restatements?limit=2${cursor}`)
      pages.push(...(page['restatements'] as unknown[]))
      if (page['nextCursor'] === null) break
      cursor = `&cursor=${page['nextCursor'] as string}`
    }
    assert.deepEqual(pages, restatements)
    const only = (await ask(`/analytics/restatements?from=${day(5)}&to=${day(4)}`))['restatements'] as { day: string }[]
    assert.deepEqual(only.map((row) => row.day), [day(5)])
    const { reasons } = (await ask('/analytics/restatements/reasons?limit=2')) as { reasons: Record<string, unknown>[] }
    assert.deepEqual(reasons.map(({ day: of, reason, kind, eventId }) => [of, reason, kind, eventId]), [[day(2), 'robot', 'retracted', ids[1]], [day(4), 'clock', 'corrected', ids[0]]])
    const diff = await ask(restatements[1]!['diff'] as string)
    assert.deepEqual((diff['changes'] as { path: string; by: number }[]).find(({ path }) => /pageviews/.test(path))?.by, -1, JSON.stringify(diff['changes']))
  })
})
