// Which tokens are taken while a secret is being replaced, and to the second when they no longer are. What attackers make is
// tried over HTTP (test/http/tokenAttacks.test.ts).
import assert from 'node:assert/strict'
import jwt from 'jsonwebtoken'
import { type ErrorCode, Problem } from '../../../src/errors.ts'
import { type TokenSecrets, tokenKeys } from '../../../src/http/tokenKeys.ts'
import { createTokens, type Tokens } from '../../../src/http/tokens.ts'
import { uuidv7 } from '../../../src/kernel/ids.ts'
import { LIMITS } from '../../../src/limits.ts'

const [A, B, C, USER_A, USER_B] = ['a', 'b', 'c', 'user a', 'user b'].map((name) => name.padEnd(32, '.')) as [string, string, string, string, string]
const NOW = Date.UTC(2026, 0, 15, 12)
const LEEWAY_MS = LIMITS.clockLeewaySeconds * 1_000
const time = { ms: NOW }
const clock = { now: () => time.ms }
const session = { accountId: uuidv7(), sessionId: uuidv7(), generation: 3 }
const key = { keyId: uuidv7(), appId: uuidv7() }

const make = (secrets: TokenSecrets): Tokens => createTokens(secrets, clock)

function refusal(code: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof Problem && error.code === code
}

/** Of what was issued under `before`, what is still taken under `after`. */
function surviving(before: TokenSecrets, after: TokenSecrets): string[] {
  const [old, young] = [make(before), make(after)]
  const state = old.sealState('test', 1, NOW + 1_000)
  const taken = (verify: () => unknown): boolean => {
    try {
      return verify() !== undefined
    } catch (error) {
      assert.ok(refusal('unauthenticated')(error))
      return false
    }
  }
  const user = old.issueUser(session).token
  const analytics = old.issueAnalytics({ ...key, expiresAt: undefined })
  return [
    ...(taken(() => young.verifyUser(user)) ? ['user'] : []),
    ...(taken(() => young.verifyAnalytics(analytics)) ? ['analytics'] : []),
    ...(taken(() => young.openRefresh(old.sealRefresh(session.sessionId, 7))) ? ['refresh'] : []),
    ...(taken(() => young.openState('test', state)) ? ['state'] : []),
  ]
}

const ALL = ['user', 'analytics', 'refresh', 'state']
const PEOPLE = ['user', 'refresh', 'state']

// prettier-ignore
const ROTATIONS: readonly (readonly [what: string, before: TokenSecrets, after: TokenSecrets, survivors: readonly string[]])[] = [
  ['the same secret', { jwtSecret: A }, { jwtSecret: A }, ALL],
  ['another secret', { jwtSecret: A }, { jwtSecret: B }, []],
  ['a new secret beside the previous', { jwtSecret: A }, { jwtSecret: B, jwtSecretPrevious: A }, ALL],
  ['the end of the previous', { jwtSecret: B, jwtSecretPrevious: A }, { jwtSecret: B }, ALL],
  ['a secret before the previous', { jwtSecret: A }, { jwtSecret: C, jwtSecretPrevious: B }, []],
  ['another user secret', { jwtSecret: A, userTokenSecret: USER_A }, { jwtSecret: A, userTokenSecret: USER_B }, ['analytics']],
  ['a new user secret beside the previous', { jwtSecret: A, userTokenSecret: USER_A },
    { jwtSecret: A, userTokenSecret: USER_B, userTokenSecretPrevious: USER_A }, ALL],
  ['another secret beside the same user secret', { jwtSecret: A, userTokenSecret: USER_A }, { jwtSecret: B, userTokenSecret: USER_A }, PEOPLE],
  ['a first user secret', { jwtSecret: A }, { jwtSecret: A, userTokenSecret: USER_A }, ['analytics']],
  ['a first user secret after the one it was derived from', { jwtSecret: A },
    { jwtSecret: A, userTokenSecret: USER_A, userTokenSecretPrevious: A }, ALL],
  ['a first user secret, whatever signed other tokens before', { jwtSecret: A },
    { jwtSecret: B, jwtSecretPrevious: A, userTokenSecret: USER_A }, ['analytics']],
]

describe('tokens while secrets change', () => {
  beforeEach(() => (time.ms = NOW))

  for (const [what, before, after, survivors] of ROTATIONS) {
    it(`${survivors.length === 0 ? 'nothing' : survivors.join(', ')} outlive${survivors.length > 1 ? '' : 's'} ${what}`, () => {
      assert.deepEqual(surviving(before, after), survivors)
    })
  }

  it('signs with the present secret, never with the previous', () => {
    const rotated = make({ jwtSecret: B, jwtSecretPrevious: A })
    const before = make({ jwtSecret: A })
    assert.throws(() => before.verifyUser(rotated.issueUser(session).token), refusal('unauthenticated'))
    assert.throws(() => before.verifyAnalytics(rotated.issueAnalytics({ ...key, expiresAt: undefined })), refusal('unauthenticated'))
    assert.equal(before.openRefresh(rotated.sealRefresh(session.sessionId, 1)), undefined)
    assert.equal(before.openState('test', rotated.sealState('test', 1, NOW + 1_000)), undefined)
  })

  it('names the key by a fingerprint of its own for each kind', () => {
    const tokens = make({ jwtSecret: A })
    const headers = [tokens.issueUser(session).token, tokens.issueAnalytics({ ...key, expiresAt: undefined })].map(
      (token) => jwt.decode(token, { complete: true })!.header,
    )
    const kids = [tokenKeys({ jwtSecret: A }, 'user-token')[0].id, tokenKeys({ jwtSecret: A }, 'analytics-token')[0].id]
    assert.deepEqual(headers, kids.map((kid) => ({ alg: 'HS256', typ: 'JWT', kid })))
    assert.notEqual(kids[0], kids[1])
  })

  it('takes tokens of earlier versions, which name no key, under either secret', () => {
    for (const secret of [A, B]) {
      const [{ key: signing }] = tokenKeys({ jwtSecret: secret }, 'analytics-token')
      const claims = { app: key.appId, iat: NOW / 1_000 }
      const token = jwt.sign(claims, signing, { algorithm: 'HS256', issuer: 'recount', audience: 'recount:analytics', subject: key.keyId })
      assert.deepEqual(make({ jwtSecret: B, jwtSecretPrevious: A }).verifyAnalytics(token), { ...key, expiresAt: undefined })
      assert.throws(() => make({ jwtSecret: C }).verifyAnalytics(token), refusal('unauthenticated'))
    }
  })
})

describe('what is remembered of tokens', () => {
  beforeEach(() => (time.ms = NOW))

  it('is remembered of one kind: a token that has the claims of both passes for its own alone', () => {
    const claims = { app: key.appId, sid: session.sessionId, gen: 0, iat: NOW / 1_000, exp: NOW / 1_000 + 60 }
    const signed = (use: 'user-token' | 'analytics-token', audience: string): string =>
      jwt.sign(claims, tokenKeys({ jwtSecret: A }, use)[0].key, { algorithm: 'HS256', issuer: 'recount', audience, subject: key.keyId })
    const [user, analytics] = [signed('user-token', 'recount:user'), signed('analytics-token', 'recount:analytics')]
    const tokens = make({ jwtSecret: A })
    assert.equal(tokens.verifyUser(user).accountId, key.keyId)
    assert.throws(() => tokens.verifyAnalytics(user), refusal('unauthenticated'))
    assert.equal(tokens.verifyAnalytics(analytics).keyId, key.keyId)
    assert.throws(() => tokens.verifyUser(analytics), refusal('unauthenticated'))
  })
})

describe('the time of tokens', () => {
  const tokens = make({ jwtSecret: A })
  beforeEach(() => (time.ms = NOW))

  it('ends a user token at its expiry and the leeway, remembered or not', () => {
    const { token, expiresAt } = tokens.issueUser(session)
    assert.equal(expiresAt, NOW + LIMITS.userTokenSeconds * 1_000)
    time.ms = expiresAt + LEEWAY_MS - 1
    assert.deepEqual(tokens.verifyUser(token), { ...session, expiresAt })
    time.ms += 1
    assert.throws(() => tokens.verifyUser(token), refusal('token_expired'))
    assert.throws(() => make({ jwtSecret: A }).verifyUser(token), refusal('token_expired'))
  })

  it('ends an analytics token at its very second', () => {
    const expiresAt = NOW + 60_000
    const token = tokens.issueAnalytics({ ...key, expiresAt })
    time.ms = expiresAt - 1
    assert.deepEqual(tokens.verifyAnalytics(token), { ...key, expiresAt })
    time.ms = expiresAt
    assert.throws(() => tokens.verifyAnalytics(token), refusal('token_expired'))
  })

  it('takes a token from a clock that is ahead by the leeway and from none that is further', () => {
    const token = (): string => tokens.issueAnalytics({ ...key, expiresAt: undefined })
    time.ms = NOW + LEEWAY_MS
    const ahead = token()
    time.ms = NOW + LEEWAY_MS + 1_000
    const far = token()
    time.ms = NOW
    assert.equal(tokens.verifyAnalytics(ahead).keyId, key.keyId)
    assert.throws(() => tokens.verifyAnalytics(far), refusal('unauthenticated'))
    // Nothing of the refusal is remembered.
    time.ms = NOW + 1_000
    assert.equal(tokens.verifyAnalytics(far).keyId, key.keyId)
  })
})

describe('sealing', () => {
  const tokens = make({ jwtSecret: A })
  beforeEach(() => (time.ms = NOW))

  it('opens a refresh token as it was sealed', () => {
    for (const rotation of [0, 1, 2 ** 32 - 1]) {
      const sealed = tokens.sealRefresh(session.sessionId, rotation)
      assert.match(sealed, /^rr_[A-Za-z0-9_-]{70}$/)
      assert.equal(tokens.sealRefresh(session.sessionId, rotation), sealed)
      assert.deepEqual(tokens.openRefresh(sealed), { sessionId: session.sessionId, rotation })
    }
  })

  it('opens no refresh token with any bit changed, cut off, added or written otherwise', () => {
    const sealed = tokens.sealRefresh(session.sessionId, 5)
    const bytes = Buffer.from(sealed.slice(3), 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      assert.equal(tokens.openRefresh(`rr_${flipped.toString('base64url')}`), undefined, `bit ${bit}`)
    }
    const last = sealed.at(-1)!
    const twins = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.replace(last, '')
    const written = Array.from(twins, (twin) => sealed.slice(0, -1) + twin)
    const others = [sealed.slice(3), sealed.slice(0, -1), `${sealed}A`, `${sealed}==`, ` ${sealed}`, `${sealed}\n`, 'rr_', '', `rr_${'A'.repeat(100_000)}`]
    for (const text of [...written, ...others]) assert.equal(tokens.openRefresh(text), undefined, text.slice(0, 100))
  })

  it('opens state for its purpose and until its time', () => {
    const value = { nonce: 'n', list: [1, null] }
    const sealed = tokens.sealState('sign-in', value, NOW + 1_000)
    assert.deepEqual(tokens.openState('sign-in', sealed), value)
    assert.equal(tokens.openState('exchange', sealed), undefined)
    time.ms = NOW + 999
    assert.deepEqual(tokens.openState('sign-in', sealed), value)
    time.ms = NOW + 1_000
    assert.equal(tokens.openState('sign-in', sealed), undefined)
  })

  it('shows nothing of the state, and opens none with any bit changed', () => {
    const sealed = tokens.sealState('sign-in', 'canary', NOW + 1_000)
    const bytes = Buffer.from(sealed, 'base64url')
    assert.equal(bytes.includes('canary'), false)
    assert.notEqual(tokens.sealState('sign-in', 'canary', NOW + 1_000), sealed)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      assert.equal(tokens.openState('sign-in', flipped.toString('base64url')), undefined, `bit ${bit}`)
    }
    for (const text of ['', 'x', sealed.slice(0, 30), `${sealed}=`, 'é'.repeat(60)]) assert.equal(tokens.openState('sign-in', text), undefined, text)
  })
})
