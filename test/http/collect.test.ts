// The contract of POST /collect with those who send: forms, encodings, credentials, origins, partial acceptance.
import assert from 'node:assert/strict'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { codeOf, type Fixture, startFixture } from './support/fixture.ts'

const GOOD = { event: 'signup', userId: 'u-1' }
const PAGE = 'https://shop.example'

describe('POST /collect', function () {
  this.timeout(30_000)
  let fixture: Fixture

  before(async () => {
    fixture = await startFixture()
  })
  after(() => fixture.close())

  const accepted = async (body: unknown, headers: Record<string, string> = {}, path = '/collect'): Promise<Record<string, unknown>> => {
    const told = await fixture.ask({ path, body, headers: { authorization: `Bearer ${fixture.app.token}`, ...headers } })
    assert.equal(told.status, 202, told.text)
    return told.body
  }

  it('takes one event, a list, and an envelope, whatever the content type', async () => {
    assert.equal((await accepted(GOOD))['accepted'], 1)
    assert.equal((await accepted([GOOD, GOOD]))['accepted'], 2)
    assert.equal((await accepted({ events: [GOOD], sentAt: new Date().toISOString() }))['accepted'], 1)
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'nonsense']) {
      assert.equal((await accepted(GOOD, { 'content-type': type }))['accepted'], 1)
    }
    assert.equal((await accepted(GOOD, {}, '/collect/'))['accepted'], 1)
    assert.equal((await accepted(`\ufeff${JSON.stringify(GOOD)}`))['accepted'], 1)
  })

  it('inflates gzip by header or by its first bytes, deflate in both forms, and brotli', async () => {
    const text = JSON.stringify(GOOD)
    assert.equal((await accepted(gzipSync(text), { 'content-encoding': 'gzip' }))['accepted'], 1)
    assert.equal((await accepted(gzipSync(text), { 'content-type': 'text/plain' }))['accepted'], 1)
    assert.equal((await accepted(deflateSync(text), { 'content-encoding': 'deflate' }))['accepted'], 1)
    assert.equal((await accepted(deflateRawSync(text), { 'content-encoding': 'deflate' }))['accepted'], 1)
    assert.equal((await accepted(brotliCompressSync(text), { 'content-encoding': 'BR' }))['accepted'], 1)
    assert.equal((await accepted(GOOD, { 'content-encoding': 'identity' }))['accepted'], 1)
  })

  it('keeps the valid events of a request and names the others', async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`) as unknown
    const told = await accepted([GOOD, { event: '' }, { ...GOOD, metadata: { deep } }, { ...GOOD, timestamp: '2999-01-01T00:00:00Z' }, GOOD])
    assert.equal(told['accepted'], 2)
    assert.deepEqual((told['ids'] as unknown[]).map((id) => typeof id), ['string', 'object', 'object', 'object', 'string'])
    const rejected = told['rejected'] as { index: number; code: string }[]
    assert.deepEqual(rejected.map(({ index, code }) => `${index} ${code}`), ['1 invalid_event', '2 metadata_too_large', '3 timestamp_in_future'])
    assert.match((told['rejected'] as { detail: string }[])[2]!.detail, /^timestamp: lies more than 24 hours in the future$/)
  })

  it('keeps what looks like an attack as the data that it is', async () => {
    const hostile = `{"event":"'; DROP TABLE events; --","id":"h-1","title":"a\\r\\nset-cookie: b=c\\u0000\\ud800","metadata":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}`
    const told = await fixture.ask({ path: '/collect?ack=stored', token: fixture.app.token, body: hostile })
    assert.equal(told.status, 201, told.text)
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
    const [id] = told.body['ids'] as string[]
    const stored = await fixture.ask({ path: `/events/${id}?appId=${fixture.app.appId}`, token: fixture.app.userToken })
    assert.equal(stored.status, 200, stored.text)
    assert.match(stored.text, /DROP TABLE events/)
    assert.equal(told.headers['set-cookie'], undefined)
  })

  it('answers 201 with places once committed, and counts the same id once', async () => {
    const body = [{ ...GOOD, id: 'order-1' }, { event: '' }, { ...GOOD, id: 'order-2' }]
    const first = await fixture.ask({ path: '/collect?ack=stored', token: fixture.app.token, body })
    assert.equal(first.status, 201, first.text)
    assert.equal(first.body['duplicates'], 0)
    const again = await fixture.ask({ path: '/collect?ack=stored', token: fixture.app.token, body })
    assert.equal(again.body['duplicates'], 2)
    assert.deepEqual(again.body['ids'], first.body['ids'])
    assert.deepEqual(again.body['positions'], first.body['positions'])
    assert.equal((first.body['positions'] as unknown[])[1], null)
  })

  it('takes the write key wherever a sender can put it, and the token in headers alone', async () => {
    const { writeKey, token } = fixture.app
    const status = async (path: string, headers: Record<string, string>, body: unknown = GOOD): Promise<number> =>
      (await fixture.ask({ path, headers, body })).status
    assert.equal(await status('/collect', { authorization: `Bearer ${writeKey}` }), 202)
    assert.equal(await status('/collect', { 'x-api-key': writeKey }), 202)
    assert.equal(await status('/collect', { 'x-api-key': token }), 202)
    assert.equal(await status(`/collect?key=${writeKey}`, {}), 202)
    assert.equal(await status('/collect', {}, { events: [GOOD], writeKey }), 202)
    assert.equal(await status('/collect', { cookie: `recount_user=${fixture.app.userToken}` }), 401)
  })

  it('refuses over a public key what only a trusted sender may say', async () => {
    const refused = async (fields: Record<string, unknown>): Promise<string> => {
      const told = await fixture.ask({ path: '/collect', token: fixture.app.writeKey, body: [GOOD, { ...GOOD, ...fields }] })
      assert.equal(told.status, 202, told.text)
      return (told.body['rejected'] as { code: string }[])[0]!.code
    }
    assert.equal(await refused({ ipAddress: '203.0.113.7' }), 'not_allowed')
    assert.equal(await refused({ userAgent: 'x' }), 'not_allowed')
    assert.equal(await refused({ timestamp: new Date(Date.now() - 8 * 86_400_000).toISOString() }), 'timestamp_too_old')
  })

  it('lets every origin ask, and mirrors it on answers and problems alike', async () => {
    const preflight = await fixture.ask({ method: 'OPTIONS', path: '/collect', headers: { origin: PAGE, 'access-control-request-method': 'POST' } })
    assert.equal(preflight.status, 204)
    assert.equal(preflight.headers['access-control-allow-origin'], PAGE)
    assert.match(preflight.headers['access-control-allow-headers']!, /authorization/)
    assert.equal(preflight.headers['access-control-allow-credentials'], undefined)
    for (const token of [fixture.app.token, 'garbage']) {
      const told = await fixture.ask({ path: '/collect', token, body: GOOD, headers: { origin: PAGE } })
      assert.equal(told.headers['access-control-allow-origin'], PAGE)
      assert.equal(told.headers.vary, 'Origin')
    }
    const plain = await fixture.ask({ path: '/collect', token: fixture.app.token, body: GOOD })
    assert.equal(plain.headers['access-control-allow-origin'], undefined)
    const elsewhere = await fixture.ask({ path: '/apps', token: fixture.app.userToken, headers: { origin: PAGE } })
    assert.equal(elsewhere.headers['access-control-allow-origin'], undefined)
  })

  it('holds a key to its origins on the POST, a missing one included', async () => {
    const key = await fixture.issue({ allowedOrigins: [PAGE] })
    const from = async (headers: Record<string, string>): Promise<string> => {
      const told = await fixture.ask({ path: '/collect', token: key.writeKey, body: GOOD, headers })
      return `${told.status} ${codeOf(told)}`
    }
    assert.equal(await from({ origin: PAGE }), '202 ')
    assert.equal(await from({ origin: `${PAGE}.evil.example` }), '403 origin_not_allowed')
    assert.equal(await from({ origin: 'null' }), '403 origin_not_allowed')
    assert.equal(await from({}), '403 origin_not_allowed')
  })

  it('says what else the path takes', async () => {
    const told = await fixture.ask({ method: 'PUT', path: '/collect', token: fixture.app.token, body: GOOD })
    assert.equal(told.status, 405)
    assert.equal(told.headers.allow, 'POST, OPTIONS')
    assert.equal((await fixture.ask({ path: '/collection', body: GOOD })).status, 404)
  })
})
