// Reading back over HTTP what was written: apps, keys, numbers, people, events, each as fresh as the reader may expect.
import assert from 'node:assert/strict'
import { eventually } from '../support/eventually.ts'
import { type Fixture, startFixture } from './support/fixture.ts'

describe('reading over HTTP', function () {
  this.timeout(30_000)
  let fixture: Fixture

  before(async () => {
    fixture = await startFixture()
  })
  after(() => fixture.close())

  it('shows an app as its owner has just left it', async () => {
    const token = fixture.app.userToken
    const { appId } = (await fixture.ask({ path: '/auth/register', token, body: { name: 'Bakery' } })).body as { appId: string }
    const path = `/apps/${appId}`
    assert.equal((await fixture.ask({ path, token })).body['name'], 'Bakery')
    const changed = await fixture.ask({ method: 'PATCH', path, token, body: { name: 'Café', timezone: 'Europe/Paris' } })
    assert.deepEqual([changed.status, changed.body['name'], changed.body['timezone']], [200, 'Café', 'Europe/Paris'])
    const told = await fixture.ask({ path, token })
    assert.deepEqual([told.body['name'], told.body['timezone']], ['Café', 'Europe/Paris'])
    assert.equal((await fixture.ask({ path, token, headers: { 'if-none-match': told.headers.etag! } })).status, 304)
    await fixture.ask({ method: 'DELETE', path, token })
    const { apps } = (await fixture.ask({ path: '/apps', token })).body as { apps: { appId: string }[] }
    assert.ok(!apps.some((app) => app.appId === appId) && apps.some((app) => app.appId === fixture.app.appId))
  })

  it('lists keys so that they can be recognised and not used, a page at a time', async () => {
    const token = fixture.app.userToken
    const key = await fixture.issue({ name: 'Website' })
    const list = `/auth/api-key?appId=${fixture.app.appId}`
    const told = await fixture.ask({ path: list, token })
    const keys = told.body['keys'] as { keyId: string; name: string }[]
    assert.equal(keys.find(({ keyId }) => keyId === key.keyId)?.name, 'Website')
    assert.ok(!told.text.includes(key.writeKey) && !told.text.includes(key.token))
    const first = await fixture.ask({ path: `${list}&limit=1`, token })
    const second = await fixture.ask({ path: `${list}&limit=1&cursor=${String(first.body['nextCursor'])}`, token })
    assert.equal((first.body['keys'] as unknown[]).length, 1)
    assert.notDeepEqual(first.body['keys'], second.body['keys'])
  })

  it('counts what was collected, waits for it with `after`, and answers 304 until more comes', async () => {
    const { token, appId, userToken } = fixture.app
    const userAgent = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1'
    const event = { event: 'order', userId: 'ann', userAgent, ipAddress: '203.0.113.77' }
    const { body } = await fixture.ask({ path: '/collect', token, body: [event, event, { ...event, userId: 'bob' }] })
    const last = (body['ids'] as string[]).at(-1)!
    const path = '/analytics/event-summary?event=order'
    const told = await fixture.ask({ path: `${path}&after=${last}`, token })
    assert.equal(told.status, 200, told.text)
    assert.deepEqual([told.body['count'], told.body['uniqueUsers']], [3, 2])
    const etag = told.headers.etag!
    assert.equal((await fixture.ask({ path, token, headers: { 'if-none-match': etag } })).status, 304)
    const byUser = await fixture.ask({ path: `${path}&appId=${appId}`, token: userToken })
    assert.equal(byUser.body['count'], 3)
    const more = await fixture.ask({ path: '/collect', token, body: event })
    const fresh = await fixture.ask({ path: `${path}&after=${(more.body['ids'] as string[])[0]!}`, token, headers: { 'if-none-match': etag } })
    assert.deepEqual([fresh.status, fresh.body['count']], [200, 4])
    const ann = await fixture.ask({ path: `/analytics/user-stats?userId=ann&after=${(more.body['ids'] as string[])[0]!}`, token })
    assert.deepEqual([ann.body['totalEvents'], ann.body['ipAddress']], [3, '203.0.113.0'])
    assert.equal((await fixture.ask({ path: '/analytics/user-stats?userId=nobody', token })).status, 404)
    const events = await fixture.ask({ path: '/events?limit=2&event=order', token })
    assert.equal((events.body['events'] as unknown[]).length, 2)
  })

  it('shows projections to the owner, who may rebuild them while they serve', async () => {
    const token = fixture.app.userToken
    const liveBuild = async (): Promise<unknown> => {
      const told = await fixture.ask({ path: '/projections', token })
      return (told.body['projections'] as { name: string; liveBuild: number }[]).find(({ name }) => name === 'eventSummary')?.liveBuild
    }
    const before = await liveBuild()
    const rebuilt = await fixture.ask({ path: '/projections/eventSummary/rebuild', token, body: {} })
    assert.equal(rebuilt.status, 202, rebuilt.text)
    await eventually(async () => (await liveBuild()) !== before)
  })
})
