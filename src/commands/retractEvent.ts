// Takes an event out of all numbers, for a stated reason. It stays in the log, and nothing undoes it: whoever retracted the
// wrong event collects it again under another id, so that history never says both.
import { eventRetracted, type EventRetracted, reason } from '../events/eventRetracted.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import type { AppCommand } from './appCommand.ts'
import { type CorrectableEvent, correctableEvent, correctionStream, presentContent } from './correctableEvent.ts'

export interface RetractEvent {
  eventId: string
  reason: string
}

export const retractionBody = {
  ...objectSchema({ reason, commandId: { ...uuid, description: 'Yours, to send the same retraction again and be answered as the first time.' } }, ['reason']),
  title: 'RetractionBody',
  description: 'Why the event should never have counted. It cannot be undone: the event would have to be collected again under another id.',
  examples: [{ reason: 'a load test' }],
}

export const retractEvent: AppCommand<RetractEvent, CorrectableEvent, { eventId: string }> = {
  name: 'RetractEvent',
  schema: objectSchema({ eventId: uuid, reason }, ['eventId', 'reason']),
  stream: (_appId, { eventId }) => correctionStream(eventId),
  state: (log, appId, { eventId }, history) => correctableEvent(log, appId, eventId, history),
  decide(state, appId, { eventId, reason: why }) {
    const { position, contentPosition } = presentContent(state)
    const data: EventRetracted = { eventId, position, contentPosition, reason: why }
    return { events: [{ type: eventRetracted, stream: correctionStream(eventId), appId, data }], result: { eventId } }
  },
}
