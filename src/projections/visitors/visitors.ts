// Who an event counts for (METRICS, Visitor): userId where known, else anonymousId, else the cookieless id; and which of
// its other ids it links to that user.
import type { EventCollected } from '../../events/eventCollected.ts'
import { textKey } from '../../kernel/hashing.ts'

/** Kinds of identity; the numbers are stored. */
export const USER = 0
export const ANONYMOUS = 1
export const COOKIELESS = 2
export type IdentityKind = typeof USER | typeof ANONYMOUS | typeof COOKIELESS

export interface Identity {
  readonly kind: IdentityKind
  readonly id: string
}

const PREFIX = ['u:', 'a:', 'c:'] as const

/** 16 bytes that stand for an identity within its app. */
export function identityKey(kind: IdentityKind, id: string): Buffer {
  return textKey(PREFIX[kind] + id)
}

export function identityOf(data: EventCollected): Identity | undefined {
  if (data.userId !== undefined) return { kind: USER, id: data.userId }
  if (data.anonymousId !== undefined) return { kind: ANONYMOUS, id: data.anonymousId }
  if (data.cookieless !== undefined) return { kind: COOKIELESS, id: data.cookieless }
  return undefined
}

/** The ids that an event says belong to its userId. */
export function linkedIdentities(data: EventCollected): Identity[] {
  if (data.userId === undefined) return []
  const linked: Identity[] = []
  if (data.anonymousId !== undefined) linked.push({ kind: ANONYMOUS, id: data.anonymousId })
  if (data.cookieless !== undefined) linked.push({ kind: COOKIELESS, id: data.cookieless })
  return linked
}
