// What a release of an event as it is lets in: the very event that /collect would have taken, under the same id, of the same
// person, at the same instant. Whoever was told apart before quarantine is told apart after it.
import assert from 'node:assert/strict'
import { codeOf, type Fixture, startFixture, type Told } from './support/fixture.ts'

const DAY_MS = 86_400_000

describe('events out of quarantine as they were sent', function () {
  this.timeout(60_000)
  let fixture: Fixture
  let app: Fixture['app']
  let writeKey: string
  before(async () => {
    fixture = await startFixture()
    app = fixture.app
    writeKey = (await fixture.issue({ scopes: ['collect'] })).writeKey
  })
  after(() => fixture.close())

  const release = (number: number, body: object = {}): Promise<Told> => fixture.ask({ path: `/quarantine/${number}/release`, token: app.userToken, body: { appId: app.appId, ...body } })
  const one = async (number: number): Promise<Record<string, unknown>> => (await fixture.ask({ path: `/quarantine/${number}?appId=${app.appId}`, token: app.userToken })).body
  const event = async (eventId: unknown): Promise<Record<string, unknown>> => (await fixture.ask({ path: `/events/${String(eventId)}?appId=${app.appId}`, token: app.userToken })).body
  const collect = (body: unknown): Promise<Told> => fixture.ask({ path: '/collect?ack=stored', token: writeKey, body })
  async function newest(): Promise<number> {
    const told = await fixture.ask({ path: `/quarantine?appId=${app.appId}&limit=1`, token: app.userToken })
    return (told.body['events'] as { number: number }[])[0]!.number
  }
  async function refused(input: unknown): Promise<number> {
    const told = await collect([input])
    assert.deepEqual([told.status, codeOf(told)], [400, 'invalid_event'], told.text)
    return newest()
  }
  async function released(number: number): Promise<Record<string, unknown> & { id: string }> {
    const told = await release(number)
    assert.equal(told.status, 201, told.text)
    const id = told.body['eventId'] as string
    return { ...(await event(id)), id }
  }
  async function setIp(ip: string): Promise<void> {
    const told = await fixture.ask({ method: 'PATCH', path: `/apps/${app.appId}`, token: app.userToken, body: { ip } })
    assert.equal(told.status, 200, told.text)
  }

  for (const [kind, ids] of [
    ['URLs', ['https://shop.example/order?no=1', 'https://shop.example/order?no=2']],
    ['addresses', ['203.0.113.1-1700000000', '203.0.113.2-1700000000']],
  ] as const) {
    it(`keeps two events two whose ids look like ${kind}, and takes what is mended and sent again for the same`, async () => {
      const name = `order by ${kind}`
      const inputs = ids.map((id, index) => ({ id, event: name, anonymousId: `v${index}` }))
      const numbers: number[] = []
      for (const input of inputs) numbers.push(await refused({ ...input, userAgent: 'X' }))
      const first = await released(numbers[0]!)
      const second = await released(numbers[1]!)
      assert.notEqual(first.id, second.id)
      const again = await collect(inputs)
      assert.deepEqual([again.body['ids'], again.body['duplicates']], [[first.id, second.id], 2])
      const path = `/analytics/event-summary?event=${encodeURIComponent(name)}&after=${second.id}`
      assert.equal((await fixture.ask({ path, token: app.token })).body['count'], 2)
    })
  }

  it('changes nothing that /collect would have kept, whatever it looks like, and reduces what /collect reduces', async () => {
    const same = {
      ...{ event: 'v2.0.0.1 released', title: 'On https://x.example/?a=1 from 10.1.2.3', userId: 'https://id.example/?user=7', anonymousId: '10.1.2.3' },
      ...{ sessionId: '2001:db8:1:2::3', device: '10.0.0.1', userAgent: 'Chrome/120.0.0.0', screen: '1.1.1.1', language: '::1', value: 7, currency: 'EUR' },
      metadata: { seen: '203.0.113.9', link: 'https://u:p@x.example/?q=1' },
    }
    for (const ip of ['truncate', 'none']) {
      await setIp(ip)
      const number = await refused({ ...same, url: 'https://u:p@10.1.2.3/a?token=x&utm_source=n#f', referrer: 'https://10.9.8.7/?token=y' })
      assert.equal((await one(number))['whole'], true)
      const { data } = await released(number)
      assert.deepEqual(data, { ...same, url: 'https://10.1.2.3/a?utm_source=n', referrer: 'https://10.9.8.7/', unverified: true })
    }
    await setIp('truncate')
  })

  it('lets in an event that named its address where the app keeps none of it, or a part', async () => {
    for (const [ip, kept] of [['none', undefined], ['truncate', '203.0.113.0']] as const) {
      await setIp(ip)
      const number = await refused({ event: 'from', ipAddress: '203.0.113.7' })
      assert.doesNotMatch((await one(number))['body'] as string, /203\.0\.113\.7/)
      const { data } = await released(number)
      assert.equal((data as { ip?: string }).ip, kept)
    }
  })

  it('counts as not whole what was reduced further than /collect would have done', async () => {
    await setIp('none')
    // With the address gone the name would be one that is taken.
    for (const input of [{ event: 'a', '203.0.113.7userId': 'eve' }, { event: 'a', link: 'https://x.example/?secret=1' }, { event: 'a', userId: ['203.0.113.7'] }]) {
      const number = await refused(input)
      const { whole, event: kept, body } = await one(number)
      assert.deepEqual([whole, kept], [false, null])
      assert.doesNotMatch(body as string, /203\.0\.113\.7|secret/)
      assert.equal(codeOf(await release(number)), 'body_not_whole')
      assert.equal((await release(number, { event: { event: 'a' } })).status, 201)
    }
    await setIp('truncate')
  })

  it('corrects the clock of whoever sent it as /collect did for what was sent with it', async () => {
    const now = Date.now()
    for (const days of [-2, 3]) {
      const at = new Date(now + days * DAY_MS).toISOString()
      const told = await collect({ sentAt: at, events: [{ event: 'clock', timestamp: at }, { event: 'clock', timestamp: at, userAgent: 'bad' }] })
      const [sibling] = told.body['ids'] as string[]
      const number = await newest()
      const skewMs = (await one(number))['skewMs'] as number
      assert.ok(Math.abs(skewMs + days * DAY_MS) < 60_000, String(skewMs))
      const { occurredAt } = await released(number)
      assert.equal(occurredAt, (await event(sibling))['occurredAt'])
    }
  })

  it('takes a mended event at its word: its timestamp is not corrected', async () => {
    const sentAt = new Date(Date.now() - 2 * DAY_MS).toISOString()
    await fixture.ask({ path: '/collect', token: writeKey, body: { sentAt, events: [{ event: 'clock', timestamp: sentAt, userAgent: 'bad' }] } })
    const told = await release(await newest(), { event: { event: 'clock', timestamp: '2026-01-01T00:00:00Z' } })
    assert.equal((await event(told.body['eventId']))['occurredAt'], '2026-01-01T00:00:00.000Z')
  })
})
