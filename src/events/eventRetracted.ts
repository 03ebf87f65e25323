// An event that should never have counted: from here on it is as if it had not happened. The log keeps it; projections
// apply the inverse exactly.
import { LIMITS } from '../limits.ts'
import { eventType } from './eventType.ts'
import { epochMs, objectSchema, uuid } from './schemas.ts'

export interface EventRetracted {
  eventId: string
  /** Where the collected event stands in this partition. */
  position: number
  /** Where its content stood until now: the same, or the position of its latest correction. */
  contentPosition: number
  reason: string
}

/** What corrections and retractions name an event by. Both stand in the stream `correction:<eventId>` of the app's partition. */
export const correctedEvent = { eventId: uuid, position: epochMs, contentPosition: epochMs } as const
export const reason = { type: 'string', minLength: 1, maxLength: LIMITS.reasonChars } as const

export const eventRetracted = eventType<EventRetracted>(
  'EventRetracted',
  objectSchema({ ...correctedEvent, reason }, ['eventId', 'position', 'contentPosition', 'reason']),
)
