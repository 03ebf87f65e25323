// A person may sign in from now on.
import { eventType } from './eventType.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface AccountCreated {
  accountId: string
  role: 'owner'
}

export const accountCreated = eventType<AccountCreated>(
  'AccountCreated',
  objectSchema({ accountId: uuid, role: { type: 'string', enum: ['owner'] } }, ['accountId', 'role']),
)
