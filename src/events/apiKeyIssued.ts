// A key may be used from now on. Only hashes of its secret are here; the secret was shown once.
import { eventType } from './eventType.ts'
import { epochMs, name, objectSchema, scope, type Scope, uuid } from './schemas.ts'

export interface ApiKeyIssued {
  keyId: string
  appId: string
  issuedBy: string
  name: string
  scopes: Scope[]
  /** SHA-256 of the `rk_…` write key, 64 hex digits. */
  writeKeyHash: string
  /** Its first characters, to recognise it by. */
  writeKeyHint: string
  /** Epoch milliseconds; absent: never. */
  expiresAt?: number
  /** Absent: any. */
  allowedOrigins?: string[]
  /** Requests it may make in a minute, over all processes; absent: no limit of its own. */
  requestsPerMinute?: number
  /** The key this one took over from. */
  replaces?: string
}

export const apiKeyIssued = eventType<ApiKeyIssued>(
  'ApiKeyIssued',
  objectSchema(
    {
      keyId: uuid,
      appId: uuid,
      issuedBy: uuid,
      name,
      scopes: { type: 'array', minItems: 1, uniqueItems: true, items: scope },
      writeKeyHash: { type: 'string', pattern: '^[0-9a-f]{64}$' },
      writeKeyHint: { type: 'string', maxLength: 16 },
      expiresAt: epochMs,
      allowedOrigins: { type: 'array', maxItems: 50, items: { type: 'string', maxLength: 256 } },
      requestsPerMinute: { type: 'integer', minimum: 1 },
      replaces: uuid,
    },
    ['keyId', 'appId', 'issuedBy', 'name', 'scopes', 'writeKeyHash', 'writeKeyHint'],
  ),
)
