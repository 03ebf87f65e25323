// A member may do more, or less, from now on.
import { eventType } from './eventType.ts'
import { type MemberRole, memberRole } from './organisations.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface MemberRoleChanged {
  organisationId: string
  accountId: string
  role: MemberRole
}

export const memberRoleChanged = eventType<MemberRoleChanged>(
  'MemberRoleChanged',
  objectSchema({ organisationId: uuid, accountId: uuid, role: memberRole }, ['organisationId', 'accountId', 'role']),
)
