// How an entry of the audit log tells what changed: only fields that differ, bounded lists, and one order of names, so that the
// text of it does not depend on how the log was cut.
import { LIMITS } from '../../limits.ts'

/** Undefined is left out. */
export type Facts = Readonly<Record<string, unknown>>

export interface Sides {
  readonly before?: Facts | undefined
  readonly after?: Facts | undefined
}

/** The fields that differ; where none does, neither side has anything. */
export function difference(before: Facts, after: Facts): Sides {
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
  if (fields.length === 0) return {}
  const side = (facts: Facts): Facts => Object.fromEntries(fields.map((field) => [field, facts[field] ?? null]))
  return { before: side(before), after: side(after) }
}

/** A list that an entry holds, bounded, with how many more there were. */
export function listed(field: string, items: readonly unknown[]): Facts {
  if (items.length === 0) return {}
  const more = items.length - LIMITS.auditListItems
  return { [field]: items.slice(0, LIMITS.auditListItems), ...(more > 0 ? { [`${field}More`]: more } : {}) }
}

export function instant(atMs: number | undefined): string | undefined {
  return atMs === undefined ? undefined : new Date(atMs).toISOString()
}

/** JSON with the fields in the order of their names. */
export function formatFacts(facts: object | undefined): string {
  const entries = Object.entries(facts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(Object.fromEntries(entries))
}
