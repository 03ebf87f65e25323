// A person may sign in from now on. The first owner comes with the first organisation and owns it; everybody else joins one
// by an event of its own.
import { eventType } from './eventType.ts'
import { email } from './organisations.ts'
import { name, objectSchema, uuid } from './schemas.ts'

export interface AccountCreated {
  accountId: string
  /** Of the first owner only. */
  role?: 'owner'
  /** Google's lasting id of the person (`sub`); absent while they have signed in with the owner code only. */
  googleId?: string
  email?: string
  name?: string
}

export const accountCreated = eventType<AccountCreated>(
  'AccountCreated',
  objectSchema({ accountId: uuid, role: { type: 'string', enum: ['owner'] }, googleId: name, email, name }, ['accountId']),
)
