// Tokens that somebody made, changed, stole or kept too long, sent to a route for people, to one for keys and to /collect.
// Each has one designed answer. Those that are signed with the right key are wrong in nothing but the one thing that is tried.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { request } from 'node:http'
import { tokenKeys } from '../../src/http/tokenKeys.ts'
import { createTokens } from '../../src/http/tokens.ts'
import { uuidv7 } from '../../src/kernel/ids.ts'
import { LIMITS } from '../../src/limits.ts'
import { codeOf, type Fixture, JWT_SECRET, OWNER_CODE, startFixture } from './support/fixture.ts'
import { base64url, derivedKey, forge, twinsOf } from './support/forgery.ts'
import { otherOrganisation } from './support/people.ts'

const KEYS = { user: derivedKey(JWT_SECRET, 'user-token'), analytics: derivedKey(JWT_SECRET, 'analytics-token') }
const KIDS = { user: tokenKeys({ jwtSecret: JWT_SECRET }, 'user-token')[0].id, analytics: tokenKeys({ jwtSecret: JWT_SECRET }, 'analytics-token')[0].id }
const HEADER = { user: { alg: 'HS256', typ: 'JWT', kid: KIDS.user }, analytics: { alg: 'HS256', typ: 'JWT', kid: KIDS.analytics } }
const KINDS = ['user', 'analytics'] as const
type Kind = (typeof KINDS)[number]
type Claims = Record<string, unknown>

const time = { aheadMs: 0 }
const clock = { now: () => Date.now() + time.aheadMs }
const seconds = (): number => Math.floor(clock.now() / 1_000)

describe('token attacks', function () {
  this.timeout(60_000)
  let fixture: Fixture
  let claims: Record<Kind, Claims>
  let genuine: Record<Kind, string>

  before(async () => {
    fixture = await startFixture({}, { clock })
    const [user, analytics] = [fixture.app.userToken, fixture.app.token].map((token) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Claims)
    claims = { user: user!, analytics: analytics! }
    genuine = { user: fixture.app.userToken, analytics: fixture.app.token }
  })
  after(() => fixture.close())
  afterEach(() => (time.aheadMs = 0))

  /** What a route for people, one for keys and /collect say to it. */
  async function answers(token: string): Promise<string[]> {
    const headers = { authorization: `Bearer ${token}` }
    const told = [
      await fixture.ask({ path: '/apps', headers }),
      await fixture.ask({ path: `/analytics/event-summary?appId=${fixture.app.appId}`, headers }),
      await fixture.ask({ path: '/collect', headers, body: { event: 'a' } }),
    ]
    return told.map((one) => `${one.status} ${codeOf(one)}`.trim())
  }
  const everywhere = (answer: string): string[] => [answer, answer, answer]
  const REFUSED = everywhere('401 unauthenticated')
  const TAKEN = { user: ['200', '200', '403 forbidden'], analytics: ['403 forbidden', '200', '202'] }
  const signed = (kind: Kind, changed: Claims = {}, header: unknown = HEADER[kind]): string => forge({ header, claims: { ...claims[kind], ...changed }, key: KEYS[kind] })

  it('takes what was issued, and what was made just so: the attacks below are wrong in one thing alone', async () => {
    for (const kind of KINDS) {
      assert.deepEqual(await answers(genuine[kind]), TAKEN[kind])
      assert.deepEqual(await answers(signed(kind)), TAKEN[kind])
    }
  })

  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const algorithms = ['none', 'None', 'NONE', 'nOnE', '', ' ', 'HS256 ', 'hs256', 'HS384', 'HS512', 'RS256', 'ES256', 'PS256', 'EdDSA', 'A128KW', 'dir', '__proto__', null, 0, ['HS256'], { a: 1 }]
  for (const alg of algorithms) {
    it(`refuses the algorithm ${JSON.stringify(alg)}, signed rightly and not at all`, async () => {
      for (const kind of KINDS) {
        const token = signed(kind, {}, { ...HEADER[kind], alg })
        const [header, payload] = token.split('.')
        for (const attack of [token, `${header}.${payload}.`, `${header}.${payload}`]) assert.deepEqual(await answers(attack), REFUSED)
      }
    })
  }

  it('refuses other hashes under the right key, and a public key taken for a secret', async () => {
    for (const kind of KINDS) {
      for (const [alg, hash] of [['HS384', 'sha384'], ['HS512', 'sha512'], ['HS256', 'sha512']] as const) {
        assert.deepEqual(await answers(forge({ header: { ...HEADER[kind], alg }, claims: claims[kind], key: KEYS[kind], hash })), REFUSED)
      }
      for (const alg of ['HS256', 'RS256']) {
        for (const key of [pem, pem.trim(), privateKey.export({ type: 'pkcs8', format: 'pem' }), '', 'secret', JWT_SECRET, JSON.stringify(publicKey.export({ format: 'jwk' }))]) {
          assert.deepEqual(await answers(forge({ header: { ...HEADER[kind], alg }, claims: claims[kind], key })), REFUSED)
        }
      }
    }
  })

  const other = { user: 'analytics', analytics: 'user' } as const
  const kids: readonly (readonly [string, unknown])[] = [
    ['a path', '../../../../dev/null'], ['SQL', "x' UNION SELECT 'secret"], ['a command', '|/bin/true'], ['an address', 'http://127.0.0.1/key'], ['a line break', 'a\r\nb'],
    ['nothing', ''], ['null', null], ['a number', 1], ['true', true], ['an object', { id: 1 }], ['a list', [KIDS.user]], ['a name of objects', '__proto__'], ['another', 'constructor'],
    ['its case changed', 'swapped'], ['a great deal', 'k'.repeat(2_500)], ['a lone surrogate', '\ud800'],
  ]
  for (const [what, kid] of kids) {
    it(`refuses a kid of ${what}`, async () => {
      for (const kind of KINDS) {
        const sent = kid === 'swapped' ? KIDS[kind].replace(/[a-z]/i, (char) => (char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase())) : kid
        assert.deepEqual(await answers(signed(kind, {}, { ...HEADER[kind], kid: sent })), REFUSED)
      }
    })
  }

  it('refuses the kid, the key and the audience of the other kind, one by one and together', async () => {
    for (const kind of KINDS) {
      const strange = other[kind]
      assert.deepEqual(await answers(signed(kind, {}, HEADER[strange])), REFUSED, 'the kid')
      assert.deepEqual(await answers(signed(kind, { aud: claims[strange]['aud'] })), REFUSED, 'the audience')
      assert.deepEqual(await answers(forge({ header: HEADER[kind], claims: claims[kind], key: KEYS[strange] })), REFUSED, 'the key')
      assert.deepEqual(await answers(forge({ header: HEADER[strange], claims: claims[kind], key: KEYS[strange] })), REFUSED, 'key and kid')
      assert.deepEqual(await answers(forge({ header: HEADER[strange], claims: { ...claims[kind], aud: claims[strange]['aud'] }, key: KEYS[strange] })), REFUSED, 'all three')
    }
  })

  const jwk = { kty: 'oct', k: base64url('attacker'), alg: 'HS256', kid: KIDS.user }
  const headers: readonly Claims[] = [
    { jwk }, { jku: 'https://evil.example/jwks.json' }, { x5u: 'https://evil.example/cert.pem' }, { x5c: ['MIIB'] }, { crit: ['exp'] }, { crit: [] }, { b64: false, crit: ['b64'] }, { zip: 'DEF' }, { cty: 'JWT' },
    { typ: 'at+jwt' }, { typ: 'jwt' }, { typ: null }, { typ: ['JWT'] }, { enc: 'A256GCM' }, { 'a b': 1 },
  ]
  for (const more of headers) {
    it(`refuses a header with ${JSON.stringify(more)}`, async () => {
      for (const kind of KINDS) {
        assert.deepEqual(await answers(signed(kind, {}, { ...HEADER[kind], ...more })), REFUSED)
        assert.deepEqual(await answers(forge({ header: { ...HEADER[kind], ...more }, claims: claims[kind], key: 'attacker' })), REFUSED)
      }
    })
  }

  const wrong: readonly (readonly [string, Claims])[] = [
    ...['sub', 'aud', 'iss', 'iat'].map((name) => [`no ${name}`, { [name]: undefined }] as const),
    ...[['another issuer', { iss: 'recounted' }], ['two issuers', { iss: ['recount', 'x'] }], ['both audiences', { aud: ['recount:user', 'recount:analytics'] }], ['its audience in a list', { aud: ['recount:analytics'] }]] as const,
    ...[['an audience of a pattern', { aud: 'recount:.*' }], ['a subject that is no id', { sub: '__proto__' }], ['a subject in a list', { sub: [uuidv7()] }], ['a subject in upper case', { sub: uuidv7().toUpperCase() }]] as const,
    ...['"x"', '1e400', '0.5', 'null', 'true', '[]', '{}', '9007199254740993', '1e300'].map((exp) => [`an exp of ${exp}`, { exp: JSON.parse(exp) as unknown }] as const),
    ...[['an exp of text that is in the future', { exp: '4102444800' }], ['an iat of text', { iat: '1' }], ['an iat of half a second', { iat: 1.5 }], ['an nbf of text', { nbf: '0' }]] as const,
    ...[['an iat of the year 9999', { iat: 253_370_764_800 }], ['an nbf of the year 9999', { nbf: 253_370_764_800 }], ['an nbf of nothing', { nbf: null }]] as const,
  ]
  for (const [what, changed] of wrong) {
    it(`refuses ${what}`, async () => {
      for (const kind of KINDS) assert.deepEqual(await answers(signed(kind, changed)), REFUSED)
    })
  }

  it('refuses claims that belong to one kind and are wrong there', async () => {
    for (const changed of [{ sid: undefined }, { sid: 7 }, { sid: '__proto__' }, { gen: undefined }, { gen: '0' }, { gen: 0.5 }, { gen: null }, { exp: undefined }]) {
      assert.deepEqual(await answers(signed('user', changed)), REFUSED, JSON.stringify(changed))
    }
    for (const changed of [{ app: undefined }, { app: 7 }, { app: [fixture.app.appId] }, { app: fixture.other.appId }]) {
      // The last is a key of another app: a token like it is genuine, and no key's.
      const [, ...toKeys] = await answers(signed('analytics', changed))
      assert.deepEqual(toKeys, REFUSED.slice(1), JSON.stringify(changed))
    }
  })

  it('takes the last of two claims of one name, as JSON says, and only from whoever has the key', async () => {
    const twice = (kind: Kind, name: string, first: unknown): string => JSON.stringify(claims[kind]).replace('{', () => `{"${name}":${JSON.stringify(first)},`)
    const token = (key: Buffer | string): string => forge({ header: HEADER.user, claimsText: twice('user', 'sub', uuidv7()), key })
    assert.deepEqual(await answers(token(KEYS.user)), TAKEN.user)
    assert.deepEqual(await answers(token('attacker')), REFUSED)
  })

  it('refuses every other way to write a genuine token', async () => {
    for (const kind of KINDS) {
      const token = genuine[kind]
      const [header, payload, signature] = token.split('.') as [string, string, string]
      const said = `${header}.${payload}`
      const flipped = signature.replace(/^./, (char) => (char === 'A' ? 'B' : 'A'))
      const attacks = [
        ...[...twinsOf(token), `${token}=`, `${token}==`, `${token}A`, `${token}.`, `${token}.${signature}`, `.${token}`, token.slice(0, -1), token.slice(0, -4), `${said}.`, `${said}.${flipped}`],
        ...[`${said}.${Buffer.from(signature, 'base64url').toString('base64')}=`, `${said}.${signature.toLowerCase()}`, `${said}.${'A'.repeat(43)}`, `${header}=.${payload}.${signature}`, `${header}..${signature}`],
        ...[token.toUpperCase(), `${base64url(token)}.${payload}.${signature}`, `${header}.${base64url(token)}.${signature}`, `"${token}"`, `${token},${token}`, `${token};`, `%65${token.slice(1)}`],
      ]
      assert.ok(twinsOf(token).length > 0)
      for (const attack of attacks) assert.deepEqual(await answers(attack), REFUSED, attack)
    }
  })

  it('refuses a token within a token, texts that are none, and any that is too long', async () => {
    const nested = forge({ header: { ...HEADER.user, cty: 'JWT' }, claimsText: JSON.stringify(genuine.user), key: KEYS.user })
    const padded = signed('user', { padding: 'x'.repeat(LIMITS.credentialChars) })
    const texts = ['null', '1', '[]', '"x"', '{}', '{', ''].map((claimsText) => forge({ header: HEADER.user, claimsText, key: KEYS.user }))
    const tops = ['null', '1', '[]', '"HS256"', '{'].map((headerText) => forge({ headerText, claims: claims.user, key: KEYS.user }))
    for (const attack of [nested, padded, ...texts, ...tops, 'x', '..', '...', 'a.b.c', 'x'.repeat(10_000)]) assert.deepEqual(await answers(attack), REFUSED, attack.slice(0, 200))
  })

  it('knows a token that has expired for one, however often it was taken before', async () => {
    const expiring = seconds() + 60
    const user = signed('user', { exp: expiring })
    const analytics = signed('analytics', { exp: expiring })
    assert.deepEqual([await answers(user), await answers(analytics)], [TAKEN.user, TAKEN.analytics])
    time.aheadMs = expiring * 1_000 - Date.now() + 20
    assert.deepEqual(await answers(analytics), everywhere('401 token_expired'), 'a key ends at its second')
    assert.deepEqual(await answers(user), TAKEN.user, 'a user token lasts for the leeway')
    time.aheadMs += LIMITS.clockLeewaySeconds * 1_000
    assert.deepEqual(await answers(user), everywhere('401 token_expired'))
    assert.deepEqual(await answers(signed('user', { exp: -1 })), everywhere('401 token_expired'))
  })

  it('takes a token from the header that comes first, once, and from no address', async () => {
    const { host } = new URL(fixture.url)
    const raw = (...authorization: string[]): Promise<number> => {
      return new Promise((resolve, reject) => {
        request(`${fixture.url}/apps`, { agent: false, headers: ['Host', host, ...authorization.flatMap((value) => ['Authorization', value])] }, (res) => resolve(res.resume().statusCode!)).on('error', reject).end()
      })
    }
    assert.deepEqual([await raw(`Bearer ${genuine.user}`, 'Bearer x'), await raw('Bearer x', `Bearer ${genuine.user}`)], [200, 401])
    for (const form of [` ${genuine.user} x`, `${genuine.user}\t`.replace('\t', '\tx'), `Bearer ${genuine.user}`]) assert.deepEqual(await answers(form), REFUSED, form)
    for (const name of ['token', 'access_token', 'jwt', 'key', 'authorization']) {
      const [read, collected] = [
        await fixture.ask({ path: `/apps?${name}=${genuine.user}` }),
        await fixture.ask({ path: `/collect?${name}=${genuine.analytics}`, body: { event: 'a' } }),
      ]
      assert.deepEqual([codeOf(read), codeOf(collected)], ['unauthenticated', 'invalid_parameter'], name)
    }
    const cookied = await fixture.ask({ path: `/analytics/event-summary?appId=${fixture.app.appId}`, headers: { cookie: `recount_user=${genuine.analytics}` } })
    assert.equal(codeOf(cookied), 'forbidden')
  })

  it('refuses what was revoked, and keys of an app that is gone, though it remembers both', async () => {
    const { appId } = (await fixture.ask({ path: '/auth/register', token: genuine.user, body: { name: 'Gone soon' } })).body as { appId: string }
    const [revoked, orphaned] = [await fixture.issue({ scopes: ['collect', 'query'] }), await fixture.issue({ appId, scopes: ['collect', 'query'] })]
    const collect = async (token: string): Promise<string> => {
      const told = await fixture.ask({ path: '/collect', token, body: { event: 'a' } })
      return `${told.status} ${codeOf(told)}`.trim()
    }
    assert.deepEqual([await collect(revoked.token), await collect(orphaned.token)], ['202', '202'])
    await fixture.ask({ path: '/auth/revoke', token: genuine.user, body: { keyId: revoked.keyId } })
    await fixture.ask({ method: 'DELETE', path: `/apps/${appId}`, token: genuine.user })
    assert.deepEqual([await collect(revoked.token), await collect(orphaned.token)], ['401 key_revoked', '401 key_revoked'])
    // Signed by the right key, for a key and an account that never were.
    assert.deepEqual(await answers(signed('user', { sub: uuidv7() })), ['401 unauthenticated', '401 unauthenticated', '403 forbidden'])
    const [, ...toKeys] = await answers(signed('analytics', { sub: uuidv7() }))
    assert.deepEqual(toKeys, REFUSED.slice(1))
  })

  it('shows nothing of another organisation to a genuine token', async () => {
    const { ownerToken, appId } = await otherOrganisation(fixture)
    const told = await fixture.ask({ path: `/apps/${appId}`, token: genuine.user })
    assert.equal(`${told.status} ${codeOf(told)}`, '404 not_found')
    assert.equal((await fixture.ask({ path: `/apps/${appId}`, token: ownerToken })).status, 200)
    // Signed with another installation's secret.
    const elsewhere = createTokens({ jwtSecret: 'of another installation'.padEnd(32, '.') }, clock)
    const forged = elsewhere.issueUser({ accountId: claims.user['sub'] as string, sessionId: uuidv7(), generation: 0 }).token
    assert.deepEqual(await answers(forged), REFUSED)
  })

  describe('on refresh tokens', () => {
    interface Pair {
      readonly token: string
      readonly refreshToken: string
    }
    const refresh = async (refreshToken: unknown): Promise<{ answer: string; pair: Pair }> => {
      const told = await fixture.ask({ path: '/auth/refresh', body: { refreshToken } })
      return { answer: `${told.status} ${codeOf(told)}`.trim(), pair: told.body as unknown as Pair }
    }
    const signedIn = async (): Promise<Pair> => {
      const told = await fixture.ask({ path: '/auth/local', body: { code: OWNER_CODE } })
      assert.equal(told.status, 200, told.text)
      return told.body as unknown as Pair
    }

    it('takes each kind for what it is alone', async () => {
      const { token, refreshToken } = await signedIn()
      assert.deepEqual(await answers(refreshToken), REFUSED)
      for (const strange of [token, genuine.analytics, fixture.app.writeKey, `rr_${token}`.slice(0, 256)]) {
        const { answer } = await refresh(strange)
        assert.match(answer, /^401 unauthenticated$|^400 invalid_body$/)
      }
      assert.equal((await refresh(refreshToken)).answer, '200')
    })

    it('ends the session of a token that is shown again later, for the thief and for the robbed', async () => {
      const first = await signedIn()
      const { pair: second, answer } = await refresh(first.refreshToken)
      assert.equal(answer, '200')
      assert.notEqual(second.refreshToken, first.refreshToken)
      time.aheadMs = LIMITS.refreshOverlapMs + 1_000
      assert.equal((await refresh(first.refreshToken)).answer, '401 session_ended')
      assert.equal((await refresh(second.refreshToken)).answer, '401 session_ended')
      assert.deepEqual(await answers(second.token), ['401 session_ended', '401 session_ended', '403 forbidden'])
    })

    it('takes none that was changed, guessed or is of a later turn', async () => {
      const { refreshToken } = await signedIn()
      const { sessionId, rotation } = fixture.tokens.openRefresh(refreshToken)!
      const bytes = Buffer.from(refreshToken.slice(3), 'base64url')
      const flipped = [0, 15, 19, 20, 51].map((at) => {
        const copy = Buffer.from(bytes)
        copy[at]! ^= 1
        return `rr_${copy.toString('base64url')}`
      })
      const elsewhere = createTokens({ jwtSecret: 'of another installation'.padEnd(32, '.') }, clock)
      for (const attack of [...flipped, ...twinsOf(refreshToken), elsewhere.sealRefresh(sessionId, rotation), `${refreshToken}=`, refreshToken.slice(0, -1), 'rr_', 'rr_x']) {
        // Whoever guesses is soon told to wait; whoever has a token is not (below).
        assert.match((await refresh(attack)).answer, /^(401 unauthenticated|429 rate_limited)$/, attack)
      }
      assert.equal((await refresh(fixture.tokens.sealRefresh(uuidv7(), 0))).answer, '401 session_ended')
      assert.equal((await refresh(fixture.tokens.sealRefresh(sessionId, rotation + 5))).answer, '401 session_ended')
      for (const odd of [null, 7, {}, [refreshToken], '', 'x'.repeat(300)]) assert.equal((await refresh(odd)).answer, '400 invalid_body')
      assert.equal((await refresh(refreshToken)).answer, '200')
    })
  })
})
