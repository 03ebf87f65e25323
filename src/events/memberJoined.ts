// An account belongs to an organisation from now on.
import { eventType } from './eventType.ts'
import { type MemberRole, memberRole } from './organisations.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface MemberJoined {
  organisationId: string
  accountId: string
  role: MemberRole
  through: 'founding' | 'invitation' | 'domain'
}

export const memberJoined = eventType<MemberJoined>(
  'MemberJoined',
  objectSchema(
    { organisationId: uuid, accountId: uuid, role: memberRole, through: { type: 'string', enum: ['founding', 'invitation', 'domain'] } },
    ['organisationId', 'accountId', 'role', 'through'],
  ),
)
