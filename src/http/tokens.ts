// The two kinds of token: one for people (user), one for programs (analytics). Their secrets are derived separately from
// JWT_SECRET and each verifier accepts its own audience and HS256 only, so neither kind can ever pass for the other. What
// was verified once is remembered; whether it has expired since is asked every time.
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { Problem } from '../errors.ts'
import type { Clock } from '../kernel/clock.ts'
import { isUuid } from '../kernel/ids.ts'
import { Lru } from '../kernel/lru.ts'
import { LIMITS } from '../limits.ts'

export interface UserToken {
  readonly accountId: string
  readonly sessionId: string
  /** How often the account had been signed out everywhere when the session began. */
  readonly generation: number
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

export interface AnalyticsToken {
  readonly keyId: string
  readonly appId: string
  /** Epoch milliseconds; undefined: lives as long as its key. */
  readonly expiresAt: number | undefined
}

export interface Tokens {
  issueUser(session: Omit<UserToken, 'expiresAt'>): { token: string; expiresAt: number }
  /** Throws Problem `unauthenticated` or `token_expired`. */
  verifyUser(token: string): UserToken
  issueAnalytics(key: AnalyticsToken): string
  /** Throws Problem `unauthenticated` or `token_expired`. */
  verifyAnalytics(token: string): AnalyticsToken
  /** What a token claims to be, unverified: which verifier to ask. */
  kindOf(token: string): 'user' | 'analytics' | undefined
}

const ISSUER = 'recount'
const AUDIENCE = { user: 'recount:user', analytics: 'recount:analytics' } as const

interface Claims {
  readonly sub: string
  readonly app: unknown
  readonly sid: unknown
  readonly gen: unknown
  readonly expiresAt: number | undefined
}

export function createTokens(jwtSecret: string, clock: Clock): Tokens {
  const secrets = { user: derived(jwtSecret, 'user'), analytics: derived(jwtSecret, 'analytics') }
  const known = { user: new Lru<string, Claims>(LIMITS.credentialsCached), analytics: new Lru<string, Claims>(LIMITS.credentialsCached) }

  const verify = (kind: 'user' | 'analytics', token: string): Claims => {
    let claims = known[kind].get(token)
    if (claims === undefined) {
      claims = verified(token, secrets[kind], AUDIENCE[kind])
      known[kind].set(token, claims)
    }
    if (claims.expiresAt !== undefined && claims.expiresAt <= clock.now()) throw new Problem('token_expired')
    return claims
  }
  const sign = (kind: 'user' | 'analytics', subject: string, more: Record<string, unknown>): string =>
    jwt.sign({ ...more, iat: seconds(clock.now()) }, secrets[kind], {
      algorithm: 'HS256',
      issuer: ISSUER,
      audience: AUDIENCE[kind],
      subject,
    })

  return {
    issueUser: ({ accountId, sessionId, generation }) => {
      const exp = seconds(clock.now()) + LIMITS.userTokenSeconds
      return { token: sign('user', accountId, { exp, sid: sessionId, gen: generation }), expiresAt: exp * 1_000 }
    },
    verifyUser: (token) => {
      const claims = verify('user', token)
      const { sub, sid, gen, expiresAt } = claims
      // Without a session it is of an earlier version of this program: its person signs in again.
      if (expiresAt === undefined || typeof sid !== 'string' || !isUuid(sid) || typeof gen !== 'number') throw new Problem('unauthenticated')
      return { accountId: sub, sessionId: sid, generation: gen, expiresAt }
    },
    issueAnalytics: ({ keyId, appId, expiresAt }) =>
      sign('analytics', keyId, { app: appId, ...(expiresAt === undefined ? {} : { exp: seconds(expiresAt) }) }),
    verifyAnalytics: (token) => {
      const claims = verify('analytics', token)
      if (typeof claims.app !== 'string' || !isUuid(claims.app)) throw new Problem('unauthenticated')
      return { keyId: claims.sub, appId: claims.app, expiresAt: claims.expiresAt }
    },
    kindOf: (token) => {
      if (token.length > LIMITS.credentialChars) return undefined
      const payload = unverified(token)
      if (payload?.['aud'] === AUDIENCE.user) return 'user'
      return payload?.['aud'] === AUDIENCE.analytics ? 'analytics' : undefined
    },
  }
}

function derived(jwtSecret: string, kind: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', jwtSecret, 'recount', `${kind}-token`, 32)))
}

// Expiry is left to the caller, which checks it against its own clock each time, remembered or not.
function verified(token: string, secret: KeyObject, audience: string): Claims {
  if (token.length > LIMITS.credentialChars) throw new Problem('unauthenticated')
  try {
    const payload = jwt.verify(token, secret, { algorithms: ['HS256'], audience, issuer: ISSUER, ignoreExpiration: true })
    if (typeof payload === 'string' || payload.sub === undefined || !isUuid(payload.sub)) throw new Problem('unauthenticated')
    return { sub: payload.sub, app: payload['app'], sid: payload['sid'], gen: payload['gen'], expiresAt: payload.exp === undefined ? undefined : payload.exp * 1_000 }
  } catch (cause) {
    throw new Problem('unauthenticated', undefined, { cause })
  }
}

function unverified(token: string): Record<string, unknown> | undefined {
  try {
    const payload = jwt.decode(token)
    return payload === null || typeof payload === 'string' ? undefined : payload
  } catch {
    // Not a token at all.
    return undefined
  }
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000)
}
