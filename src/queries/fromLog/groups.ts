// Events, pageviews, distinct visitors and visits of many groups at once: the points of a time series, the values of a
// dimension, the rows of a report. A row is in one group or in none; a visit may be in several.
import { NOBODY } from './identities.ts'
import type { Gathered } from './gathered.ts'
import { PAGEVIEW } from './rows.ts'

export const NO_GROUP = -1

/** By row: its group. */
export type GroupOf = (row: number) => number

export interface Groups {
  readonly events: Float64Array
  readonly pageviews: Float64Array
  readonly visitors: Float64Array
}

/** Of the rows that the group function puts anywhere. */
export function countGroups({ rows, people }: Pick<Gathered, 'rows' | 'people'>, groupOf: GroupOf, count: number): Groups {
  const events = new Float64Array(count)
  const pageviews = new Float64Array(count)
  for (let row = 0; row < rows.count; row++) {
    const group = groupOf(row)
    if (group === NO_GROUP) continue
    events[group]! += 1
    if ((rows.flags[row]! & PAGEVIEW) !== 0) pageviews[group]! += 1
  }
  return { events, pageviews, visitors: distinctPeople(rows, people, groupOf, events) }
}

/** People side by side per group, so that one array of stamps tells who was seen in a group already. */
function distinctPeople({ count, visitor }: Gathered['rows'], people: Int32Array, groupOf: GroupOf, events: Float64Array): Float64Array {
  const ends = new Uint32Array(events.length)
  let total = 0
  events.forEach((some, group) => {
    ends[group] = total
    total += some
  })
  const starts = ends.slice()
  const members = new Int32Array(total)
  for (let row = 0; row < count; row++) {
    const group = groupOf(row)
    if (group === NO_GROUP || visitor[row] === NOBODY) continue
    members[ends[group]!++] = people[visitor[row]!]!
  }
  const seen = new Int32Array(people.length).fill(NO_GROUP)
  const distinct = new Float64Array(events.length)
  for (let group = 0; group < events.length; group++) {
    for (let at = starts[group]!; at < ends[group]!; at++) {
      const person = members[at]!
      if (seen[person] === group) continue
      seen[person] = group
      distinct[group]! += 1
    }
  }
  return distinct
}

/** The distinct people of some rows. */
export function peopleIn({ rows, people }: Pick<Gathered, 'rows' | 'people'>, includes: (row: number) => boolean): Set<number> {
  const found = new Set<number>()
  for (let row = 0; row < rows.count; row++) if (rows.visitor[row] !== NOBODY && includes(row)) found.add(people[rows.visitor[row]!]!)
  return found
}

/** Visits that start in the range and have an event, anywhere in time, that the question wants and that passes. */
export function* countedVisits({ visits, wanted, passes }: Gathered, { fromMs, toMs }: { fromMs: number; toMs: number }): Generator<number> {
  if (visits === undefined) throw new TypeError('the question needs no visits')
  const { order, from, to } = visits
  for (let visit = 0; visit < visits.count; visit++) {
    const startMs = visits.startMs(visit)
    if (startMs < fromMs || startMs >= toMs) continue
    for (let at = from[visit]!; at < to[visit]!; at++) {
      const row = order[at]!
      if (!wanted(row) || !passes(row)) continue
      yield visit
      break
    }
  }
}
