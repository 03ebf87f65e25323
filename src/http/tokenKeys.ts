// The keys that tokens are signed and sealed with, each derived for one use alone, so that what is made for one can never
// pass for another. Of every use there are at most two: the one that signs, and the one before it, which is still accepted
// while a secret is being replaced.
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'

export interface TokenSecrets {
  readonly jwtSecret: string
  readonly jwtSecretPrevious?: string | undefined
  /** Of user tokens, refresh tokens and sealed state; they are derived from jwtSecret where there is none. */
  readonly userTokenSecret?: string | undefined
  readonly userTokenSecretPrevious?: string | undefined
}

export type KeyUse = 'user-token' | 'analytics-token' | 'refresh-token' | 'sealed-state'

export interface TokenKey {
  /** A fingerprint that tells nothing about the key: the `kid` of the tokens it signs. */
  readonly id: string
  readonly key: KeyObject
}

/** The key that signs comes first. */
export type TokenKeys = readonly [TokenKey, ...TokenKey[]]

const ID_BYTES = 9

export function tokenKeys(secrets: TokenSecrets, use: KeyUse): TokenKeys {
  const [current, previous] = use === 'analytics-token' ? [secrets.jwtSecret, secrets.jwtSecretPrevious] : userSecrets(secrets)
  return previous === undefined ? [derived(current, use)] : [derived(current, use), derived(previous, use)]
}

// With a secret of its own, a change of the other one is nothing that user tokens notice.
function userSecrets({ jwtSecret, jwtSecretPrevious, userTokenSecret, userTokenSecretPrevious }: TokenSecrets): [string, string | undefined] {
  return userTokenSecret === undefined ? [jwtSecret, jwtSecretPrevious] : [userTokenSecret, userTokenSecretPrevious]
}

function derived(secret: string, use: KeyUse): TokenKey {
  const expanded = (info: string, bytes: number): Buffer => Buffer.from(hkdfSync('sha256', secret, 'recount', info, bytes))
  return { id: expanded(`${use}-id`, ID_BYTES).toString('base64url'), key: createSecretKey(expanded(use, 32)) }
}
