// Hostile and broken requests, one row each: a 4xx problem with a stable code, the process up, and nothing else lost.
import assert from 'node:assert/strict'
import { createHmac, hkdfSync } from 'node:crypto'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import jwt from 'jsonwebtoken'
import { LIMITS } from '../../src/limits.ts'
import { type Asked, type Fixture, JWT_SECRET, startFixture } from './support/fixture.ts'

interface Case {
  readonly name: string
  readonly asked: Asked | ((fixture: Fixture) => Asked | Promise<Asked>)
  readonly status: number
  readonly code: string
  /** Of the first fault. */
  readonly path?: string
  /** The whole answer, in words. */
  readonly says?: RegExp
}

const GOOD = { event: 'signup', userId: 'u-1' }

const collect = (body: unknown, more: Partial<Asked> = {}) => (fixture: Fixture): Asked => ({ path: '/collect', token: fixture.app.token, body, ...more })
const asUser = (asked: Omit<Asked, 'token'>) => (fixture: Fixture): Asked => ({ ...asked, token: fixture.app.userToken })
const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`
const event = (fields: Record<string, unknown>): Record<string, unknown> => ({ ...GOOD, ...fields })

function secretOf(kind: string): Buffer {
  return Buffer.from(hkdfSync('sha256', JWT_SECRET, 'recount', `${kind}-token`, 32))
}

function forged(fixture: Fixture, claims: Record<string, unknown>, secret: Buffer | string = secretOf('analytics'), algorithm: jwt.Algorithm = 'HS256'): string {
  return jwt.sign({ iss: 'recount', aud: 'recount:analytics', sub: fixture.app.keyId, app: fixture.app.appId, ...claims }, secret, { algorithm })
}

function algNone(fixture: Fixture): string {
  const [, payload] = fixture.app.token.split('.')
  return `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${payload}.`
}

const BODIES: Case[] = [
  { name: 'malformed JSON', asked: collect('{"event":'), status: 400, code: 'invalid_json' },
  { name: 'an empty body', asked: collect(''), status: 400, code: 'invalid_json' },
  { name: 'bytes that are no UTF-8', asked: collect(Buffer.from([0x22, 0xff, 0xfe, 0x22])), status: 400, code: 'invalid_json' },
  { name: 'a number', asked: collect('42'), status: 400, code: 'invalid_body' },
  { name: 'null', asked: collect('null'), status: 400, code: 'invalid_body' },
  { name: 'an empty list', asked: collect([]), status: 400, code: 'invalid_body' },
  { name: 'an empty envelope', asked: collect({ events: [] }), status: 400, code: 'invalid_body', path: '/events' },
  { name: 'an unknown field of the envelope', asked: collect({ events: [GOOD], foo: 1 }), status: 400, code: 'invalid_body', path: '/foo' },
  { name: 'a sentAt that is no instant', asked: collect({ events: [GOOD], sentAt: 'yesterday at noon' }), status: 400, code: 'invalid_body', path: '/sentAt' },
  { name: 'too many events', asked: collect(Array.from({ length: LIMITS.eventsPerRequest + 1 }, () => GOOD)), status: 400, code: 'invalid_body' },
  { name: 'a body over the limit', asked: collect(JSON.stringify(event({ metadata: { a: 'x'.repeat(LIMITS.bodyBytes) } }))), status: 413, code: 'payload_too_large' },
  { name: 'a gzip bomb', asked: collect(gzipSync(Buffer.alloc(50_000_000, 0x20)), { headers: { 'content-encoding': 'gzip' } }), status: 413, code: 'payload_too_large' },
  { name: 'a gzip bomb without a header', asked: collect(gzipSync(Buffer.alloc(50_000_000, 0x20))), status: 413, code: 'payload_too_large' },
  { name: 'a brotli bomb', asked: collect(brotliCompressSync(Buffer.alloc(20_000_000, 0x20)), { headers: { 'content-encoding': 'br' } }), status: 413, code: 'payload_too_large' },
  { name: 'a deflate bomb', asked: collect(deflateSync(Buffer.alloc(20_000_000, 0x20)), { headers: { 'content-encoding': 'deflate' } }), status: 413, code: 'payload_too_large' },
  { name: 'truncated gzip', asked: collect(gzipSync(JSON.stringify(GOOD)).subarray(0, 30), { headers: { 'content-encoding': 'gzip' } }), status: 400, code: 'invalid_encoding' },
  { name: 'plain text that says gzip', asked: collect(GOOD, { headers: { 'content-encoding': 'gzip' } }), status: 400, code: 'invalid_encoding' },
  { name: 'a broken brotli body', asked: collect(GOOD, { headers: { 'content-encoding': 'br' } }), status: 400, code: 'invalid_encoding', says: /not valid br"/ },
  { name: 'an unknown encoding', asked: collect(GOOD, { headers: { 'content-encoding': 'zstd' } }), status: 400, code: 'invalid_encoding' },
  { name: 'an encoding named after a property of objects', asked: collect(GOOD, { headers: { 'content-encoding': 'constructor' } }), status: 400, code: 'invalid_encoding' },
  { name: 'a hundred thousand levels', asked: collect(nested(100_000)), status: 400, code: 'invalid_body' },
]

const EVENTS: Case[] = [
  ...Object.entries({
    'no name': [{ userId: 'u' }, '/event'],
    'an empty name': [{ event: '' }, '/event'],
    'a name that is a number': [{ event: 7 }, '/event'],
    'a name over the limit': [{ event: 'x'.repeat(LIMITS.eventNameChars + 1) }, '/event'],
    'an unknown field': [event({ foo: 'bar' }), '/foo'],
    'a field named __proto__': ['{"event":"a","__proto__":{"admin":true}}', '/__proto__'],
    'a pageview without url': [{ event: 'pageview' }, '/url'],
    'a url that is none': [event({ url: 'not a url' }), '/url'],
    'a date that does not exist': [event({ timestamp: '2026-02-30T10:00:00Z' }), '/timestamp'],
    'a date in words': [event({ timestamp: 'last tuesday' }), '/timestamp'],
    'a date as a number': [event({ timestamp: 1_760_000_000 }), '/timestamp'],
    'a date far in the future': [event({ timestamp: '2999-01-01T00:00:00Z' }), '/timestamp'],
    'a date before 1970': [event({ timestamp: '1969-12-31T23:59:59Z' }), '/timestamp'],
    'a user id over the limit': [event({ userId: 'x'.repeat(LIMITS.identityChars + 1) }), '/userId'],
    'an address that is none': [event({ ipAddress: "1.2.3.4'; DROP TABLE events;--" }), '/ipAddress'],
    'metadata that is a list': [event({ metadata: [1] }), '/metadata'],
    'metadata with too many keys': [event({ metadata: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`k${at}`, at])) }), '/metadata'],
    'metadata over 32 KB': [event({ metadata: { text: 'x'.repeat(LIMITS.metadataBytes) } }), '/metadata'],
    'metadata nested too deeply': [`{"event":"a","metadata":{"a":${nested(40)}}}`, '/metadata'],
    'a value that is text': [event({ value: '12' }), '/value'],
    'a currency in lower case': [event({ currency: 'eur' }), '/currency'],
    'interactive as text': [event({ interactive: 'yes' }), '/interactive'],
  }).map(([name, [body, path]]): Case => ({ name: `an event with ${name}`, asked: collect(body), status: 400, code: 'invalid_event', path: path as string })),
]

const WORDS: Case[] = [
  { name: 'a time in a word', asked: collect(event({ timestamp: 'yesterday' })), status: 400, code: 'invalid_event', says: /must be an ISO 8601 date and time/ },
  { name: 'an unknown field in one line', asked: collect({ events: [GOOD], foo: 1 }), status: 400, code: 'invalid_body', says: /"detail":"foo: unknown field"/ },
  { name: 'a future time with its own reason', asked: collect(event({ timestamp: '2999-01-01T00:00:00Z' })), status: 400, code: 'invalid_event', says: /24 hours in the future","code":"timestamp_in_future"/ },
  { name: 'a fruit for an event to wait for', asked: (fixture) => ({ path: '/analytics/event-summary?after=banana', token: fixture.app.token }), status: 400, code: 'invalid_parameter', says: /must be an event id \(UUID/ },
  { name: 'an offset whose + became a blank', asked: (fixture) => ({ path: '/analytics/event-summary?from=2026-01-01T00:00:00+02:00', token: fixture.app.token }), status: 400, code: 'invalid_parameter', says: /%2B/ },
  { name: 'a key that was replaced already', asked: replaced, status: 409, code: 'already_replaced', says: /its successor is/ },
]

async function replaced(fixture: Fixture): Promise<Asked> {
  const { keyId } = await fixture.issue({})
  const asked = { path: '/auth/regenerate', token: fixture.app.userToken, body: { keyId } }
  assert.equal((await fixture.ask(asked)).status, 201)
  return asked
}

const CREDENTIALS: Case[] = [
  { name: 'no credentials', asked: { path: '/collect', body: GOOD }, status: 401, code: 'unauthenticated' },
  { name: 'garbage', asked: { path: '/collect', body: GOOD, token: 'garbage' }, status: 401, code: 'unauthenticated' },
  { name: 'another scheme', asked: { path: '/collect', body: GOOD, headers: { authorization: 'Basic cms6' } }, status: 401, code: 'unauthenticated' },
  { name: 'an unknown write key', asked: { path: '/collect', body: GOOD, token: `rk_${'a'.repeat(32)}` }, status: 401, code: 'unauthenticated' },
  { name: 'a write key with SQL in it', asked: { path: '/collect', body: GOOD, token: "rk_'OR'1'='1';--aaaaaaaaaaaaaaaaaa" }, status: 401, code: 'unauthenticated' },
  { name: 'an oversized token', asked: { path: '/collect', body: GOOD, token: 'a'.repeat(5_000) }, status: 401, code: 'unauthenticated' },
  { name: 'a token with alg none', asked: (fixture) => ({ path: '/collect', body: GOOD, token: algNone(fixture) }), status: 401, code: 'unauthenticated' },
  { name: 'a token of another algorithm', asked: (fixture) => ({ path: '/collect', body: GOOD, token: forged(fixture, {}, secretOf('analytics'), 'HS512') }), status: 401, code: 'unauthenticated' },
  { name: 'a token signed with JWT_SECRET itself', asked: (fixture) => ({ path: '/collect', body: GOOD, token: forged(fixture, {}, JWT_SECRET) }), status: 401, code: 'unauthenticated' },
  { name: 'a token of the other audience', asked: (fixture) => ({ path: '/collect', body: GOOD, token: forged(fixture, { aud: 'recount:user' }) }), status: 401, code: 'unauthenticated' },
  { name: 'a token of another issuer', asked: (fixture) => ({ path: '/collect', body: GOOD, token: forged(fixture, { iss: 'elsewhere' }) }), status: 401, code: 'unauthenticated' },
  { name: 'an expired token', asked: (fixture) => ({ path: '/collect', body: GOOD, token: forged(fixture, { exp: 1_700_000_000 }) }), status: 401, code: 'token_expired' },
  { name: "a token that names another app than its key's", asked: (fixture) => ({ path: '/collect', body: GOOD, token: forged(fixture, { app: fixture.other.appId }) }), status: 401, code: 'unauthenticated' },
  { name: 'a token of a key that never was', asked: (fixture) => ({ path: '/collect', body: GOOD, token: forged(fixture, { sub: fixture.app.appId }) }), status: 401, code: 'unauthenticated' },
  { name: 'a token whose subject is SQL', asked: (fixture) => ({ path: '/collect', body: GOOD, token: forged(fixture, { sub: "' OR 1=1 --" }) }), status: 401, code: 'unauthenticated' },
  { name: 'a user token', asked: (fixture) => ({ path: '/collect', body: GOOD, token: fixture.app.userToken }), status: 403, code: 'forbidden', says: /analytics token or a write key/ },
  { name: 'a JWT in the address', asked: (fixture) => ({ path: `/collect?key=${fixture.app.token}`, body: GOOD }), status: 400, code: 'invalid_parameter', path: 'key' },
  { name: 'a JWT as writeKey', asked: (fixture) => ({ path: '/collect', body: { events: [GOOD], writeKey: fixture.app.token } }), status: 401, code: 'unauthenticated' },
  { name: 'an analytics token where a user is asked for', asked: (fixture) => ({ path: '/apps', token: fixture.app.token }), status: 403, code: 'forbidden', says: /user token of somebody who signed in/ },
  { name: 'an analytics token where the owner is asked for', asked: (fixture) => ({ path: '/projections', token: fixture.app.token }), status: 403, code: 'forbidden', says: /user token of somebody who signed in/ },
  { name: 'a write key where a user is asked for', asked: (fixture) => ({ path: '/apps', token: fixture.app.writeKey }), status: 403, code: 'forbidden' },
  { name: 'an analytics token in X-API-Key where a user is asked for', asked: (fixture) => ({ path: '/apps', headers: { 'x-api-key': fixture.app.token } }), status: 403, code: 'forbidden' },
  { name: 'a forged analytics token where a user is asked for', asked: (fixture) => ({ path: '/apps', token: forged(fixture, {}, 'x') }), status: 401, code: 'unauthenticated' },
  { name: 'a user token signed as an analytics token', asked: (fixture) => ({ path: '/apps', token: jwt.sign({ aud: 'recount:user', iss: 'recount', sub: fixture.app.appId }, createHmac('sha256', 'x').digest()) }), status: 401, code: 'unauthenticated' },
  { name: 'a user token without expiry', asked: (fixture) => ({ path: '/apps', token: jwt.sign({ aud: 'recount:user', iss: 'recount', sub: fixture.app.appId }, secretOf('user')) }), status: 401, code: 'unauthenticated' },
  { name: 'a user token of nobody', asked: (fixture) => ({ path: '/apps', token: fixture.tokens.issueUser({ accountId: fixture.app.appId, sessionId: fixture.app.appId, generation: 0 }).token }), status: 401, code: 'unauthenticated' },
  { name: 'a revoked key', asked: async (fixture) => ({ path: '/collect', body: GOOD, token: await revoked(fixture) }), status: 401, code: 'key_revoked' },
  { name: 'a key without the scope collect', asked: async (fixture) => ({ path: '/collect', body: GOOD, token: (await fixture.issue({ scopes: ['query'] })).token }), status: 403, code: 'forbidden' },
  { name: 'a key without the scope query', asked: async (fixture) => ({ path: '/analytics/event-summary', token: (await fixture.issue({})).token }), status: 403, code: 'forbidden' },
  { name: 'a key without the scope people', asked: async (fixture) => ({ path: '/analytics/user-stats?userId=u', token: (await fixture.issue({ scopes: ['query'] })).token }), status: 403, code: 'forbidden' },
  { name: 'a write key that reads', asked: (fixture) => ({ path: '/analytics/event-summary', token: fixture.app.writeKey }), status: 403, code: 'forbidden' },
  { name: 'a cookie without our own origin', asked: (fixture) => ({ path: '/auth/register', body: { name: 'a' }, headers: { cookie: `recount_user=${fixture.app.userToken}` } }), status: 403, code: 'origin_not_allowed' },
  { name: 'a cookie with a foreign origin', asked: (fixture) => ({ path: '/auth/register', body: { name: 'a' }, headers: { cookie: `recount_user=${fixture.app.userToken}`, origin: 'https://evil.example' } }), status: 403, code: 'origin_not_allowed' },
  { name: 'a wrong owner code', asked: { path: '/auth/local', body: { code: 'wrong' } }, status: 401, code: 'wrong_code' },
]

async function revoked(fixture: Fixture): Promise<string> {
  const key = await fixture.issue({})
  await fixture.ask({ path: '/collect', token: key.token, body: GOOD })
  await fixture.ask({ path: '/auth/revoke', token: fixture.app.userToken, body: { keyId: key.keyId } })
  return key.token
}

const NOBODYS = '5f0c2a52-0d7e-5b1c-9c7e-2f6a3b1d4e5f'

const ROUTES: Case[] = [
  { name: "another app's numbers", asked: (fixture) => ({ path: `/analytics/event-summary?appId=${fixture.other.appId}`, token: fixture.app.token }), status: 404, code: 'not_found' },
  { name: "another app's people", asked: (fixture) => ({ path: `/analytics/user-stats?userId=u&appId=${fixture.other.appId}`, token: fixture.app.token }), status: 404, code: 'not_found' },
  { name: "another app's events", asked: (fixture) => ({ path: `/events?appId=${fixture.other.appId}`, token: fixture.app.token }), status: 404, code: 'not_found' },
  { name: 'an app that never was', asked: asUser({ path: `/apps/${NOBODYS}` }), status: 404, code: 'not_found' },
  { name: 'an event that never was', asked: (fixture) => ({ path: `/events/${NOBODYS}`, token: fixture.app.token }), status: 404, code: 'not_found' },
  { name: 'a key that never was', asked: asUser({ path: '/auth/revoke', body: { keyId: NOBODYS } }), status: 404, code: 'not_found' },
  { name: 'an app named by SQL', asked: asUser({ path: "/apps/'%20OR%201=1%20--" }), status: 400, code: 'invalid_parameter', path: 'appId' },
  { name: 'a malformed escape', asked: asUser({ path: '/apps/%E0%A4%A' }), status: 400, code: 'bad_request' },
  { name: 'no app', asked: asUser({ path: '/analytics/event-summary' }), status: 400, code: 'invalid_parameter', path: 'appId' },
  { name: 'an app named twice', asked: (fixture) => ({ path: `/analytics/event-summary?appId=${fixture.app.appId}&appId=${fixture.other.appId}`, token: fixture.app.token }), status: 400, code: 'invalid_parameter', path: 'appId' },
  { name: 'an unknown parameter', asked: (fixture) => ({ path: '/analytics/event-summary?foo=1', token: fixture.app.token }), status: 400, code: 'invalid_parameter', path: 'foo' },
  { name: 'an unknown parameter of /collect', asked: (fixture) => ({ path: '/collect?foo=1', token: fixture.app.token, body: GOOD }), status: 400, code: 'invalid_parameter', path: 'foo' },
  { name: 'an unknown acknowledgement', asked: (fixture) => ({ path: '/collect?ack=maybe', token: fixture.app.token, body: GOOD }), status: 400, code: 'invalid_parameter', path: 'ack' },
  { name: 'a range that ends before it begins', asked: (fixture) => ({ path: '/analytics/event-summary?from=2026-02-01&to=2026-01-01', token: fixture.app.token }), status: 400, code: 'empty_range' },
  { name: 'a range that is no date', asked: (fixture) => ({ path: '/analytics/event-summary?from=soon', token: fixture.app.token }), status: 400, code: 'invalid_parameter' },
  { name: 'an unknown period', asked: (fixture) => ({ path: '/analytics/event-summary?period=fortnight', token: fixture.app.token }), status: 400, code: 'invalid_parameter', path: 'period' },
  { name: 'no person', asked: (fixture) => ({ path: '/analytics/user-stats', token: fixture.app.token }), status: 400, code: 'invalid_parameter', path: 'userId' },
  { name: 'a limit over the bound', asked: (fixture) => ({ path: '/events?limit=501', token: fixture.app.token }), status: 400, code: 'invalid_parameter', path: 'limit' },
  { name: 'a limit of nothing', asked: (fixture) => ({ path: '/events?limit=0', token: fixture.app.token }), status: 400, code: 'invalid_parameter', path: 'limit' },
  { name: 'a cursor of our own making', asked: (fixture) => ({ path: "/events?cursor=';DROP%20TABLE%20events;--", token: fixture.app.token }), status: 400, code: 'invalid_parameter', path: 'cursor' },
  { name: 'a line break in a parameter', asked: (fixture) => ({ path: '/analytics/event-summary?period=7d%0d%0aset-cookie:%20a=b', token: fixture.app.token }), status: 400, code: 'invalid_parameter', path: 'period' },
  { name: 'an app without a name', asked: asUser({ path: '/auth/register', body: {} }), status: 400, code: 'invalid_body', path: '/name' },
  { name: 'an app in no time zone', asked: asUser({ path: '/auth/register', body: { name: 'a', timezone: 'Mars/Olympus' } }), status: 400, code: 'invalid_body', path: '/timezone' },
  { name: 'an app with a script for an address', asked: asUser({ path: '/auth/register', body: { name: 'a', url: 'javascript:alert(1)' } }), status: 400, code: 'invalid_body', path: '/url' },
  { name: 'a change of nothing', asked: (fixture) => ({ method: 'PATCH', path: `/apps/${fixture.app.appId}`, token: fixture.app.userToken, body: {} }), status: 400, code: 'invalid_body' },
  { name: 'a key with a scope that is none', asked: (fixture) => asUser({ path: '/auth/api-key', body: { appId: fixture.app.appId, scopes: ['admin'] } })(fixture), status: 400, code: 'invalid_body', path: '/scopes/0' },
  { name: 'a key that has expired at birth', asked: (fixture) => asUser({ path: '/auth/api-key', body: { appId: fixture.app.appId, expiresAt: '2020-01-01T00:00:00Z' } })(fixture), status: 400, code: 'invalid_body', path: '/expiresAt' },
  { name: 'an overlap of text', asked: (fixture) => asUser({ path: '/auth/regenerate', body: { keyId: fixture.app.keyId, overlapSeconds: 'x' } })(fixture), status: 400, code: 'invalid_body', path: '/overlapSeconds' },
  { name: 'a list for a body', asked: asUser({ path: '/auth/register', body: [] }), status: 400, code: 'invalid_body' },
  { name: 'a form', asked: asUser({ path: '/auth/register', body: 'name=a', headers: { 'content-type': 'application/x-www-form-urlencoded' } }), status: 415, code: 'unsupported_media_type' },
  { name: 'JSON as text', asked: asUser({ path: '/auth/register', body: '{"name":"a"}', headers: { 'content-type': 'text/plain' } }), status: 415, code: 'unsupported_media_type' },
  { name: 'a control body over its limit', asked: asUser({ path: '/auth/register', body: JSON.stringify({ name: 'x'.repeat(LIMITS.jsonBodyBytes) }) }), status: 413, code: 'payload_too_large' },
  { name: 'GET /collect', asked: { path: '/collect' }, status: 405, code: 'method_not_allowed' },
  { name: 'DELETE /apps', asked: asUser({ method: 'DELETE', path: '/apps' }), status: 405, code: 'method_not_allowed' },
  { name: 'no route', asked: { path: '/wp-login.php' }, status: 404, code: 'not_found' },
  { name: 'a way out of the documents', asked: { path: '/api-docs/..%2f..%2fpackage.json' }, status: 404, code: 'not_found' },
  { name: 'an endless address', asked: { path: `/apps?cursor=${'a'.repeat(LIMITS.urlBytes)}` }, status: 414, code: 'uri_too_long' },
  { name: 'an endless header', asked: { path: '/', headers: { 'x-long': 'a'.repeat(20_000) } }, status: 431, code: 'headers_too_large' },
  { name: 'an unknown projection', asked: asUser({ path: '/projections/nothing/rebuild', body: {} }), status: 404, code: 'not_found' },
  { name: 'a projection named by SQL', asked: asUser({ path: "/projections/a'--/rebuild", body: {} }), status: 400, code: 'invalid_parameter', path: 'name' },
]

describe('bad input over HTTP', function () {
  this.timeout(30_000)
  let fixture: Fixture

  before(async () => {
    fixture = await startFixture()
  })
  after(() => fixture.close())

  for (const { name, asked, status, code, path, says } of [...BODIES, ...EVENTS, ...WORDS, ...CREDENTIALS, ...ROUTES]) {
    it(`refuses ${name} with ${status} ${code}`, async () => {
      const told = await fixture.ask(typeof asked === 'function' ? await asked(fixture) : asked)
      assert.equal(`${told.status} ${String(told.body['code'])}`, `${status} ${code}`, told.text)
      if (path !== undefined) {
        const [fault] = told.body['errors'] as { path: string }[]
        assert.equal(fault?.path, path, told.text)
      }
      if (says !== undefined) assert.match(told.text, says)
      assert.ok(told.text.endsWith('}\n'))
      assert.equal((await fixture.ask({ path: '/health/live' })).status, 200)
    })
  }
})
