// From the text of a credential to a key that may act now. What was proved about a text is remembered; whether its key is
// revoked, expired or gone is asked of the keyring every time, and an unknown key costs one fresh read of the log before it
// is refused, because clients throw a batch away on 401.
import { Problem } from '../errors.ts'
import type { ControlState, Keyring, KeyState } from '../commands/keyring.ts'
import { presentScopes } from '../commands/roles.ts'
import type { Scope } from '../events/schemas.ts'
import type { Clock } from '../kernel/clock.ts'
import { within } from '../kernel/deadline.ts'
import { sha256 } from '../kernel/hashing.ts'
import { Lru } from '../kernel/lru.ts'
import { LIMITS } from '../limits.ts'
import type { Tokens } from './tokens.ts'

export interface KeyGrant {
  readonly key: KeyState
  /** What it may do now: its own scopes within its issuer's present role. */
  readonly scopes: readonly Scope[]
  /** True for the public `rk_…` key, false for the analytics token. */
  readonly viaPublicKey: boolean
  /** Of the token itself; epoch milliseconds. */
  readonly tokenExpiresAt: number | undefined
}

export interface KeyAuthority {
  /**
   * The key of `rk_…` or an analytics token, with or without `Bearer `. Answers at once where it can. Throws Problem
   * `unauthenticated`, `token_expired`, `key_revoked`, `forbidden` (a user token), `unavailable`.
   */
  resolve(credential: string): KeyGrant | Promise<KeyGrant>
}

export const PUBLIC_KEY = /^rk_[A-Za-z0-9_-]{16,128}$/
const BEARER = /^Bearer /i

export function createKeyAuthority(deps: { keyring: Keyring; tokens: Tokens; clock: Clock }): KeyAuthority {
  const { keyring, tokens, clock } = deps
  const known = new Lru<string, { grant: KeyGrant; position: number }>(LIMITS.credentialsCached)

  // A request asks twice, before its body and after, and neighbours often come with one key: that text needs no look-up.
  let latest: { credential: string; grant: KeyGrant; position: number } | undefined

  const find = (credential: string): KeyGrant | undefined => {
    // What a key may do follows from the folded state alone, so at the same position it needs no second look.
    const { position } = keyring.state
    if (latest?.credential === credential && latest.position === position) return latest.grant
    const remembered = known.get(credential)
    const grant = remembered?.position === position ? remembered.grant : proved(credential.replace(BEARER, ''), keyring, tokens)
    if (grant === undefined) return undefined
    if (grant !== remembered?.grant) known.set(credential, { grant, position })
    latest = { credential, grant, position }
    return grant
  }

  const settle = async (credential: string, found: KeyGrant | undefined, trusted: boolean | Promise<boolean>): Promise<KeyGrant> => {
    let grant = found
    if (grant === undefined) {
      await refreshed(keyring)
      grant = find(credential)
    } else {
      await assured(keyring, trusted)
      // What is known may have changed while somebody was asked whether it can be trusted.
      grant = find(credential)
    }
    if (grant === undefined) throw new Problem('unauthenticated', 'The key is not known')
    return allowed(grant, keyring, clock)
  }

  return {
    resolve: (credential) => {
      const grant = find(credential)
      const trusted = keyring.trusted()
      return grant !== undefined && trusted === true ? allowed(grant, keyring, clock) : settle(credential, grant, trusted)
    },
  }
}

/**
 * Returns once what is known of rights can be trusted. Stores that are slow for a moment are waited for: what was read since the
 * question is as good as what was fresh. Problem `unavailable` after LIMITS.trustWaitMs.
 */
export async function assured(keyring: Keyring, trusted = keyring.trusted()): Promise<void> {
  if (await trusted) return
  try {
    await within(LIMITS.trustWaitMs, keyring.refresh(), 'the control partition')
  } catch (cause) {
    throw new Problem('unavailable', 'Credentials cannot be checked at the moment; nothing was accepted; try again', { cause })
  }
}

/** Reads the keyring to the present; what cannot be read is `unavailable`, never a 401. */
export async function refreshed(keyring: Keyring): Promise<void> {
  try {
    await keyring.refresh()
  } catch (cause) {
    throw new Problem('unavailable', 'Credentials cannot be checked at the moment; try again', { cause })
  }
}

function proved(credential: string, keyring: Keyring, tokens: Tokens): KeyGrant | undefined {
  if (credential.length > LIMITS.credentialChars) throw new Problem('unauthenticated')
  if (credential.startsWith('rk_')) {
    if (!PUBLIC_KEY.test(credential)) throw new Problem('unauthenticated', 'The write key is malformed')
    const key = keyring.state.keyByHash(sha256(credential).toString('hex'))
    return key === undefined ? undefined : { key, scopes: presentScopes(keyring.state, key), viaPublicKey: true, tokenExpiresAt: undefined }
  }
  if (tokens.kindOf(credential) === 'user') {
    tokens.verifyUser(credential)
    throw new Problem('forbidden', 'This takes an analytics token or a write key (POST /auth/api-key), not the user token of a sign-in')
  }
  const token = tokens.verifyAnalytics(credential)
  const key = keyring.state.key(token.keyId)
  if (key === undefined) return undefined
  if (key.appId !== token.appId) throw new Problem('unauthenticated')
  return { key, scopes: presentScopes(keyring.state, key), viaPublicKey: false, tokenExpiresAt: token.expiresAt }
}

function allowed(grant: KeyGrant, keyring: Keyring, clock: Clock): KeyGrant {
  const { key } = grant
  if (key.revoked) throw new Problem('key_revoked')
  const now = clock.now()
  if (key.expiresAt !== undefined && key.expiresAt <= now) throw new Problem('token_expired', 'The key has expired')
  if (grant.tokenExpiresAt !== undefined && grant.tokenExpiresAt <= now) throw new Problem('token_expired')
  const app = keyring.state.app(key.appId)
  if (app === undefined || app.deleted) throw new Problem('key_revoked', 'The app of this key was deleted')
  // A key never exceeds its issuer's current role.
  if (grant.scopes.length === 0) throw new Problem('key_revoked', 'Whoever issued this key may do nothing of what it was for any more')
  return grant
}

/** Of a key that was let in a while ago. Throws `key_revoked`, `forbidden`. */
export function refuseLostScope(state: ControlState, keyId: string, scope: Scope): void {
  const key = state.key(keyId)
  const present = key === undefined || key.revoked ? [] : presentScopes(state, key)
  if (key === undefined || present.length === 0) throw new Problem('key_revoked')
  requireScope(present, key, scope)
}

/** Throws `forbidden`, and says whether the key never had the scope or its issuer has it no more. */
export function requireScope(present: readonly Scope[], key: KeyState, scope: Scope): void {
  if (present.includes(scope)) return
  const lost = key.scopes.includes(scope)
  throw new Problem('forbidden', lost ? `The role of whoever issued the key does not reach to ${scope} any more: rotate the key` : `The key lacks the scope ${scope}`)
}
