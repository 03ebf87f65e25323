// A key is dead.
import { eventType } from './eventType.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface ApiKeyRevoked {
  keyId: string
  appId: string
}

export const apiKeyRevoked = eventType<ApiKeyRevoked>(
  'ApiKeyRevoked',
  objectSchema({ keyId: uuid, appId: uuid }, ['keyId', 'appId']),
)
