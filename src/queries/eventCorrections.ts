// What has become of an event since it was collected: its corrections with who made them and why, and what counts of it now.
// Read from the event's own stream in the log.
import { decode, type FoldEvent, isEvent } from '../events/catalogue.ts'
import { parseCommandMeta } from '../events/commandMeta.ts'
import { type Content, contentOf } from '../events/content.ts'
import { type EventCorrected, eventCorrected } from '../events/eventCorrected.ts'
import { type EventRetracted, eventRetracted } from '../events/eventRetracted.ts'
import type { EventLog, StoredEvent } from '../events/eventLog.ts'

export const STATUSES = ['collected', 'corrected', 'retracted'] as const
export type Status = (typeof STATUSES)[number]

export interface Correction {
  readonly id: string
  readonly kind: 'corrected' | 'retracted'
  readonly eventId: string | null
  /** The account that made it. */
  readonly by: string | null
  /** Null where it was erased. */
  readonly reason: string | null
  readonly at: string
  readonly position: number
}

const STREAMS_AT_ONCE = 16

/** The corrections and retraction of events of one partition, by event id, oldest first. */
export async function correctionsOf(log: Pick<EventLog, 'readStream'>, partition: number, eventIds: readonly string[]): Promise<Map<string, FoldEvent[]>> {
  const found = new Map<string, FoldEvent[]>()
  for (let at = 0; at < eventIds.length; at += STREAMS_AT_ONCE) {
    const some = eventIds.slice(at, at + STREAMS_AT_ONCE)
    const streams = await Promise.all(some.map((eventId) => log.readStream(partition, `correction:${eventId}`)))
    streams.forEach((stream, index) => found.set(some[index]!, stream.map(decode)))
  }
  return found
}

export function statusOf(corrections: readonly FoldEvent[]): Status {
  if (corrections.some((event) => isEvent(event, eventRetracted))) return 'retracted'
  return corrections.length === 0 ? 'collected' : 'corrected'
}

/** What the event said last, whether or not it still counts. */
export function latestContent(stored: StoredEvent, corrections: readonly FoldEvent[]): Content | undefined {
  let content: Content | undefined
  for (const event of [decode(stored), ...corrections]) content = contentOf(event) ?? content
  return content
}

export function correctionOf(event: FoldEvent): Correction {
  const data = event.data as EventCorrected | EventRetracted | null
  return {
    ...{ id: event.eventId, kind: event.type === eventCorrected.type ? 'corrected' : 'retracted', eventId: data?.eventId ?? null },
    ...{ by: parseCommandMeta(event.meta)?.actor ?? null, reason: data?.reason ?? null },
    ...{ at: new Date(event.recordedAt).toISOString(), position: event.position },
  }
}
