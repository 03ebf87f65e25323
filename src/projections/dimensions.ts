// What an event says, as values of the dimensions (METRICS, Enrichment): derived in the fold from the stored raw facts, so that
// new lists and rules apply to all of history. Everything that is derived counts in RULESET_VERSION.
import type { EventCollected } from '../events/eventCollected.ts'

/** By index of EVENT_DIMENSIONS; undefined where the event lacks a value. Shared and cached: never changed by the caller. */
export function eventValues(data: EventCollected): readonly (string | undefined)[] {
  throw new Error(`not written: ${data.event}`)
}

/** By index of ARRIVAL_DIMENSIONS, of the event with which a visit arrives; undefined where it lacks a value. */
export function arrivalValues(data: EventCollected): readonly (string | undefined)[] {
  throw new Error(`not written: ${data.event}`)
}

/** A metadata value as text: strings as they are, numbers and booleans as JSON writes them; undefined for anything else. */
export function metadataValue(data: EventCollected, key: string): string | undefined {
  const { metadata } = data
  if (metadata === undefined || !Object.hasOwn(metadata, key)) return undefined
  const value = metadata[key]
  if (typeof value === 'string') return value === '' ? undefined : value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}
