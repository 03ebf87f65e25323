// One person over HTTP: from the tables as far as they know, and from the log where bots, a filter or an earlier moment are
// asked for; and recounted.
import assert from 'node:assert/strict'
import { codeOf, type Fixture, startFixture, type Told } from './support/fixture.ts'

const BOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'
const EVENTS = [
  { event: 'pageview', url: 'https://x.test/', anonymousId: 'a', timestamp: '2026-11-10T10:00:00Z', ipAddress: '203.0.113.77' },
  { event: 'pageview', url: 'https://x.test/a', userId: 'bob', timestamp: '2026-11-10T11:00:00Z' },
  { event: 'signup', userId: 'ann', anonymousId: 'a', timestamp: '2026-11-10T11:10:00Z' },
  { event: 'pageview', url: 'https://x.test/b', userId: 'ann', timestamp: '2026-11-10T12:10:00Z', userAgent: BOT },
]

describe('user-stats over HTTP', function () {
  this.timeout(60_000)
  let fixture: Fixture
  let ids: string[]
  let position: number

  const get = (more: Record<string, string> = {}, token = fixture.app.token): Promise<Told> =>
    fixture.ask({ path: `/analytics/user-stats?${new URLSearchParams({ userId: 'ann', ...more }).toString()}`, token })
  const told = async (more: Record<string, string> = {}): Promise<Record<string, unknown>> => {
    const answer = await get(more)
    assert.equal(answer.status, 200, answer.text)
    return answer.body
  }
  const recount = async (more: Record<string, unknown>): Promise<Record<string, unknown>> => {
    const answer = await fixture.ask({ path: '/recounts', token: fixture.app.userToken, body: { appId: fixture.app.appId, question: 'user-stats', ...more } })
    assert.equal(answer.status, 200, answer.text)
    return answer.body
  }

  before(async () => {
    fixture = await startFixture()
    const collected = await fixture.ask({ path: '/collect?ack=stored', token: fixture.app.token, body: EVENTS })
    assert.equal(collected.status, 201, collected.text)
    ids = collected.body['ids'] as string[]
    position = ((await told({ after: ids.at(-1)! }))['asOf'] as { position: number }).position
  })
  after(() => fixture.close())

  it('says the same from the log as from the tables', async () => {
    const [tables, log] = [await told(), await told({ asOf: String(position) })]
    assert.deepEqual([tables['from'], log['from'], tables['totalEvents'], tables['ipAddress']], ['tables', 'log', 3, '203.0.113.0'])
    assert.deepEqual({ ...log, from: 'tables', asOf: tables['asOf'] }, tables)
    assert.equal('range' in log, false)
  })

  it('leaves out bots, takes them alone, and filters', async () => {
    const counted = async (more: Record<string, string>): Promise<unknown[]> => {
      const { totalEvents, from, recentEvents } = await told(more)
      return [from, totalEvents, (recentEvents as { id: string }[])[0]!.id]
    }
    assert.deepEqual(await counted({ bots: 'include' }), ['tables', 3, ids[3]])
    assert.deepEqual(await counted({ bots: 'exclude' }), ['log', 2, ids[2]])
    assert.deepEqual(await counted({ bots: 'only' }), ['log', 1, ids[3]])
    assert.deepEqual(await counted({ filter: 'page is "/"' }), ['log', 1, ids[0]])
    assert.equal(codeOf(await get({ userId: 'bob', bots: 'only' })), 'not_found')
    for (const refused of [{ bots: 'some' }, { compare: 'previous' }, { from: '2026-11-01' }, { asOf: '999999' }] as Record<string, string>[]) {
      assert.equal(codeOf(await get(refused)), 'invalid_parameter', JSON.stringify(refused))
    }
  })

  it('answers as known before the link: nobody yet, and 404', async () => {
    assert.equal(codeOf(await get({ asOf: '0' })), 'not_found')
    const first = await told({ asOf: String(position - 1) })
    assert.deepEqual([first['totalEvents'], first['lastSeen']], [2, '2026-11-10T11:10:00.000Z'])
  })

  it('is recounted, with the events that it consists of and why one is among them', async () => {
    const body = await recount({ params: { userId: 'ann' }, list: { of: { measure: 'events' } }, explain: { eventId: ids[1] } })
    assert.deepEqual([body['match'], body['from'], 'range' in body], [true, 'tables', false])
    assert.deepEqual((body['recounted'] as { totalEvents: number }).totalEvents, 3)
    assert.deepEqual((body['events'] as { ids: string[] }).ids, [ids[0], ids[2], ids[3]])
    const { counted, reasons } = body['explanation'] as { counted: boolean; reasons: { rule: string; holds: boolean }[] }
    assert.deepEqual([counted, reasons.filter(({ holds }) => !holds).map(({ rule }) => rule)], [false, ['user']])
    const log = await recount({ params: { userId: 'ann', bots: 'exclude' } })
    assert.deepEqual([log['match'], log['from'], (log['recounted'] as { totalEvents: number }).totalEvents], [true, 'log', 2])
  })
})
