// What a member was granted on an app was taken back.
import { eventType } from './eventType.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface AppGrantEnded {
  appId: string
  accountId: string
}

export const appGrantEnded = eventType<AppGrantEnded>(
  'AppGrantEnded',
  objectSchema({ appId: uuid, accountId: uuid }, ['appId', 'accountId']),
)
