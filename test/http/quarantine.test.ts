// Events that were refused, over HTTP: looked at, mended, let in and thrown away; each counts once, and the ledger says of each
// what became of it.
import assert from 'node:assert/strict'
import { LIMITS } from '../../src/limits.ts'
import { type Asked, codeOf, type Fixture, startFixture, type Told } from './support/fixture.ts'

const FUTURE = '2999-01-01T00:00:00Z'

interface Entry {
  readonly number: number
  readonly code: string
  readonly status: string
  readonly excerpt: string
  readonly whole: boolean
  readonly resolvedBy: string | null
  readonly eventId: string | null
}

describe('quarantine over HTTP', function () {
  this.timeout(60_000)
  let fixture: Fixture
  let app: Fixture['app']
  before(async () => {
    fixture = await startFixture()
    app = fixture.app
  })
  after(() => fixture.close())

  const asUser = (asked: Asked): Promise<Told> => fixture.ask({ token: app.userToken, ...asked })
  const release = (number: number, body: object = {}, appId = app.appId): Promise<Told> => asUser({ path: `/quarantine/${number}/release`, body: { appId, ...body } })
  const discard = (number: number, appId = app.appId): Promise<Told> => asUser({ method: 'DELETE', path: `/quarantine/${number}?appId=${appId}` })
  const list = async (query = ''): Promise<Entry[]> => (await asUser({ path: `/quarantine?appId=${app.appId}${query}` })).body['events'] as Entry[]
  const one = (number: number): Promise<Told> => asUser({ path: `/quarantine/${number}?appId=${app.appId}` })
  const event = async (eventId: unknown): Promise<Record<string, unknown>> => (await asUser({ path: `/events/${String(eventId)}?appId=${app.appId}` })).body
  async function total(appId = app.appId): Promise<Record<string, number>> {
    const told = await asUser({ path: `/ledger?appId=${appId}&period=all` })
    assert.deepEqual([told.body['reconciles'], told.body['differences']], [true, []], told.text)
    return told.body['total'] as Record<string, number>
  }
  /** The number in quarantine of one event that is refused. */
  async function refused(input: unknown, more: Partial<Asked> = {}): Promise<number> {
    const told = await fixture.ask({ path: '/collect', token: app.token, body: [input], ...more })
    assert.deepEqual([told.status, codeOf(told)], [400, 'invalid_event'], told.text)
    return (await list('&limit=1'))[0]!.number
  }
  async function changes(work: () => Promise<unknown>): Promise<Record<string, number>> {
    const before = await total()
    await work()
    const after = await total()
    const moved = Object.entries(after).map(([name, value]) => [name, value - before[name]!] as const)
    return Object.fromEntries(moved.filter(([name, by]) => by !== 0 && name !== 'projected' && name !== 'behind'))
  }

  it('keeps what was refused, newest first, by reason, with the beginning of each and all of one', async () => {
    const first = await refused({ event: 'buy', timestamp: FUTURE, value: 7 })
    const second = await refused({ event: '', userId: 'ada' })
    assert.equal(second, first + 1)
    assert.deepEqual((await list('&limit=2')).map(({ number, code, status }) => [number, code, status]), [
      [second, 'invalid_event', 'quarantined'],
      [first, 'timestamp_in_future', 'quarantined'],
    ])
    assert.deepEqual((await list('&code=timestamp_in_future')).map(({ number }) => number), [first])
    const { body } = await asUser({ path: `/quarantine?appId=${app.appId}&limit=1` })
    const next = await list(`&limit=1&cursor=${String(body['nextCursor'])}`)
    assert.deepEqual(next.map(({ number, excerpt }) => [number, JSON.parse(excerpt) as unknown]), [[first, { event: 'buy', timestamp: FUTURE, value: 7 }]])
    assert.deepEqual((await one(first)).body['event'], { event: 'buy', timestamp: FUTURE, value: 7 })
    assert.ok((body['codes'] as { code: string; rejected: number }[]).some(({ code, rejected }) => code === 'invalid_event' && rejected >= 1))
  })

  it('lets a mended event in once, at the instant at which it was received, whoever releases it at the same time', async () => {
    const number = await refused({ event: 'rent', userId: 'bob', timestamp: FUTURE })
    const { receivedAt } = (await one(number)).body
    let told: Told[] = []
    const moved = await changes(async () => {
      told = await Promise.all(Array.from({ length: 5 }, () => release(number, { event: { event: 'rent', userId: 'bob' } })))
    })
    assert.deepEqual(told.map(({ status }) => status).sort(), [200, 200, 200, 200, 201])
    const ids = new Set(told.map(({ body }) => body['eventId']))
    assert.equal(ids.size, 1)
    assert.deepEqual(moved, { accepted: 1, stored: 1, quarantined: -1, released: 1, recorded: 1 })
    const [eventId] = ids
    const { data, occurredAt } = await event(eventId)
    assert.deepEqual([data, occurredAt], [{ event: 'rent', userId: 'bob' }, receivedAt])
    const [entry] = await list(`&cursor=${number + 1}&limit=1`)
    assert.deepEqual([entry!.status, entry!.eventId, typeof entry!.resolvedBy], ['released', eventId, 'string'])
    const path = `/analytics/event-summary?event=rent&after=${String(eventId)}`
    assert.equal((await fixture.ask({ path, token: app.token })).body['count'], 1)
    assert.deepEqual([codeOf(await discard(number))], ['already_released'])
  })

  it('says what is wrong where a release is refused again, and keeps the event', async () => {
    const number = await refused({ event: 'sell', timestamp: FUTURE })
    const moved = await changes(async () => {
      const again = await release(number)
      assert.deepEqual([again.status, again.body['errors']], [400, [{ path: '/timestamp', detail: 'lies more than 24 hours in the future', code: 'timestamp_in_future' }]])
      const worse = await release(number, { event: { event: 'sell', metadata: { a: 'x'.repeat(LIMITS.metadataBytes) } } })
      assert.deepEqual([worse.status, (worse.body['errors'] as object[])[0]], [400, { path: '/event/metadata', detail: `must not exceed ${LIMITS.metadataBytes} bytes`, code: 'metadata_too_large' }])
      assert.equal((await release(number, { event: null })).status, 400)
    })
    assert.deepEqual(moved, {})
    assert.equal((await one(number)).body['status'], 'quarantined')
  })

  it('counts what was sent again under its own id once, in either order', async () => {
    const first = await refused({ event: 'rsvp', id: 'guest-1', timestamp: FUTURE })
    const second = await refused({ event: 'rsvp', id: 'guest-1', timestamp: FUTURE })
    const sent = await fixture.ask({ path: '/collect?ack=stored', token: app.token, body: { event: 'rsvp', id: 'guest-1' } })
    const [id] = sent.body['ids'] as string[]
    const moved = await changes(async () => {
      for (const number of [first, second]) assert.equal((await release(number, { event: { event: 'rsvp', id: 'guest-1' } })).body['eventId'], id)
    })
    assert.deepEqual(moved, { accepted: 2, duplicates: 2, quarantined: -2, released: 2 })
    const third = await refused({ event: 'rsvp', id: 'guest-2', timestamp: FUTURE })
    const mended = { event: 'rsvp', id: 'guest-2' }
    const { eventId } = (await release(third, { event: mended })).body
    const late = await fixture.ask({ path: '/collect?ack=stored', token: app.token, body: mended })
    assert.deepEqual([late.body['ids'], late.body['duplicates']], [[eventId], 1])
  })

  it('leaves what came over a public key what anybody could have sent, and takes what such a key may not say', async () => {
    const { writeKey } = await fixture.issue({ scopes: ['collect'] })
    const number = await refused({ event: 'visit', id: 'mine', userId: 'eve', userAgent: 'x', timestamp: '2020-01-01' }, { token: writeKey })
    const released = await release(number)
    assert.equal(released.status, 201, released.text)
    const { data, occurredAt } = await event(released.body['eventId'])
    assert.deepEqual([data, occurredAt], [{ event: 'visit', userId: 'eve', userAgent: 'x', unverified: true }, '2020-01-01T00:00:00.000Z'])
    const trusted = await fixture.ask({ path: '/collect?ack=stored', token: app.token, body: { event: 'visit', id: 'mine' } })
    assert.notEqual((trusted.body['ids'] as string[])[0], released.body['eventId'])
  })

  it('lets many in at once, after the rules have changed, and says which stay', async () => {
    const number = await refused({ event: 'bulk', timestamp: FUTURE })
    const told = await asUser({ path: '/quarantine/release', body: { appId: app.appId, code: 'not_allowed' } })
    assert.deepEqual([told.status, told.body], [200, { released: 0, refused: [], nextAfter: null }])
    const { writeKey } = await fixture.issue({ scopes: ['collect'] })
    const numbers: number[] = []
    for (let n = 0; n < 3; n++) numbers.push(await refused({ event: 'bulk', value: n, ipAddress: '203.0.113.9' }, { token: writeKey }))
    const moved = await changes(async () => {
      const many = await asUser({ path: '/quarantine/release', body: { appId: app.appId, code: 'not_allowed' } })
      assert.deepEqual(many.body, { released: 3, refused: [], nextAfter: null })
    })
    assert.deepEqual([moved['stored'], moved['released']], [3, 3])
    const future = await asUser({ path: '/quarantine/release', body: { appId: app.appId, code: 'timestamp_in_future', after: number - 1 } })
    const [again] = future.body['refused'] as { number: number; code: string }[]
    assert.deepEqual([future.body['released'], again!.number, again!.code], [0, number, 'timestamp_in_future'])
  })

  it('throws away what nobody wants, with all that it said, and never lets it in again', async () => {
    const number = await refused({ event: 'spam', title: 'buy gold', timestamp: FUTURE })
    let told: Told[] = []
    const moved = await changes(async () => {
      told = await Promise.all([discard(number), discard(number)])
    })
    assert.deepEqual(told.map(({ status, body }) => [status, body]), Array.from({ length: 2 }, () => [200, { number, status: 'discarded' }]))
    assert.deepEqual(moved, { quarantined: -1, discarded: 1 })
    const { body, status, event: kept } = (await one(number)).body
    assert.deepEqual([body, status, kept], ['', 'discarded', null])
    assert.deepEqual([codeOf(await release(number, { event: { event: 'spam' } }))], ['already_discarded'])
  })

  it('decides once between letting in and throwing away at the same time', async () => {
    for (let n = 0; n < 10; n++) {
      const number = await refused({ event: 'fight', timestamp: FUTURE })
      const [let_in, thrown] = await Promise.all([release(number, { event: { event: 'fight' } }), discard(number)])
      const { status } = (await one(number)).body
      assert.deepEqual([let_in.status, thrown.status].sort(), status === 'released' ? [201, 409] : [200, 409])
    }
    await total()
  })

  it('releases nothing that says less than was sent', async () => {
    const long = await refused({ event: 'long', metadata: { text: 'ä'.repeat(LIMITS.metadataBytes) } })
    const deep = await refused(nested(40))
    for (const number of [long, deep]) {
      const { whole, event: kept, body } = (await one(number)).body
      assert.deepEqual([whole, kept], [false, null])
      assert.ok(Buffer.byteLength(body as string) <= LIMITS.metadataBytes)
      assert.deepEqual(codeOf(await release(number)), 'body_not_whole')
    }
    assert.equal((await release(long, { event: { event: 'long' } })).status, 201)
    for (const input of ['', 0, null, [], {}]) assert.equal((await release(await refused(input))).status, 400)
  })

  it('says that what newer ones took the place of is not kept any more, and never loses its count', async () => {
    const { appId, token } = fixture.other
    const send = (count: number): Promise<Told> => fixture.ask({ path: '/collect', token, body: Array.from({ length: count }, () => ({ event: '' })) })
    for (let sent = 0; sent < LIMITS.quarantineBodiesPerApp + 1; sent += 250) await send(250)
    const of = (path: string): Promise<Told> => asUser({ path: `${path}?appId=${appId}` })
    assert.deepEqual([codeOf(await release(1, {}, appId)), codeOf(await discard(1, appId)), codeOf(await of('/quarantine/1'))], ['body_dropped', 'body_dropped', 'body_dropped'])
    assert.equal((await total(appId))['rejected'], LIMITS.quarantineBodiesPerApp + 250)
    assert.equal((await of('/quarantine/9000')).status, 404)
  })

  it('shows nobody what is another app’s, nor says that it is there', async () => {
    const number = await refused({ event: 'mine', timestamp: FUTURE })
    const stranger = { token: fixture.other.token }
    const theirs = await fixture.ask({ path: `/quarantine/${number}?appId=${app.appId}`, ...stranger })
    const nobodys = await fixture.ask({ path: '/quarantine/900000', ...stranger })
    assert.deepEqual([theirs.status, theirs.body], [404, nobodys.body])
    assert.equal((await release(900_000)).status, 404)
    assert.equal((await discard(900_000)).status, 404)
  })
})

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = { a: value }
  return { event: 'deep', metadata: value }
}
