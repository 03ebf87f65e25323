// Gives an event new values: from then on it counts with these, as if it had been collected so. What it said before stays in
// the log; a correction that changes nothing is no event.
import { decode } from '../events/catalogue.ts'
import { type AppSettingsApplied, appSettingsApplied } from '../events/appSettingsApplied.ts'
import { eventCorrected, type EventCorrected } from '../events/eventCorrected.ts'
import { reason } from '../events/eventRetracted.ts'
import { type AppSettings, DEFAULT_SETTINGS, objectSchema, uuid } from '../events/schemas.ts'
import type { AppCommand } from './appCommand.ts'
import { type CorrectableEvent, correctableEvent, correctionStream, presentContent } from './correctableEvent.ts'
import { changesSchema, corrected, type EventChanges } from './correctedContent.ts'

export interface CorrectEvent {
  eventId: string
  changes: EventChanges
  reason: string
}

interface State extends CorrectableEvent {
  readonly settings: AppSettings
}

export const correctionBody = {
  ...objectSchema({ changes: changesSchema, reason, commandId: { ...uuid, description: 'Yours, to send the same correction again and be answered as the first time.' } }, ['changes', 'reason']),
  title: 'CorrectionBody',
  description: 'What the event should have said, and why it is corrected.',
  examples: [{ changes: { url: 'https://bakery.example/bread', title: null }, reason: 'sent with the address of the test shop' }],
}

export const correctEvent: AppCommand<CorrectEvent, State, { eventId: string }> = {
  name: 'CorrectEvent',
  schema: objectSchema({ eventId: uuid, changes: changesSchema, reason }, ['eventId', 'changes', 'reason']),
  stream: (_appId, { eventId }) => correctionStream(eventId),
  async state(log, appId, { eventId }, history) {
    const event = await correctableEvent(log, appId, eventId, history)
    // As the app's own partition has them, where they stand before any event they are about.
    const applied = (await log.readStream(log.partitionOf(appId), `settings:${appId}`)).filter(({ type }) => type === appSettingsApplied.type).at(-1)
    const settings = applied === undefined ? DEFAULT_SETTINGS : { ...DEFAULT_SETTINGS, ...(decode(applied).data as AppSettingsApplied | null) }
    return { ...event, settings }
  },
  decide(state, appId, { eventId, changes, reason: why }, { now }) {
    const { position, contentPosition, ...before } = presentContent(state)
    const after = corrected(before, changes, state.settings, now)
    const result = { eventId }
    if (after === undefined) return { events: [], result }
    const data: EventCorrected = { eventId, position, contentPosition, reason: why, ...after }
    return { events: [{ type: eventCorrected, stream: correctionStream(eventId), appId, data }], result }
  },
}
