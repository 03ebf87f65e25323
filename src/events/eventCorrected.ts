// New values for an event: from here on it counts with these and no longer with the old ones. Whole, not a difference, so
// that a fold needs no more than this and what it takes away.
import { eventCollected, type EventCollected } from './eventCollected.ts'
import { correctedEvent, type EventRetracted, reason } from './eventRetracted.ts'
import { eventType } from './eventType.ts'
import { epochMs, objectSchema } from './schemas.ts'

export interface EventCorrected extends EventRetracted {
  /** When the event really happened, epoch milliseconds; the log's own column holds when it was corrected. */
  occurredAt: number
  /** All that the event says now. */
  data: EventCollected
}

export const eventCorrected = eventType<EventCorrected>(
  'EventCorrected',
  objectSchema({ ...correctedEvent, reason, occurredAt: epochMs, data: eventCollected.schema }, [
    ...['eventId', 'position', 'contentPosition', 'reason', 'occurredAt', 'data'],
  ]),
)
