// Somebody signed in: kept because what happens on the control plane is on record.
import { eventType } from './eventType.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface SignedIn {
  accountId: string
  method: 'local' | 'google'
  /** Absent where no session began: a command line acting for the owner. */
  sessionId?: string
}

export const signedIn = eventType<SignedIn>(
  'SignedIn',
  objectSchema({ accountId: uuid, method: { type: 'string', enum: ['local', 'google'] }, sessionId: uuid }, ['accountId', 'method']),
)
