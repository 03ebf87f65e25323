// An app belongs to another organisation; grants on it ended with that.
import { eventType } from './eventType.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface AppTransferred {
  appId: string
  from: string
  organisationId: string
}

export const appTransferred = eventType<AppTransferred>(
  'AppTransferred',
  objectSchema({ appId: uuid, from: uuid, organisationId: uuid }, ['appId', 'from', 'organisationId']),
)
