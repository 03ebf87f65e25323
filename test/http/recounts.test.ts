// Any number can be checked: a recount finds what was changed behind Recount's back, names the events that make up a number,
// and says of an event why it is in it or is not.
import assert from 'node:assert/strict'
import Libsql from 'libsql'
import { codeOf, type Fixture, startFixture, type Told } from './support/fixture.ts'

const RANGE = { from: '2026-11-10', to: '2026-11-11' }
const EVENTS = [
  { event: 'pageview', url: 'https://x.test/', userId: 'ann', timestamp: '2026-11-10T10:00:00Z' },
  { event: 'pageview', url: 'https://x.test/a', userId: 'bob', timestamp: '2026-11-10T11:00:00Z' },
  { event: 'signup', userId: 'bob', timestamp: '2026-11-10T11:10:00Z' },
  { event: 'signup', userId: 'cy', timestamp: '2026-11-12T10:00:00Z' },
]

interface Body {
  readonly match: boolean
  readonly position: number
  readonly from: string
  readonly stored: Record<string, unknown>
  readonly recounted: Record<string, unknown>
  readonly differences: readonly { path: string; stored: unknown; recounted: unknown }[]
  readonly differing: number
  readonly scanned: number
  readonly events?: { ids: string[]; nextCursor: string | null }
  readonly explanation?: { eventId: string; counted: boolean; reasons: { rule: string; holds: boolean; detail: string }[] }
}

describe('recounts over HTTP', function () {
  this.timeout(60_000)
  let fixture: Fixture
  let ids: string[]

  const ask = (body: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Told> =>
    fixture.ask({ path: '/recounts', token: fixture.app.userToken, body: { appId: fixture.app.appId, ...body }, headers })
  const recount = async (body: Record<string, unknown>): Promise<Body> => {
    const told = await ask(body)
    assert.equal(told.status, 200, told.text)
    return told.body as unknown as Body
  }

  before(async () => {
    fixture = await startFixture({}, { clock: { now: () => Date.parse('2026-11-22T12:00:00Z') } })
    const told = await fixture.ask({ path: '/collect?ack=stored', token: fixture.app.token, body: EVENTS })
    ids = told.body['ids'] as string[]
    for (const question of ['event-summary', 'overview']) {
      assert.equal((await fixture.ask({ path: `/analytics/${question}?after=${ids.at(-1)!}`, token: fixture.app.token })).status, 200)
    }
  })
  after(() => fixture.close())

  it('finds tables and log to agree, for every question, with and without a comparison', async () => {
    const asked: readonly (readonly [string, Record<string, unknown>])[] = [
      ['event-summary', { event: 'signup', bots: 'exclude' }],
      ['overview', { compare: 'previous' }],
      ['timeseries', { interval: 'hour' }],
      ['breakdown', { dimension: 'page', limit: 1 }],
    ]
    for (const [question, params] of asked) {
      const body = await recount({ question, params: { ...RANGE, ...params } })
      assert.deepEqual([body.match, body.from, body.differing, body.differences], [true, 'tables', 0, []], question)
      assert.deepEqual(body.recounted, body.stored)
      // The app's settings are events of its partition too.
      assert.ok(body.scanned >= EVENTS.length, String(body.scanned))
    }
    const { stored, position } = await recount({ question: 'overview', params: RANGE })
    assert.deepEqual([stored['visitors'], stored['events']], [2, 3])
    const told = await fixture.ask({ path: '/analytics/overview', token: fixture.app.token })
    assert.equal((told.body['asOf'] as { position: number }).position, position)
  })

  it('checks what was answered from the log as well, and as known earlier', async () => {
    const filtered = await recount({ question: 'overview', params: { ...RANGE, filter: 'event is signup' } })
    assert.deepEqual([filtered.match, filtered.from, filtered.recounted['events']], [true, 'log', 1])
    const before = await recount({ question: 'event-summary', params: { ...RANGE, asOf: '0' } })
    assert.deepEqual([before.match, before.position, before.recounted['count']], [true, 0, 0])
  })

  it('lists the events that make up a number, page by page', async () => {
    const of = { measure: 'events' }
    const params = { ...RANGE, bots: 'include' }
    const first = await recount({ question: 'event-summary', params, list: { of, limit: 2 } })
    assert.deepEqual(first.events?.ids, ids.slice(0, 2))
    const second = await recount({ question: 'event-summary', params, list: { of, limit: 2, cursor: first.events.nextCursor } })
    assert.deepEqual(second.events, { ids: [ids[2]], nextCursor: null })
    const row = await recount({ question: 'breakdown', params: { ...RANGE, dimension: 'page' }, list: { of: { measure: 'pageviews', value: '/a' } } })
    assert.deepEqual(row.events?.ids, [ids[1]])
  })

  it('says why an event is in a number, or is not', async () => {
    const explain = async (eventId: string, params: Record<string, unknown> = {}): Promise<NonNullable<Body['explanation']>> =>
      (await recount({ question: 'event-summary', params: { ...RANGE, ...params }, explain: { eventId } })).explanation!
    const inside = await explain(ids[2]!, { event: 'signup' })
    assert.equal(inside.counted, true, JSON.stringify(inside))
    assert.ok(inside.reasons.every(({ holds }) => holds))
    const outside = await explain(ids[3]!)
    assert.deepEqual([outside.counted, outside.reasons.filter(({ holds }) => !holds).map(({ rule }) => rule)], [false, ['range']])
    const later = await explain(ids[0]!, { asOf: '0' })
    assert.equal(later.counted, false)
    assert.match(later.reasons[0]!.detail, /after position 0/)
    const unknown = await ask({ question: 'event-summary', explain: { eventId: fixture.app.keyId } })
    assert.deepEqual([unknown.status, codeOf(unknown)], [404, 'not_found'])
  })

  it('refuses to list or explain visits of an answer that counts none', async () => {
    const of = { measure: 'visits' }
    for (const question of ['event-summary', 'user-stats']) {
      const told = await ask({ question, params: question === 'user-stats' ? { userId: 'ann' } : RANGE, list: { of }, explain: { eventId: ids[0]!, of } })
      assert.deepEqual([told.status, codeOf(told)], [400, 'invalid_body'], told.text)
      assert.deepEqual((told.body['errors'] as { path: string }[]).map(({ path }) => path), ['/list/of/measure', '/explain/of/measure'])
    }
    assert.deepEqual((await recount({ question: 'overview', params: RANGE, list: { of } })).events?.ids.length, 3)
  })

  it('tells how far it is while it reads, and then the same', async () => {
    const told = await ask({ question: 'overview', params: RANGE }, { accept: 'text/event-stream' })
    assert.equal(told.headers['content-type'], 'text/event-stream')
    const events = told.text.split('\n\n').filter((block) => block.startsWith('event: '))
    const [progress, result] = [events[0]!, events.at(-1)!]
    assert.match(progress, /^event: progress\ndata: \{"scanned":\d+\}$/)
    const body = JSON.parse(/^event: result\ndata: (.*)$/.exec(result)![1]!) as Body
    assert.deepEqual([body.match, body.recounted['events']], [true, 3])
    const bad = await ask({ question: 'overview', params: { filter: 'nope is 1' } }, { accept: 'text/event-stream' })
    assert.deepEqual([bad.status, codeOf(bad)], [400, 'invalid_parameter'])
  })

  it('is for people alone, and about their own apps', async () => {
    const body = { appId: fixture.app.appId, question: 'overview' }
    assert.equal((await fixture.ask({ path: '/recounts', token: fixture.app.token, body })).status, 403)
    assert.equal((await fixture.ask({ path: '/recounts', body })).status, 401)
    const stranger = await ask({ appId: ids[0]!, question: 'overview' })
    assert.deepEqual([stranger.status, codeOf(stranger)], [404, 'not_found'])
    for (const wrong of [{ question: 'everything' }, { question: 'overview', params: { interval: 'day' } }, { question: 'overview', list: {} }, { question: 'overview', more: 1 }]) {
      assert.equal((await ask(wrong)).status, 400, JSON.stringify(wrong))
    }
  })

  it('finds a row that somebody changed', async () => {
    const file = new Libsql(fixture.file, { timeout: 5_000 })
    const { changes } = file.prepare("UPDATE event_summary_days SET unknown = unknown + 5 WHERE day = ?").run([Date.parse('2026-11-10') / 86_400_000])
    file.close()
    assert.ok(changes > 0)
    const body = await recount({ question: 'event-summary', params: RANGE })
    assert.equal(body.match, false)
    assert.deepEqual(body.differences, [
      { path: '/count', stored: 8, recounted: 3 },
      { path: '/deviceData/unknown', stored: 8, recounted: 3 },
    ])
    assert.equal(body.differing, 2)
    assert.equal((await recount({ question: 'overview', params: RANGE })).match, true)
  })
})
