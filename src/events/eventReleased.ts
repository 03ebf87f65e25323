// Somebody let an event out of quarantine, as it was or mended. It stands in the log beside this, as the event that it names.
import { type EventDiscarded, quarantinedEvent } from './eventDiscarded.ts'
import { eventType } from './eventType.ts'
import { objectSchema, uuid } from './schemas.ts'

export interface EventReleased extends EventDiscarded {
  eventId: string
  /** Another event was sent in its place than the one that was kept. */
  edited?: true
}

export const eventReleased = eventType<EventReleased>(
  'EventReleased',
  objectSchema({ ...quarantinedEvent, eventId: uuid, edited: { const: true } }, ['number', 'receivedAt', 'code', 'eventId']),
)
