// What counts of a collected event at a moment of the log: what was collected, until a correction takes its place. A content
// is known by the position it stands at, so whoever holds on to that position can read it again.
import type { FoldEvent } from './catalogue.ts'
import { type EventCollected, eventCollected } from './eventCollected.ts'
import { type EventCorrected, eventCorrected } from './eventCorrected.ts'

export interface Content {
  /** Of the collected event: orders events of one instant, and says which of two links came first. */
  readonly position: number
  /** Where this content stands. */
  readonly contentPosition: number
  /** Epoch milliseconds. */
  readonly occurredAt: number
  readonly data: EventCollected
}

/** An event that many folds ask for its content keeps it; null until one has asked. */
export interface KeepsContent {
  content: Content | null
}

/** Undefined for what is neither collected nor corrected, and for what was erased. */
export function contentOf(event: FoldEvent & Partial<KeepsContent>): Content | undefined {
  if (event.content === undefined) return readContentOf(event)
  if (event.content !== null) return event.content
  const content = readContentOf(event)
  event.content = content ?? null
  return content
}

function readContentOf(event: FoldEvent): Content | undefined {
  if (event.data === null) return undefined
  if (event.type === eventCollected.type) {
    return { position: event.position, contentPosition: event.position, occurredAt: event.occurredAt, data: event.data as EventCollected }
  }
  if (event.type !== eventCorrected.type) return undefined
  const { position, occurredAt, data } = event.data as EventCorrected
  return { position, contentPosition: event.position, occurredAt, data }
}
