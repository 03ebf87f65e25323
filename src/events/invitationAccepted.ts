// Somebody used an invitation's link, which works once.
import { eventType } from './eventType.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface InvitationAccepted {
  invitationId: string
  organisationId: string
  accountId: string
}

export const invitationAccepted = eventType<InvitationAccepted>(
  'InvitationAccepted',
  objectSchema({ invitationId: uuid, organisationId: uuid, accountId: uuid }, ['invitationId', 'organisationId', 'accountId']),
)
