// A key counts as issued by somebody else, so that it outlives its issuer's leaving.
import { eventType } from './eventType.ts'
import { objectSchema, scope, type Scope, uuid } from './schemas.ts'

export interface ApiKeyAdopted {
  keyId: string
  appId: string
  issuedBy: string
  /** What it may do from then on; undefined: what it was issued for. Fewer where it could do no more when it was taken over. */
  scopes?: Scope[]
}

export const apiKeyAdopted = eventType<ApiKeyAdopted>(
  'ApiKeyAdopted',
  objectSchema({ keyId: uuid, appId: uuid, issuedBy: uuid, scopes: { type: 'array', minItems: 1, uniqueItems: true, items: scope } }, ['keyId', 'appId', 'issuedBy']),
)
