// An account belongs to the organisation no more; what it was granted on its apps ended with that.
import { eventType } from './eventType.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface MemberRemoved {
  organisationId: string
  accountId: string
}

export const memberRemoved = eventType<MemberRemoved>(
  'MemberRemoved',
  objectSchema({ organisationId: uuid, accountId: uuid }, ['organisationId', 'accountId']),
)
