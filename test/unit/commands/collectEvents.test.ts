// What /collect makes of what it is sent.
import assert from 'node:assert/strict'
import { Problem } from '../../../src/errors.ts'
import { isUuid, uuidv5 } from '../../../src/kernel/ids.ts'
import { APP, KEY, NOW, setup } from './collecting.ts'

const DAY = 86_400_000
const ID = '0190A0C2-1111-7000-8000-00000000000F'

async function problem(work: Promise<unknown>): Promise<Problem> {
  const error = await work.then(
    () => assert.fail('was not refused'),
    (caught: unknown) => caught,
  )
  assert.ok(error instanceof Problem, String(error))
  return error
}

describe('collecting events', () => {
  it('takes one event, a list and an envelope', async () => {
    const { collect, parcels } = setup()
    assert.equal((await collect({ event: 'a' })).accepted, 1)
    assert.equal((await collect([{ event: 'a' }, { event: 'b' }])).accepted, 2)
    assert.equal((await collect({ events: [{ event: 'a' }], writeKey: 'rk_x' })).accepted, 1)
    assert.deepEqual(parcels.map(({ partition, receivedAt, events }) => [partition, receivedAt, events.length]), [[3, NOW, 1], [3, NOW, 2], [3, NOW, 1]])
    const [event] = parcels[0]!.events
    assert.deepEqual({ ...event, eventId: '' }, {
      eventId: '', appId: APP, type: 'EventCollected', schemaVersion: 1, occurredAt: NOW, data: '{"event":"a"}', meta: `{"keyId":"${KEY.keyId}"}`,
    })
  })

  it('keeps every field', async () => {
    const { collect, data } = setup()
    const event = {
      event: 'buy', title: 'Shop', userId: 'u', anonymousId: 'a', sessionId: 's', device: 'mobile', userAgent: 'UA', screen: '1x1',
      language: 'de', value: 9.5, currency: 'EUR', metadata: { b: [1, { c: null }], a: 'ä' },
    }
    await collect(event)
    assert.deepEqual(data(), [event])
  })

  it('keeps ids that are UUIDs in lower case, maps others into the app, makes missing ones', async () => {
    const { collect } = setup()
    const { ids } = await collect([{ event: 'a', id: ID }, { event: 'a', id: 'order-1' }, { event: 'a', id: 'order-1' }, { event: 'a' }])
    assert.deepEqual(ids.slice(0, 3), [ID.toLowerCase(), uuidv5(APP, 'order-1'), uuidv5(APP, 'order-1')])
    assert.match(ids[3]!, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  })

  it('gives ids over a public write key a namespace of their own, UUIDs too', async () => {
    const { collect } = setup()
    const publicIds = (await collect([{ event: 'a', id: ID }, { event: 'a', id: 'x' }], { viaPublicKey: true })).ids
    const again = (await collect([{ event: 'a', id: ID.toLowerCase() }, { event: 'a', id: 'x' }], { viaPublicKey: true })).ids
    const trusted = (await collect([{ event: 'a', id: ID }, { event: 'a', id: 'x' }, { event: 'a', id: 'publicx' }])).ids
    assert.deepEqual(publicIds, again)
    assert.ok(publicIds.every((id) => id !== null && isUuid(id) && !trusted.includes(id)))
  })

  it('refuses what a public write key may not send, and marks its userId', async () => {
    const { collect, data } = setup()
    const { ids, rejected } = await collect(
      [{ event: 'a', ipAddress: '1.2.3.4' }, { event: 'a', userAgent: 'x' }, { event: 'a', timestamp: new Date(NOW - 7 * DAY - 1).toISOString() },
        { event: 'a', userId: 'u', timestamp: new Date(NOW - 7 * DAY).toISOString() }],
      { viaPublicKey: true },
    )
    assert.deepEqual(rejected.map(({ index, code }) => [index, code]), [[0, 'not_allowed'], [1, 'not_allowed'], [2, 'timestamp_too_old']])
    assert.deepEqual(ids.map((id) => id === null), [true, true, true, false])
    assert.deepEqual(data(), [{ event: 'a', userId: 'u', unverified: true }])
  })

  it('corrects timestamps by sentAt, before judging them', async () => {
    const { collect, parcels } = setup()
    const clientNow = NOW - 3 * DAY
    await collect({ events: [{ event: 'a', timestamp: new Date(clientNow - 5_000).toISOString() }, { event: 'b' }], sentAt: new Date(clientNow).toISOString() })
    assert.deepEqual(parcels[0]!.events.map(({ occurredAt }) => occurredAt), [NOW - 5_000, NOW])
    const ahead = await problem(collect({ events: [{ event: 'a', timestamp: new Date(clientNow + DAY + 1).toISOString() }], sentAt: new Date(clientNow).toISOString() }))
    assert.deepEqual([ahead.code, ahead.errors], ['invalid_event', [{ path: '/events/0/timestamp', detail: 'lies more than 24 hours in the future', code: 'timestamp_in_future' }]])
  })

  it('takes up to 24 hours of future and refuses more', async () => {
    const { collect } = setup()
    const at = (ms: number): string => new Date(NOW + ms).toISOString()
    const { rejected } = await collect([{ event: 'a', timestamp: at(DAY) }, { event: 'a', timestamp: at(DAY + 1) }, { event: 'a', timestamp: '1969-12-31T23:59:59Z' }])
    assert.deepEqual(rejected.map(({ index, code }) => [index, code]), [[1, 'timestamp_in_future'], [2, 'invalid_event']])
  })

  it('reads a time without offset in the zone of the app', async () => {
    const { collect, parcels } = setup({ timezone: 'Asia/Kathmandu' })
    await collect({ event: 'a', timestamp: '2026-11-22T10:00:00' })
    assert.equal(new Date(parcels[0]!.events[0]!.occurredAt).toISOString(), '2026-11-22T04:15:00.000Z')
  })

  it('rejects what is invalid with its path and takes the rest', async () => {
    const { collect, parcels } = setup()
    const bad: [unknown, RegExp][] = [
      [{ event: 'pageview' }, /^url: /], [{ event: '' }, /^event: /], [{}, /^event: /], [{ event: 'a', nonsense: 1 }, /^nonsense: /],
      [{ event: 'a', metadata: [] }, /^metadata: /], [{ event: 'a', value: '9' }, /^value: /], [{ event: 'a', currency: 'eur' }, /^currency: /],
      [{ event: 'x'.repeat(129) }, /^event: /], [{ event: 'a', timestamp: '2026-02-30' }, /^timestamp: /], [{ event: 'a', url: 'javascript:alert(1)' }, /^url: /],
      [{ event: 'a', ipAddress: '1.2.3' }, /^ipAddress: /], ['text', /./], [null, /./], [7, /./], [[], /./],
      [{ event: 'a', metadata: Object.fromEntries(Array.from({ length: 65 }, (_, key) => [`k${key}`, 1])) }, /^metadata: /],
      [{ event: 'a', metadata: { text: 'x'.repeat(33_000) } }, /^metadata: must not exceed/],
      [{ event: 'a', metadata: JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`) as unknown }, /^metadata: must not be nested/],
    ]
    const { accepted, ids, rejected } = await collect([...bad.map(([event]) => event), { event: 'good' }])
    assert.equal(accepted, 1)
    assert.equal(ids.length, bad.length + 1)
    assert.deepEqual(rejected.map(({ index }) => index), bad.map((_, index) => index))
    rejected.forEach(({ detail }, index) => assert.match(detail, bad[index]![1]))
    assert.equal(parcels[0]!.rejected.length, bad.length)
  })

  it('takes metadata up to the bound in bytes, not characters', async () => {
    const { collect } = setup()
    const metadata = { a: 'ü'.repeat((32_768 - 8) / 2) }
    assert.equal((await collect({ event: 'a', metadata })).accepted, 1)
    assert.equal((await problem(collect({ event: 'a', metadata: { a: `${metadata.a}x` } }))).code, 'invalid_event')
  })

  it('answers invalid_event with every path when nothing is valid, and still keeps it in quarantine', async () => {
    const { collect, parcels } = setup()
    const refused = await problem(collect([{ event: 1 }, { event: 'pageview' }]))
    assert.deepEqual([refused.code, refused.status, refused.errors?.map(({ path }) => path)], ['invalid_event', 400, ['/0/event', '/1/url']])
    assert.equal(parcels[0]!.rejected.length, 2)
    assert.equal((await problem(collect({ event: 1 }))).errors?.[0]?.path, '/event')
  })

  it('refuses a body that is none of the forms', async () => {
    const { collect, parcels } = setup()
    const bodies = ['x', 1, null, true, [], { events: [] }, { events: 1 }, { events: [{ event: 'a' }], more: 1 }, { events: [{ event: 'a' }], sentAt: 'yesterday!' },
      { events: [{ event: 'a' }], sentAt: 5 }, Array.from({ length: 501 }, () => ({ event: 'a' }))]
    for (const body of bodies) assert.equal((await problem(collect(body))).code, 'invalid_body', JSON.stringify(body).slice(0, 60))
    assert.equal(parcels.length, 0)
  })

  it('is interactive unless it says not, or is an engagement', async () => {
    const { collect, data } = setup()
    await collect([{ event: 'a' }, { event: 'a', interactive: false }, { event: 'engagement' }, { event: 'engagement', interactive: true }, { event: 'asset' }])
    assert.deepEqual(data().map(({ interactive }) => interactive), [undefined, false, false, undefined, undefined])
  })

  it('reduces URLs as the app says', async () => {
    const { collect, data } = setup({ keepQuery: ['q'] })
    await collect({ event: 'pageview', url: 'https://u:p@x.example/a?q=1&t=2#f', referrer: '#only-fragment' })
    assert.deepEqual(data(), [{ event: 'pageview', url: 'https://x.example/a?q=1' }])
  })

  it('answers with places when asked to wait for the commit', async () => {
    const places = [{ position: 7, duplicate: false }, null, { position: 3, duplicate: true }]
    const { collect } = setup({}, { appendStored: () => Promise.resolve(places) })
    const answer = await collect([{ event: 'a' }, { event: 1 }, { event: 'b' }, { event: 'c' }], { ackStored: true })
    assert.deepEqual({ ...answer, ids: answer.ids.map((id) => id !== null) }, {
      status: 201, accepted: 2, ids: [true, false, false, true], positions: [7, null, null, 3], duplicates: 1,
      rejected: [{ index: 1, code: 'invalid_event', detail: answer.rejected[0]!.detail }, { index: 2, code: 'not_storable', detail: 'the store cannot hold this event' }],
    })
  })

  it('answers 202 where no commit was seen in time', async () => {
    const { collect } = setup({}, { appendStored: () => Promise.resolve(undefined) })
    const answer = await collect({ event: 'a' }, { ackStored: true })
    assert.deepEqual([answer.status, answer.positions], [202, undefined])
  })
})
