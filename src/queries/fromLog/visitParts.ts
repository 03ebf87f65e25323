// What makes an event part of a number of visits: it carries a visit, the visit starts where the number counts, and some event
// of it, perhaps another one, is what the question asks for.
import type { StatsQuestion } from '../stats.ts'
import type { Gathered } from './gathered.ts'
import type { Part } from './logSource.ts'
import { askedRules, botsRule, instantsOf, iso, type PartRule, valueRules } from './parts.ts'

const NO_VISIT = -1

export function visitRules(gathered: Gathered, question: StatsQuestion, part: Part): PartRule[] {
  const { visits } = gathered
  if (visits === undefined) throw new RangeError(`the answer to ${question.name} counts no visits`)
  const visitOf = new Int32Array(gathered.rows.count).fill(NO_VISIT)
  for (let visit = 0; visit < visits.count; visit++) {
    for (let at = visits.from[visit]!; at < visits.to[visit]!; at++) visitOf[visits.order[at]!] = visit
  }
  const { fromMs, toMs } = instantsOf(question, part) ?? question.range
  const counted = [botsRule(gathered, question), ...askedRules(gathered, question, part), ...valueRules(gathered, question, part)]
  const startOf = (row: number): number => (visitOf[row] === NO_VISIT ? Number.NaN : visits.startMs(visitOf[row]!))
  const countsOf = (row: number): boolean => {
    const visit = visitOf[row]!
    if (visit === NO_VISIT) return false
    return visits.order.subarray(visits.from[visit], visits.to[visit]).some((other) => counted.every(({ test }) => test(other)))
  }
  return [
    {
      rule: 'visit',
      test: (row) => visitOf[row] !== NO_VISIT,
      detail: (_row, holds) => (holds ? 'it belongs to a visit' : 'it belongs to no visit: it names no client, is not interactive, or comes before the first event that is'),
    },
    {
      rule: 'visitStart',
      test: (row) => startOf(row) >= fromMs && startOf(row) < toMs,
      detail: (row, holds) => {
        const startMs = startOf(row)
        if (Number.isNaN(startMs)) return 'no visit starts'
        return `its visit starts at ${iso(startMs)}, ${holds ? 'within' : 'outside'} ${iso(fromMs)} (inclusive) to ${iso(toMs)} (exclusive)`
      },
    },
    {
      rule: 'visitHolds',
      test: countsOf,
      detail: (_row, holds) => (holds ? 'its visit has an event that the question asks for' : 'no event of its visit is one that the question asks for'),
    },
  ]
}
