// What correcting and retracting an event rest on: the event as it was collected, and what its own stream says has become of
// it since. Only what producers sent can be corrected, and only while it counts.
import { Problem } from '../errors.ts'
import { decode, type FoldEvent, isEvent } from '../events/catalogue.ts'
import { type Content, contentOf } from '../events/content.ts'
import { eventCollected } from '../events/eventCollected.ts'
import type { EventLog } from '../events/eventLog.ts'
import { eventRetracted } from '../events/eventRetracted.ts'

export interface CorrectableEvent {
  readonly eventId: string
  /** What counts of it now. */
  readonly content: Content
  readonly retracted: boolean
}

export function correctionStream(eventId: string): string {
  return `correction:${eventId}`
}

/** Throws `not_found` for what is not there, is no collected event, or was erased. */
export async function correctableEvent(log: Pick<EventLog, 'find'>, appId: string, eventId: string, history: readonly FoldEvent[]): Promise<CorrectableEvent> {
  const stored = await log.find(appId, eventId)
  if (stored?.type !== eventCollected.type) throw new Problem('not_found', 'There is no such event; one that was accepted a moment ago may still be on its way into the log')
  let content = contentOf(decode(stored))
  for (const event of history) content = contentOf(event) ?? content
  if (content === undefined) throw new Problem('not_found', 'What the event said was erased')
  return { eventId, content, retracted: history.some((event) => isEvent(event, eventRetracted)) }
}

/** Throws `already_retracted`. */
export function presentContent({ content, retracted }: CorrectableEvent): Content {
  if (retracted) throw new Problem('already_retracted')
  return content
}
