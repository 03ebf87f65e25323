// All sessions that an account had until now ended.
import { eventType } from './eventType.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface SignedOutEverywhere {
  accountId: string
}

export const signedOutEverywhere = eventType<SignedOutEverywhere>(
  'SignedOutEverywhere',
  objectSchema({ accountId: uuid }, ['accountId']),
)
