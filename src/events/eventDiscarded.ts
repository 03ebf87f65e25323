// Somebody looked at an event in quarantine and did not want it. Nothing of what it said is kept; that it was received is.
import { eventType } from './eventType.ts'
import { epochMs, objectSchema } from './schemas.ts'

export interface EventDiscarded {
  /** Of the event in its app's quarantine. */
  number: number
  receivedAt: number
  /** Why it had been refused. */
  code: string
}

/** What acts on an event in quarantine name it by. Its number begins anew in another store, the instant of its receipt does not. */
export const quarantinedEvent = { number: epochMs, receivedAt: epochMs, code: { type: 'string', minLength: 1, maxLength: 64 } } as const

export const eventDiscarded = eventType<EventDiscarded>('EventDiscarded', objectSchema(quarantinedEvent, ['number', 'receivedAt', 'code']))
