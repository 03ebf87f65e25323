// A key counts as issued by somebody else, so that it outlives its issuer's leaving.
import { eventType } from './eventType.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface ApiKeyAdopted {
  keyId: string
  appId: string
  issuedBy: string
}

export const apiKeyAdopted = eventType<ApiKeyAdopted>(
  'ApiKeyAdopted',
  objectSchema({ keyId: uuid, appId: uuid, issuedBy: uuid }, ['keyId', 'appId', 'issuedBy']),
)
