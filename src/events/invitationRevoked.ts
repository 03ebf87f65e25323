// An invitation's link works no more.
import { eventType } from './eventType.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface InvitationRevoked {
  invitationId: string
  organisationId: string
}

export const invitationRevoked = eventType<InvitationRevoked>(
  'InvitationRevoked',
  objectSchema({ invitationId: uuid, organisationId: uuid }, ['invitationId', 'organisationId']),
)
