// Somebody signed in: kept because what happens on the control plane is on record.
import { eventType } from './eventType.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface SignedIn {
  accountId: string
  method: 'local'
}

export const signedIn = eventType<SignedIn>(
  'SignedIn',
  objectSchema({ accountId: uuid, method: { type: 'string', enum: ['local'] } }, ['accountId', 'method']),
)
