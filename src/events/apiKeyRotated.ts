// A key was replaced by another and works on only until `endsAt`, so that clients can change over.
import { eventType } from './eventType.ts'
import { epochMs, objectSchema, uuid } from './schemas.ts'

export interface ApiKeyRotated {
  keyId: string
  appId: string
  replacedBy: string
  /** Epoch milliseconds. */
  endsAt: number
}

export const apiKeyRotated = eventType<ApiKeyRotated>(
  'ApiKeyRotated',
  objectSchema({ keyId: uuid, appId: uuid, replacedBy: uuid, endsAt: epochMs }, ['keyId', 'appId', 'replacedBy', 'endsAt']),
)
