// A member of the app's organisation has at least this role on the app, whatever their role in the organisation.
import { eventType } from './eventType.ts'
import { type GrantRole, grantRole } from './organisations.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface AppGranted {
  appId: string
  accountId: string
  role: GrantRole
}

export const appGranted = eventType<AppGranted>(
  'AppGranted',
  objectSchema({ appId: uuid, accountId: uuid, role: grantRole }, ['appId', 'accountId', 'role']),
)
