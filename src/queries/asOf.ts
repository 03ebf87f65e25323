// As known when: what a client names as a moment of the log becomes a position of the app's partition.
import { Problem } from '../errors.ts'
import type { EventLog } from '../events/eventLog.ts'
import { parseInstant } from '../kernel/instants.ts'
import type { AsOf } from './query.ts'

export interface Moment {
  readonly position: number
  /** Epoch milliseconds; 0 before the first event. */
  readonly recordedAt: number
}

type Log = Pick<EventLog, 'head' | 'positionAt' | 'readAt'>

/**
 * Digits are a position, anything else an instant: then what had been recorded up to it counts, which is nothing at all
 * before the first event. What has not happened yet is refused with Problem `invalid_parameter`.
 */
export async function momentOf(log: Log, partition: number, text: string, { timezone, nowMs, path = 'asOf' }: { timezone: string; nowMs: number; path?: string }): Promise<Moment> {
  const refuse = (detail: string): Problem => new Problem('invalid_parameter', undefined, { errors: [{ path, detail }] })
  const head = await log.head(partition)
  if (/^\d{1,15}$/.test(text)) {
    const position = Number(text)
    if (position > head.position) throw refuse(`lies beyond the end of the log, which is position ${head.position} now`)
    return atPosition(log, partition, position)
  }
  const atMs = parseInstant(text, timezone)
  if (atMs === undefined) throw refuse('is neither a position of the log (digits) nor an ISO 8601 date or time')
  if (atMs > nowMs) throw refuse('lies in the future')
  return atPosition(log, partition, await log.positionAt(partition, atMs))
}

async function atPosition(log: Log, partition: number, position: number): Promise<Moment> {
  const [event] = position === 0 ? [] : await log.readAt(partition, [position])
  return { position, recordedAt: event?.recordedAt ?? 0 }
}

/** As an answer has it. */
export function asOfBody({ position, recordedAt }: Moment, head: number): AsOf {
  return {
    position,
    recordedAt: recordedAt === 0 ? null : new Date(recordedAt).toISOString(),
    lagEvents: Math.max(0, head - position),
  }
}
