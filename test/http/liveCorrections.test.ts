// Who is here now, after what was collected turned out to be otherwise: another person, another time, a bot, or nothing at all.
import assert from 'node:assert/strict'
import { type Fixture, startFixture, type Told } from './support/fixture.ts'

const BOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'
const NOW = Date.parse('2026-11-22T12:00:00Z')
const ago = (minutes: number): string => new Date(NOW - minutes * 60_000).toISOString()

describe('live numbers and corrections', function () {
  this.timeout(60_000)
  let fixture: Fixture

  before(async () => {
    fixture = await startFixture({}, { clock: { now: () => NOW } })
  })
  after(() => fixture.close())

  const live = async (after: string): Promise<[last5: unknown, last30: unknown, pageviews: number]> => {
    const counted = await fixture.ask({ path: `/analytics/event-summary?after=${after}`, token: fixture.app.token })
    assert.equal(counted.status, 200, counted.text)
    const { body } = await fixture.ask({ path: '/analytics/live', token: fixture.app.token })
    return [body['last5Minutes'], body['last30Minutes'], (body['minutes'] as { pageviews: number }[]).reduce((sum, { pageviews }) => sum + pageviews, 0)]
  }
  const told = async (asked: Promise<Told>): Promise<string> => {
    const { status, text, body } = await asked
    assert.equal(status, 201, text)
    return body['correctionId'] as string
  }
  const post = (path: string, body: object): Promise<Told> => fixture.ask({ path: `${path}?appId=${fixture.app.appId}`, token: fixture.app.userToken, body })
  const correct = (id: string, changes: object): Promise<string> => told(post(`/events/${id}/corrections`, { changes, reason: 'a test' }))
  const retract = (id: string): Promise<string> => told(post(`/events/${id}/retraction`, { reason: 'a test' }))

  it('go by what events were corrected to, and forget what was retracted', async () => {
    const event = (minutes: number, userId: string, more: object = {}): object => ({ event: 'pageview', url: 'https://x.test/', timestamp: ago(minutes), userId, ...more })
    const { body } = await fixture.ask({ path: '/collect?ack=stored', token: fixture.app.token, body: [event(1, 'ann'), event(2, 'bob'), event(3, 'cy'), event(20, 'dan'), event(60, 'eve'), event(2, 'fay', { anonymousId: 'x' }), event(1, 'x', { userId: undefined, anonymousId: 'x' })] })
    const ids = body['ids'] as string[]
    // Read once, so that what is kept of the log is put to the test.
    assert.deepEqual(await live(ids.at(-1)!), [4, 5, 6])
    assert.deepEqual(await live(await correct(ids[1]!, { userId: 'ann' })), [3, 4, 6])
    assert.deepEqual(await live(await correct(ids[2]!, { timestamp: ago(25) })), [2, 4, 6])
    assert.deepEqual(await live(await correct(ids[4]!, { timestamp: ago(4) })), [3, 5, 7])
    assert.deepEqual(await live(await correct(ids[3]!, { userAgent: BOT })), [3, 4, 6])
    assert.deepEqual(await live(await retract(ids[0]!)), [3, 4, 5])
    // With the event that linked them gone, fay was never here, and x is somebody for themselves.
    assert.deepEqual(await live(await retract(ids[5]!)), [3, 4, 4])
    assert.deepEqual(await live(await retract(ids[6]!)), [2, 3, 3])
    assert.deepEqual(await live(await retract(ids[1]!)), [1, 2, 2])
  })
})
