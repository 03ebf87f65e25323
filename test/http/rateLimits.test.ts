// Limits by address, account, key and guess, in one process: exact, told in RateLimit fields, bounded in memory.
import assert from 'node:assert/strict'
import { createBudgets, type Policy, type Standing } from '../../src/http/budgets.ts'
import { limitedAs } from '../../src/http/clientAddress.ts'
import { createRateLimiter } from '../../src/http/rateLimiter.ts'
import { createRedisBudgets } from '../../src/http/redisBudgets.ts'
import { LIMITS } from '../../src/limits.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { eventually } from '../support/eventually.ts'
import { ID } from './support/fakeDeps.ts'
import { type Asked, codeOf, type Fixture, OWNER_CODE, startFixture, type Told } from './support/fixture.ts'

const outcome = (told: Told): string => `${told.status} ${codeOf(told)}`.trim()
const EVENT = { event: 'signup' }

async function outcomes(fixture: Fixture, asked: Asked, times: number): Promise<string[]> {
  const told: string[] = []
  for (let count = 0; count < times; count++) told.push(outcome(await fixture.ask(asked)))
  return told
}

describe('rate limits', function () {
  this.timeout(60_000)
  let fixture: Fixture

  before(async () => (fixture = await startFixture({ RATE_LIMIT: 'on' })))
  after(() => fixture.close())

  it('holds a key to its own limit wherever it is used, and tells it how it stands', async () => {
    const key = await fixture.issue({ scopes: ['collect', 'query'], requestsPerMinute: 4 })
    const first = await fixture.ask({ path: '/collect', token: key.token, body: EVENT })
    assert.equal(first.status, 202)
    assert.equal(first.headers['ratelimit-policy'], '"key";q=4;w=60')
    assert.match(String(first.headers['ratelimit']), /^"key";r=3;t=(60|59)$/)
    const read = await fixture.ask({ path: '/analytics/event-summary', token: key.token })
    assert.equal(read.status, 200)
    assert.equal(read.headers['ratelimit-policy'], `"address";q=${LIMITS.requestsPer10Seconds};w=10, "key";q=4;w=60`)
    assert.match(String(read.headers['ratelimit']), /^"address";r=\d+;t=\d+, "key";r=2;t=\d+$/)
    // The public key and the token are one key.
    assert.deepEqual(await outcomes(fixture, { path: '/collect', token: key.writeKey, body: EVENT }, 2), ['202', '202'])
    const asBody = await fixture.ask({ path: '/collect', body: { events: [EVENT], writeKey: key.writeKey } })
    const asHeader = await fixture.ask({ path: '/collect', headers: { 'x-api-key': key.writeKey }, body: EVENT })
    const reading = await fixture.ask({ path: '/analytics/event-summary', token: key.token })
    for (const told of [asBody, asHeader, reading]) {
      assert.equal(outcome(told), '429 rate_limited')
      assert.match(String(told.headers['ratelimit']), /"key";r=0;t=\d+$/)
      const wait = Number(told.headers['retry-after'])
      assert.ok(wait >= 50 && wait <= 60, String(wait))
    }
  })

  it('leaves other keys, and keys without a limit of their own, alone', async () => {
    const bounded = await fixture.issue({ requestsPerMinute: 1 })
    assert.deepEqual(await outcomes(fixture, { path: '/collect', token: bounded.token, body: EVENT }, 2), ['202', '429 rate_limited'])
    const free = await fixture.issue({})
    const told = await fixture.ask({ path: '/collect', token: free.token, body: EVENT })
    assert.equal(told.status, 202)
    assert.equal(told.headers['ratelimit-policy'], undefined)
  })

  it('keeps the limit of a key when it is rotated, and lists it', async () => {
    const key = await fixture.issue({ requestsPerMinute: 1 })
    const { body } = await fixture.ask({ path: '/auth/regenerate', token: fixture.app.userToken, body: { keyId: key.keyId } })
    const rotated = body as { token: string; keyId: string }
    assert.deepEqual(await outcomes(fixture, { path: '/collect', token: rotated.token, body: EVENT }, 2), ['202', '429 rate_limited'])
    const listed = (await fixture.ask({ path: `/auth/api-key?appId=${fixture.app.appId}`, token: fixture.app.userToken })).body['keys']
    const limits = new Map((listed as { keyId: string; requestsPerMinute: number | null }[]).map((one) => [one.keyId, one.requestsPerMinute]))
    assert.deepEqual([limits.get(key.keyId), limits.get(rotated.keyId), limits.get(fixture.app.keyId)], [1, 1, null])
  })

  it('tells a person of their address and account', async () => {
    const told = await fixture.ask({ path: '/apps', token: fixture.app.userToken })
    assert.equal(told.headers['ratelimit-policy'], `"address";q=${LIMITS.requestsPer10Seconds};w=10, "account";q=${LIMITS.accountRequestsPerMinute};w=60`)
  })

  it('does not limit probes, and limits what needs no credentials', async () => {
    assert.equal((await fixture.ask({ path: '/health/live' })).headers['ratelimit'], undefined)
    assert.match(String((await fixture.ask({ path: '/openapi.json' })).headers['ratelimit']), /^"address";/)
    assert.match(String((await fixture.ask({ path: '/nothing/here' })).headers['ratelimit']), /^"address";/)
  })

  it('exposes to pages of other sites when they may come back', async () => {
    const key = await fixture.issue({ requestsPerMinute: 1 })
    const asked = { path: '/collect', token: key.writeKey, body: EVENT, headers: { origin: 'https://bakery.example' } }
    await fixture.ask(asked)
    const told = await fixture.ask(asked)
    assert.equal(outcome(told), '429 rate_limited')
    assert.equal(told.headers['access-control-allow-origin'], 'https://bakery.example')
    assert.equal(told.headers['access-control-expose-headers'], 'Retry-After, RateLimit, RateLimit-Policy')
  })

  it('bounds wrong owner codes over all addresses although RATE_LIMIT is off, and gives right ones their try back', async () => {
    const off = await startFixture({ RATE_LIMIT: 'off', TRUST_PROXY: '1' })
    try {
      for (let count = 0; count < 2 * LIMITS.guessesPerMinute; count++) {
        assert.equal((await off.ask({ path: '/auth/local', body: { code: OWNER_CODE } })).status, 200)
      }
      for (let count = 0; count < LIMITS.guessesPerMinute; count++) {
        const headers = { 'x-forwarded-for': `203.0.113.${count}` }
        assert.equal(outcome(await off.ask({ path: '/auth/local', body: { code: 'not the owner code' }, headers })), '401 wrong_code')
      }
      const told = await off.ask({ path: '/auth/local', body: { code: OWNER_CODE }, headers: { 'x-forwarded-for': '198.51.100.7' } })
      assert.equal(outcome(told), '429 rate_limited')
      assert.ok(Number(told.headers['retry-after']) > 0 && Number(told.headers['retry-after']) <= 60)
      assert.equal((await off.ask({ path: '/apps', token: off.app.userToken })).headers['ratelimit'], undefined)
    } finally {
      await off.close()
    }
  })
})

describe('what one process counts', () => {
  const policy: Policy = { name: 'key', counts: 'keys', quota: 3, windowMs: 60_000, unasked: 0 }
  const alone = (kept = 10): { at: (ms: number) => void; spend: (id: string) => Standing } => {
    let now = 0
    const budgets = createBudgets({ clock: { now: () => now }, kept })
    return { at: (ms) => (now = ms), spend: (id) => budgets.spend(policy, id) as Standing }
  }

  it('is exact within a window and starts anew with the next', () => {
    const { at, spend } = alone()
    at(1_000)
    assert.deepEqual([1, 2, 3, 4].map(() => spend('a').allowed), [true, true, true, false])
    at(60_999)
    assert.deepEqual([spend('a').allowed, spend('a').resetMs], [false, 1])
    at(61_000)
    assert.deepEqual([1, 2, 3, 4].map(() => spend('a').remaining), [2, 1, 0, 0])
  })

  it('does not prolong a window for a clock that was set back', () => {
    const { at, spend } = alone()
    at(10_000_000)
    for (let count = 0; count < 4; count++) spend('a')
    at(0)
    assert.equal(spend('a').allowed, true)
  })

  it('asks Redis again in time although the clock was set back since it failed', async () => {
    let now = 10_000_000
    const options = { redis: { eval: () => Promise.reject(new Error('away')) }, clock: { now: () => now }, secret: ID, logger: silentLogger }
    const shared = createRedisBudgets(options)
    assert.equal(await shared.take(policy, 'a', 1, 1), undefined)
    assert.equal(shared.away, true)
    now = 0
    await eventually(() => !shared.away)
  })

  it('remembers no more than it may', () => {
    const { spend } = alone(2)
    for (const id of ['a', 'a', 'a', 'b', 'c']) spend(id)
    // Forgotten, and not counted twice.
    assert.equal(spend('a').remaining, 2)
  })

  it('counts IPv4 addresses one by one and IPv6 by the /64', () => {
    assert.equal(limitedAs('203.0.113.7'), '203.0.113.7')
    const same = ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::1', '2001:db8:1:2::ffff', '2001:db8:1:2::']
    assert.deepEqual(new Set(same.map(limitedAs)), new Set(['2001:db8:1:2::/64']))
    assert.notEqual(limitedAs('2001:db8:1:3::1'), limitedAs('2001:db8:1:2::1'))
    assert.equal(limitedAs('::1'), '0:0:0:0::/64')
    assert.equal(limitedAs('2001:db8::1'), '2001:db8:0:0::/64')
    assert.equal(limitedAs('2001:db8::3:4:5:6:7'), '2001:db8:0:3::/64')
    assert.equal(limitedAs('fe80::1%eth0'), 'fe80:0:0:0::/64')
  })

  it('counts /collect and other routes apart, and a flood of addresses does not forget keys', async () => {
    const limiter = createRateLimiter({ enabled: true, clock: { now: () => 0 }, logger: silentLogger, secret: ID })
    const key = { keyId: ID, requestsPerMinute: 1 }
    assert.equal((await limiter.key(key, 'collect'))?.allowed, true)
    for (let count = 0; count < LIMITS.requestsPer10Seconds; count++) assert.equal((await limiter.request('203.0.113.7'))?.allowed, true)
    assert.equal((await limiter.request('203.0.113.7'))?.allowed, false)
    assert.equal((await limiter.collect('203.0.113.7'))?.allowed, true)
    for (let count = 0; count <= LIMITS.budgetsKept; count++) void limiter.collect(`address ${count}`)
    assert.equal((await limiter.key(key, 'collect'))?.allowed, false)
  })
})
