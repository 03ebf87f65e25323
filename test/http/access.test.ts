// Who gets in, and how soon they no longer do: sign-in, cookies, rotation, revocation, deletion.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { eventually } from '../support/eventually.ts'
import { codeOf, type Fixture, OWNER_CODE, startFixture } from './support/fixture.ts'

const GOOD = { event: 'signup', userId: 'u-1' }

describe('access over HTTP', function () {
  this.timeout(30_000)
  let fixture: Fixture

  before(async () => {
    fixture = await startFixture()
  })
  after(() => fixture.close())

  const collectWith = async (token: string): Promise<string> => {
    const told = await fixture.ask({ path: '/collect', token, body: GOOD })
    return `${told.status} ${codeOf(told)}`.trim()
  }

  it('signs in with the owner code, by token and by a cookie that scripts cannot read', async () => {
    const told = await fixture.ask({ path: '/auth/local', body: { code: OWNER_CODE } })
    assert.equal(told.status, 200, told.text)
    assert.equal(told.headers['cache-control'], 'no-store')
    const [cookie] = told.headers['set-cookie']!
    assert.match(cookie!, /^recount_user=[^;]+; Max-Age=\d+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/)
    const session = cookie!.split(';')[0]!
    assert.equal((await fixture.ask({ path: '/apps', headers: { cookie: session } })).status, 200)
    const own = { cookie: session, origin: fixture.url }
    // The Host header is what a browser would send for that origin.
    const host = new URL(fixture.url).host
    const written = await fixture.ask({ path: '/auth/register', body: { name: 'By cookie' }, headers: { ...own, host } })
    assert.equal(written.status, 201, written.text)
  })

  it('takes a code that the program made as people type it; one that somebody chose counts to the letter', async () => {
    assert.equal(codeOf(await fixture.ask({ path: '/auth/local', body: { code: OWNER_CODE.toUpperCase() } })), 'wrong_code')
    const code = 'ABCD-2345-WXYZ-6789'
    const made = await startFixture({ OWNER_CODE: code })
    try {
      for (const typed of ['abcd-2345-wxyz-6789', 'ABCD2345WXYZ6789', ' abcd 2345 wxyz 6789 ']) {
        assert.equal((await made.ask({ path: '/auth/local', body: { code: typed } })).status, 200, typed)
      }
      for (const wrong of ['ABCD-2345-WXYZ-6788', 'ABCD-2345-WXYZ', '----']) assert.equal(codeOf(await made.ask({ path: '/auth/local', body: { code: wrong } })), 'wrong_code', wrong)
    } finally {
      await made.close()
    }
  })

  it('bounds wrong owner codes over all addresses, and says how long to wait', async () => {
    const alone = await startFixture()
    try {
      const codes: string[] = []
      for (let attempt = 1; attempt <= 11; attempt++) {
        const told = await alone.ask({ path: '/auth/local', body: { code: `wrong ${attempt}` } })
        codes.push(String(told.body['code']))
        if (attempt === 11) assert.ok(Number(told.headers['retry-after']) >= 1)
      }
      assert.deepEqual(codes, [...Array<string>(10).fill('wrong_code'), 'rate_limited'])
      assert.equal((await alone.ask({ path: '/auth/local', body: { code: OWNER_CODE } })).body['code'], 'rate_limited')
    } finally {
      await alone.close()
    }
  })

  it('has no local sign-in where it is off', async () => {
    const closed = await startFixture({ ALLOW_LOCAL_SIGNIN: '1' })
    await closed.close()
    await assert.rejects(startFixture({ ALLOW_LOCAL_SIGNIN: '0' }), /not_found/)
  })

  it('refuses a revoked key at once, in both its forms', async () => {
    const key = await fixture.issue({})
    assert.equal(await collectWith(key.token), '202')
    assert.equal(await collectWith(key.writeKey), '202')
    const told = await fixture.ask({ path: '/auth/revoke', token: fixture.app.userToken, body: { keyId: key.keyId } })
    assert.deepEqual(told.body, { keyId: key.keyId, revoked: true })
    assert.equal(await collectWith(key.token), '401 key_revoked')
    assert.equal(await collectWith(key.writeKey), '401 key_revoked')
  })

  it('refuses what a key began to send before it was revoked and finished after', async () => {
    const key = await fixture.issue({})
    const { request, told } = slowly(fixture.url, key.token)
    request.write('{"event":')
    await once(request, 'begun')
    assert.equal((await fixture.ask({ path: '/auth/revoke', token: fixture.app.userToken, body: { keyId: key.keyId } })).status, 200)
    request.end('"late"}')
    assert.deepEqual(await told, [401, 'key_revoked'])
  })

  it('refuses what a person began to send before they signed out and finished after', async () => {
    const { token } = (await fixture.ask({ path: '/auth/local', body: { code: OWNER_CODE } })).body as { token: string }
    const { request, told } = slowly(fixture.url, token, '/auth/register')
    request.write('{"name":')
    await once(request, 'begun')
    assert.equal((await fixture.ask({ path: '/auth/sign-out', token, body: {} })).status, 204)
    request.end('"Late"}')
    assert.deepEqual(await told, [401, 'session_ended'])
  })

  it('rotates a key: the new one works, the old one until the overlap ends', async () => {
    const key = await fixture.issue({ scopes: ['collect', 'query'] })
    const rotate = async (keyId: string, overlapSeconds: number): Promise<Record<string, unknown>> => {
      const told = await fixture.ask({ path: '/auth/regenerate', token: fixture.app.userToken, body: { keyId, overlapSeconds } })
      assert.equal(told.status, 201, told.text)
      return told.body
    }
    const second = await rotate(key.keyId, 3_600)
    assert.equal(await collectWith(key.token), '202')
    assert.equal(await collectWith(second['token'] as string), '202')
    assert.equal((await fixture.ask({ path: '/analytics/event-summary', token: second['token'] as string })).status, 200)
    const third = await rotate(second['keyId'] as string, 0)
    assert.equal(await collectWith(second['token'] as string), '401 token_expired')
    assert.equal(await collectWith(third['writeKey'] as string), '202')
  })

  it('lets a key end by itself', async () => {
    const expiresAt = Date.now() + 1_500
    const key = await fixture.issue({ expiresAt: new Date(expiresAt).toISOString() })
    assert.equal(await collectWith(key.writeKey), '202')
    assert.equal(await collectWith(key.token), '202')
    await eventually(async () => (await collectWith(key.writeKey)) === '401 token_expired' && (await collectWith(key.token)) === '401 token_expired')
    assert.ok(Date.now() >= expiresAt)
  })

  it('kills the keys of a deleted app, and the app is not there any more', async () => {
    const { appId } = (await fixture.ask({ path: '/auth/register', token: fixture.app.userToken, body: { name: 'Short-lived' } })).body as { appId: string }
    const key = await fixture.issue({ appId })
    assert.equal(await collectWith(key.token), '202')
    const gone = await fixture.ask({ method: 'DELETE', path: `/apps/${appId}`, token: fixture.app.userToken })
    assert.equal(gone.status, 204)
    assert.equal(await collectWith(key.token), '401 key_revoked')
    assert.equal((await fixture.ask({ path: `/apps/${appId}`, token: fixture.app.userToken })).status, 404)
    assert.equal((await fixture.ask({ path: `/analytics/event-summary?appId=${appId}`, token: fixture.app.userToken })).status, 404)
  })
})

/** A request whose body comes bit by bit; it emits `begun` once the server has let it begin. */
function slowly(url: string, token: string, path = '/collect'): { request: ClientRequest; told: Promise<[number, unknown]> } {
  const request = httpRequest(`${url}${path}`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', expect: '100-continue' } })
  request.on('continue', () => request.emit('begun'))
  const told = once(request, 'response').then(async ([response]: IncomingMessage[]): Promise<[number, unknown]> => {
    const body = JSON.parse((await response!.toArray()).join('')) as { code?: string }
    return [response!.statusCode!, body.code]
  })
  return { request, told }
}
