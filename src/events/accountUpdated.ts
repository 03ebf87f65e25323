// What Google says of a person changed (a new e-mail address or name), or the first owner came to have a Google account.
import { eventType } from './eventType.ts'
import { email } from './organisations.ts'
import { name, objectSchema, uuid } from './schemas.ts'

export interface AccountUpdated {
  accountId: string
  googleId?: string
  email?: string
  name?: string
}

export const accountUpdated = eventType<AccountUpdated>(
  'AccountUpdated',
  objectSchema({ accountId: uuid, googleId: name, email, name }, ['accountId']),
)
