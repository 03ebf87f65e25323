// Issues a key's successor with the same rights, and lets the old one work on for an overlap, so that clients can change
// over without losing an event.
import { Problem } from '../errors.ts'
import { apiKeyIssued, type ApiKeyIssued } from '../events/apiKeyIssued.ts'
import { apiKeyRotated, type ApiKeyRotated } from '../events/apiKeyRotated.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import { LIMITS } from '../limits.ts'
import type { Command } from './commandBus.ts'
import { keyIdOf, secretOf } from './issueApiKey.ts'
import type { KeyState } from './keyring.ts'
import { actingAccount, keyFor } from './roles.ts'

export interface RotateApiKey {
  keyId: string
  overlapSeconds?: number
}

export interface RotatedKey {
  /** The new key. */
  keyId: string
  appId: string
  replaces: string
  /** When the old key stops working; epoch milliseconds. */
  endsAt: number
}

export const rotateApiKey: Command<RotateApiKey, RotatedKey> = {
  name: 'RotateApiKey',
  schema: {
    ...objectSchema(
      {
        keyId: { ...uuid, description: 'The key to replace.' },
        overlapSeconds: {
          ...{ type: 'integer', minimum: 0, maximum: LIMITS.rotationOverlapSecondsMax },
          default: LIMITS.rotationOverlapSecondsDefault,
          description: 'How long the old key works on: a day unless given, at most 30 days, 0 to end it at once.',
        },
      },
      ['keyId'],
    ),
    ...{ title: 'RotateApiKey', description: 'Replaces a key by a new one with the same name, scopes, expiry, origins and requests per minute.' },
    examples: [{ keyId: '0b7f3c1e-52a4-5e0d-8f3a-6d1c9b2e4a70', overlapSeconds: 3_600 }],
  },
  withdraws: true,
  decide(state, input, context) {
    const issuedBy = actingAccount(state, context)
    const { app, key } = keyFor(state, input.keyId, issuedBy, 'analyst')
    refuseUnlessLive(key, context.now)
    const { appId } = app
    const keyId = keyIdOf(context)
    const overlapSeconds = input.overlapSeconds ?? LIMITS.rotationOverlapSecondsDefault
    const endsAt = Math.min(context.now + overlapSeconds * 1_000, key.expiresAt ?? Number.POSITIVE_INFINITY)
    const issued: ApiKeyIssued = {
      ...{ keyId, appId, issuedBy, name: key.name, scopes: [...key.scopes], ...secretOf(context) },
      ...(key.expiresAt === undefined ? {} : { expiresAt: key.expiresAt }),
      ...(key.allowedOrigins === undefined ? {} : { allowedOrigins: [...key.allowedOrigins] }),
      ...(key.requestsPerMinute === undefined ? {} : { requestsPerMinute: key.requestsPerMinute }),
      replaces: key.keyId,
    }
    const rotated: ApiKeyRotated = { keyId: key.keyId, appId, replacedBy: keyId, endsAt }
    return {
      events: [
        { type: apiKeyIssued, stream: `key:${keyId}`, appId, data: issued },
        { type: apiKeyRotated, stream: `key:${key.keyId}`, appId, data: rotated },
      ],
      result: { keyId, appId, replaces: key.keyId, endsAt },
      guards: [`app:${appId}`],
    }
  },
}

function refuseUnlessLive(key: KeyState, now: number): void {
  if (key.revoked) throw new Problem('key_ended', 'The key has been revoked: issue a new one')
  if (key.replacedBy !== undefined) throw new Problem('already_replaced', `The key has been rotated already: its successor is ${key.replacedBy}`)
  if (key.expiresAt !== undefined && key.expiresAt <= now) throw new Problem('key_ended', 'The key has expired: issue a new one')
}
