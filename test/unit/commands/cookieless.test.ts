// Who an event without userId and anonymousId comes from, and what is left of the address afterwards.
import assert from 'node:assert/strict'
import { quarantined } from '../../../src/commands/quarantine.ts'
import { importContext, isRefusal, prepareEvent } from '../../../src/commands/prepareEvent.ts'
import type { EventCollected } from '../../../src/events/eventCollected.ts'
import { appState, memorySalts, NOW, setup } from './collecting.ts'

const browser = { browser: true, address: '203.0.113.7', userAgent: 'Firefox' }

describe('cookieless ids', () => {
  it('come from a browser request, and the address is truncated after', async () => {
    const { collect, data } = setup()
    await collect({ event: 'a' }, browser)
    await collect({ event: 'a' }, { ...browser, address: '::ffff:203.0.113.7' })
    await collect({ event: 'a' }, { ...browser, address: '203.0.113.8' })
    await collect({ event: 'a' }, { ...browser, userAgent: 'Chrome' })
    const [first, mapped, neighbour, agent] = data()
    assert.deepEqual(first, { event: 'a', ip: '203.0.113.0', cookieless: first!.cookieless!, userAgent: 'Firefox', browser: true })
    assert.match(first.cookieless, /^[\w-]{22}$/)
    assert.equal(mapped!.cookieless, first.cookieless)
    assert.equal(new Set([first, neighbour, agent].map((event) => event!.cookieless)).size, 3)
  })

  it('never come from the request of a server', async () => {
    const { collect, data } = setup()
    await collect({ event: 'a' }, { ...browser, browser: false })
    assert.deepEqual(data(), [{ event: 'a' }])
  })

  it('come from the address that a server sends, with or without a user agent', async () => {
    const { collect, data } = setup()
    await collect([{ event: 'a', ipAddress: '203.0.113.7', userAgent: 'Firefox' }, { event: 'a', ipAddress: '203.0.113.7' }, { event: 'a', userAgent: 'Firefox' }])
    await collect({ event: 'a' }, browser)
    const [both, address, agent, own] = data()
    assert.equal(both!.cookieless, own!.cookieless)
    assert.equal(both!.browser, undefined)
    assert.notEqual(address!.cookieless, both!.cookieless)
    assert.deepEqual(agent, { event: 'a', userAgent: 'Firefox' })
  })

  it('change with the local day on which the event occurred', async () => {
    const { collect, data } = setup({ timezone: 'Asia/Kathmandu' })
    const event = { event: 'a', ipAddress: '203.0.113.7' }
    await collect([{ ...event, timestamp: '2026-11-20T18:14:59Z' }, { ...event, timestamp: '2026-11-20T18:15:00Z' }, { ...event, timestamp: '2026-11-21T18:14:59Z' }])
    const [before, after, late] = data()
    assert.notEqual(before!.cookieless, after!.cookieless)
    assert.equal(after!.cookieless, late!.cookieless)
  })

  it('stay when the app keeps no addresses', async () => {
    const { collect, data } = setup({ ip: 'none' })
    await collect({ event: 'a' }, browser)
    assert.deepEqual(Object.keys(data()[0]!), ['event', 'cookieless', 'userAgent', 'browser'])
  })
})

describe('imports', () => {
  it('are not interactive where METRICS says so, and ask for each salt once', async () => {
    const salts = memorySalts()
    const context = importContext(appState(), null, NOW)
    const data: EventCollected[] = []
    for (const event of ['pageview', 'asset', 'request', 'error', 'asset']) {
      const prepared = await prepareEvent({ event, url: '/', ipAddress: '203.0.113.7', timestamp: '2015-05-17T10:05:03Z' }, context, salts)
      assert.ok(!isRefusal(prepared))
      data.push(JSON.parse(prepared.data) as EventCollected)
    }
    assert.deepEqual(data.map(({ interactive }) => interactive), [undefined, false, false, false, false])
    assert.deepEqual(salts.fetched, ['2015-05-17'])
  })
})

describe('quarantine', () => {
  const context = importContext(appState(), null, NOW)

  it('reduces addresses and URLs wherever they stand, and keeps metadata as sent', () => {
    const body = {
      event: 'a', ipAddress: '203.0.113.7', ip: '2001:db8:1:2::3', nested: { from: ['::ffff:203.0.113.9'] }, url: '/a?token=x',
      link: 'https://u:p@x.example/?secret=1', metadata: { ip: '203.0.113.7' },
    }
    const kept = quarantined(body, 'invalid_event', '/ip is unknown', context)
    assert.deepEqual(JSON.parse(kept.body), {
      event: 'a', ipAddress: '203.0.113.0', ip: '2001:db8:1::', nested: { from: ['203.0.113.0'] }, url: '/a', link: 'https://x.example/',
      metadata: { ip: '203.0.113.7' },
    })
  })

  it('is bounded in bytes and depth', () => {
    assert.ok(Buffer.byteLength(quarantined({ text: '€'.repeat(50_000) }, 'c', 'd', context).body) <= 32_768)
    const deep = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) as unknown
    assert.ok(quarantined(deep, 'c', 'd', context).body.length < 200)
    assert.ok(quarantined({ metadata: deep }, 'c', 'd', context).body.length < 200)
    assert.equal(quarantined(null, 'c', 'd', context).body, 'null')
  })

  it('finds addresses that are the fault themselves: with a port, in a list, in brackets, in a name', () => {
    const addresses = ['203.0.113.77:8080', '203.0.113.77, 10.0.0.1', '[2001:DB8:1:2:cccc:dddd:eeee:1234]:443', 'for=::ffff:203.0.113.77;by=x']
    const kept = quarantined({ ipAddress: addresses, url: 'bad 203.0.113.77', [addresses[0]!]: 1 }, 'c', '/203.0.113.77 is unknown', context)
    assert.deepEqual(JSON.parse(kept.body), {
      ipAddress: ['203.0.113.0:8080', '203.0.113.0, 10.0.0.0', '[2001:db8:1::]:443', 'for=203.0.113.0;by=x'],
      url: 'bad 203.0.113.0',
      '203.0.113.0:8080': 1,
    })
    assert.equal(kept.detail, '/203.0.113.0 is unknown')
  })

  it('says of a body whether more was reduced than of an event that is taken', () => {
    const alteredBy = (body: object): boolean => quarantined({ event: 'a', ...body }, 'c', 'd', context).altered === true
    const taken = [
      { ipAddress: '203.0.113.7', url: 'https://u:p@x.example/?a=1#b', referrer: 'http://10.1.2.3/?q=1', metadata: { ip: '10.1.2.3' }, userId: '10.1.2.3' },
      { url: 'no link' }, { ipAddress: 'none' }, { timestamp: 7, value: 'x', more: ['text', 1, null] },
    ]
    assert.deepEqual(taken.map(alteredBy), taken.map(() => false))
    const altered = [
      { ipAddress: '203.0.113.7:80' }, { ipAddress: ' 203.0.113.7' }, { url: 'at 203.0.113.7' }, { userId: ['10.1.2.3'] }, { value: '10.1.2.3' }, { more: 'https://x.example/?a=1' },
      { more: { '10.1.2.3': 1 } }, { '10.1.2.3': 1 }, { metadata: ['10.1.2.3'] }, { metadata: '10.1.2.3' },
    ]
    assert.deepEqual(altered.map(alteredBy), altered.map(() => true))
    assert.deepEqual(taken.map((body) => quarantined(body, 'c', 'd', { ...context, skewMs: -5 }).skewMs), taken.map(() => -5))
  })

  it('takes nothing else for an address', () => {
    const body = { at: '2026-11-22T12:30:45.123Z', agent: 'Chrome/142.0.7444.60', name: 'std::vector', ratio: '16:9', mac: '00:1b:44:11:3a:b7' }
    assert.deepEqual(JSON.parse(quarantined(body, 'c', 'd', context).body), body)
  })
})
