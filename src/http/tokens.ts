// The two kinds of token: one for people (user), one for programs (analytics). Each is signed with keys of its own, names by
// `kid` which of at most two, and is taken by a verifier that knows its audience and HS256 only, so neither kind can ever pass
// for the other. What was verified once is remembered; whether it has expired since is asked every time.
import jwt from 'jsonwebtoken'
import { Problem } from '../errors.ts'
import type { Clock } from '../kernel/clock.ts'
import { isUuid } from '../kernel/ids.ts'
import { Lru } from '../kernel/lru.ts'
import { LIMITS } from '../limits.ts'
import { createSealing, type Sealing } from './sealing.ts'
import { type TokenKey, tokenKeys, type TokenKeys, type TokenSecrets } from './tokenKeys.ts'

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

export interface Tokens extends Sealing {
  issueUser(session: Omit<UserToken, 'expiresAt'>): { token: string; expiresAt: number }
  /** Throws Problem `unauthenticated` or `token_expired`. */
  verifyUser(token: string): UserToken
  issueAnalytics(key: AnalyticsToken): string
  /** Throws Problem `unauthenticated` or `token_expired`. */
  verifyAnalytics(token: string): AnalyticsToken
  /** What a token claims to be, unverified: which verifier to ask. */
  kindOf(token: string): Kind | undefined
}

type Kind = 'user' | 'analytics'

const ISSUER = 'recount'
const AUDIENCE = { user: 'recount:user', analytics: 'recount:analytics' } as const
/** All that a header of ours has; `jwk`, `jku`, `x5u`, `crit` and whatever else tells a verifier what to do has no place in it. */
const HEADER = new Set(['alg', 'typ', 'kid'])
// The expiry of a key is what its owner was promised; a user token is replaced before it ends, by whichever clock.
const EXPIRY_LEEWAY_MS = { user: LIMITS.clockLeewaySeconds * 1_000, analytics: 0 } as const

interface Claims {
  readonly sub: string
  readonly app: unknown
  readonly sid: unknown
  readonly gen: unknown
  readonly expiresAt: number | undefined
}

export function createTokens(secrets: TokenSecrets, clock: Clock): Tokens {
  const keys = { user: tokenKeys(secrets, 'user-token'), analytics: tokenKeys(secrets, 'analytics-token') }
  const known = { user: new Lru<string, Claims>(LIMITS.credentialsCached), analytics: new Lru<string, Claims>(LIMITS.credentialsCached) }

  const verify = (kind: Kind, token: string): Claims => {
    let claims = known[kind].get(token)
    if (claims === undefined) {
      claims = verified(token, keys[kind], AUDIENCE[kind], clock)
      known[kind].set(token, claims)
    }
    if (claims.expiresAt !== undefined && claims.expiresAt + EXPIRY_LEEWAY_MS[kind] <= clock.now()) throw new Problem('token_expired')
    return claims
  }
  const sign = (kind: Kind, subject: string, more: Record<string, unknown>): string => {
    const [{ id, key }] = keys[kind]
    const claims = { ...more, iat: seconds(clock.now()) }
    return jwt.sign(claims, key, { algorithm: 'HS256', keyid: id, issuer: ISSUER, audience: AUDIENCE[kind], subject })
  }

  return {
    ...createSealing(secrets, clock),
    issueUser: ({ accountId, sessionId, generation }) => {
      const exp = seconds(clock.now()) + LIMITS.userTokenSeconds
      return { token: sign('user', accountId, { exp, sid: sessionId, gen: generation }), expiresAt: exp * 1_000 }
    },
    verifyUser: (token) => {
      const { sub, sid, gen, expiresAt } = verify('user', token)
      // Without a session it is of an earlier version of this program: its person signs in again.
      if (expiresAt === undefined || typeof sid !== 'string' || !isUuid(sid) || !Number.isSafeInteger(gen)) throw new Problem('unauthenticated')
      return { accountId: sub, sessionId: sid, generation: gen as number, expiresAt }
    },
    issueAnalytics: ({ keyId, appId, expiresAt }) =>
      sign('analytics', keyId, { app: appId, ...(expiresAt === undefined ? {} : { exp: seconds(expiresAt) }) }),
    verifyAnalytics: (token) => {
      const { sub, app, expiresAt } = verify('analytics', token)
      if (typeof app !== 'string' || !isUuid(app)) throw new Problem('unauthenticated')
      return { keyId: sub, appId: app, expiresAt }
    },
    kindOf: (token) => {
      const audience = decoded(token)?.payload['aud']
      if (audience === AUDIENCE.user) return 'user'
      return audience === AUDIENCE.analytics ? 'analytics' : undefined
    },
  }
}

/** What a genuine token says. Expiry is left to the caller, which asks its clock each time, remembered or not. */
function verified(token: string, keys: TokenKeys, audience: string, clock: Clock): Claims {
  const header = decoded(token)?.header
  if (header === undefined || !isOurs(header)) throw new Problem('unauthenticated')
  const candidates = header['kid'] === undefined ? keys : keys.filter(({ id }) => id === header['kid'])
  const payload = candidates.map(({ key }) => genuine(token, key)).find((found) => found !== undefined)
  const claims = payload === undefined ? undefined : claimsOf(payload, audience, seconds(clock.now()) + LIMITS.clockLeewaySeconds)
  if (claims === undefined) throw new Problem('unauthenticated')
  return claims
}

function isOurs(header: Readonly<Record<string, unknown>>): boolean {
  return header['alg'] === 'HS256' && header['typ'] === 'JWT' && Object.keys(header).every((name) => HEADER.has(name))
}

/** The payload, if this key signed it. */
function genuine(token: string, key: TokenKey['key']): Readonly<Record<string, unknown>> | undefined {
  try {
    // Times are judged with the program's own clock below.
    const payload = jwt.verify(token, key, { algorithms: ['HS256'], issuer: ISSUER, ignoreExpiration: true, ignoreNotBefore: true })
    return typeof payload === 'string' ? undefined : payload
  } catch {
    return undefined
  }
}

/** Undefined for claims that we would not have made, or that are of a time to come. */
function claimsOf(payload: Readonly<Record<string, unknown>>, audience: string, latest: number): Claims | undefined {
  const { sub, aud, iat, nbf, exp, app, sid, gen } = payload
  if (aud !== audience || typeof sub !== 'string' || !isUuid(sub)) return undefined
  if (!isPast(iat, latest) || (nbf !== undefined && !isPast(nbf, latest))) return undefined
  if (exp !== undefined && !Number.isSafeInteger(exp)) return undefined
  return { sub, app, sid, gen, expiresAt: exp === undefined ? undefined : (exp as number) * 1_000 }
}

function isPast(instant: unknown, latest: number): boolean {
  return Number.isSafeInteger(instant) && (instant as number) <= latest
}

function decoded(token: string): { header: Record<string, unknown>; payload: Record<string, unknown> } | undefined {
  if (token.length > LIMITS.credentialChars) return undefined
  try {
    const found = jwt.decode(token, { complete: true })
    // The types do not say so, but the header is whatever JSON stands there.
    if (!isObject(found?.header) || !isObject(found.payload)) return undefined
    return { header: { ...found.header }, payload: found.payload }
  } catch {
    // Not a token at all.
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000)
}
