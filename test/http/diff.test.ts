// What changed between two moments of the log: what came late shows up, what did not stays out.
import assert from 'node:assert/strict'
import { codeOf, type Fixture, startFixture, type Told } from './support/fixture.ts'

const DAY = { from: '2026-11-10', to: '2026-11-11' }

interface Change {
  readonly path: string
  readonly a: unknown
  readonly b: unknown
  readonly by: number | null
}

describe('differences between two moments over HTTP', function () {
  this.timeout(60_000)
  let fixture: Fixture
  let nowMs = Date.parse('2026-11-22T12:00:00Z')
  let early: number
  let recordedAt: string

  const collect = async (...events: Record<string, unknown>[]): Promise<string> => {
    const told = await fixture.ask({ path: '/collect?ack=stored', token: fixture.app.token, body: events })
    return (told.body['ids'] as string[]).at(-1)!
  }
  const diff = (query: Record<string, string>, headers: Record<string, string> = {}, token = fixture.app.token): Promise<Told> =>
    fixture.ask({ path: `/analytics/diff?${new URLSearchParams({ ...DAY, ...query }).toString()}`, token, headers })
  const changes = async (query: Record<string, string>): Promise<readonly Change[]> => {
    const told = await diff(query)
    assert.equal(told.status, 200, told.text)
    return told.body['changes'] as readonly Change[]
  }
  const counted = async (id: string): Promise<{ position: number; recordedAt: string }> => {
    const told = await fixture.ask({ path: `/analytics/event-summary?after=${id}`, token: fixture.app.token })
    await fixture.ask({ path: `/analytics/overview?after=${id}`, token: fixture.app.token })
    return told.body['asOf'] as { position: number; recordedAt: string }
  }

  before(async () => {
    fixture = await startFixture({}, { clock: { now: () => nowMs } })
    const view = { event: 'pageview', url: 'https://x.test/', userId: 'ann', timestamp: '2026-11-10T10:00:00Z' }
    ;({ position: early, recordedAt } = await counted(await collect(view)))
    nowMs += 60_000
    await counted(await collect({ ...view, url: 'https://x.test/late', userId: 'bob', timestamp: '2026-11-10T12:00:00Z' }, { ...view, timestamp: '2026-11-12T10:00:00Z' }))
  })
  after(() => fixture.close())

  it('names every number that changed, by how much, and both answers', async () => {
    const summary = await diff({ question: 'event-summary', a: String(early) })
    assert.deepEqual(summary.body['changes'], [
      { path: '/count', a: 1, b: 2, by: 1 },
      { path: '/uniqueUsers', a: 1, b: 2, by: 1 },
      { path: '/deviceData/unknown', a: 1, b: 2, by: 1 },
    ])
    assert.deepEqual(summary.body['a'], { position: early, recordedAt })
    assert.equal((summary.body['b'] as { position: number }).position, early + 2)
    assert.deepEqual((summary.body['answers'] as { a: { count: number } }).a.count, 1)
    const rows = await changes({ question: 'breakdown', dimension: 'page', a: String(early) })
    assert.deepEqual(rows.find(({ path }) => path === '/rows/~1late/events'), { path: '/rows/~1late/events', a: null, b: 1, by: null })
    assert.ok(!rows.some(({ path }) => path.startsWith('/rows/~1/')), JSON.stringify(rows))
    assert.deepEqual(
      (await changes({ question: 'timeseries', interval: 'hour', a: recordedAt })).map(({ path, by }) => [path, by]),
      ['visitors', 'visits', 'pageviews', 'events'].map((name) => [`/points/2026-11-10T12:00:00.000Z/${name}`, 1]),
    )
  })

  it('takes a filter, and either moment as a position or a time', async () => {
    assert.deepEqual(await changes({ question: 'overview', a: '0', b: '0' }), [])
    assert.deepEqual(await changes({ question: 'overview', a: recordedAt, b: String(early) }), [])
    const filtered = await changes({ question: 'event-summary', filter: 'page is "/late"', a: recordedAt, b: new Date(nowMs).toISOString() })
    assert.deepEqual(filtered.find(({ path }) => path === '/count'), { path: '/count', a: 0, b: 1, by: 1 })
  })

  it('is kept, and 304 for whoever has it', async () => {
    const first = await diff({ question: 'overview', a: String(early) })
    const again = await diff({ question: 'overview', a: String(early) }, { 'if-none-match': first.headers.etag! })
    assert.equal(again.status, 304)
    const other = await diff({ question: 'overview', a: '0' })
    assert.notEqual(other.headers.etag, first.headers.etag)
  })

  it('refuses what it cannot make sense of', async () => {
    const fault = async (query: Record<string, string>): Promise<string> => {
      const told = await diff(query)
      assert.deepEqual([told.status, codeOf(told)], [400, 'invalid_parameter'], told.text)
      return (told.body['errors'] as { path: string }[])[0]!.path
    }
    assert.equal(await fault({ question: 'overview' }), 'a')
    assert.equal(await fault({ question: 'overview', a: '1', b: '999999' }), 'b')
    assert.equal(await fault({ question: 'overview', a: '1', interval: 'day' }), 'interval')
    assert.equal(await fault({ question: 'overview', a: '1', asOf: '1' }), 'asOf')
    assert.equal(await fault({ question: 'user-stats', a: '1' }), 'question')
    assert.equal((await diff({ question: 'overview', a: '1', appId: fixture.other.appId })).status, 404)
  })
})
