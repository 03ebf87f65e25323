// The breakdown of a range by a dimension, counted from rows. A visit counts under every value that one of its events has,
// anywhere in time, if it starts in the range.
import { cursorAfter, ranked } from '../ranking.ts'
import type { BreakdownResult, BreakdownRow, StatsQuestion } from '../stats.ts'
import { ABSENT } from './dictionary.ts'
import type { Gathered } from './gathered.ts'
import { countGroups, NO_GROUP } from './groups.ts'
import { boundedField } from './overflow.ts'
import type { Field } from './rows.ts'
import { couldSay, visitField } from './visitFields.ts'

export type BreakdownQuestion = Extract<StatsQuestion, { name: 'breakdown' }>

export function breakdownOf(gathered: Gathered, question: BreakdownQuestion): BreakdownResult {
  const { rows, inRange, wanted, passes } = gathered
  const { dimension, sort, limit, offset } = question
  const { dictionary, codes } = breakdownField(gathered, question)
  let [total, without] = [0, 0]
  for (let row = 0; row < rows.count; row++) {
    if (!wanted(row) || !inRange(row) || !passes(row)) continue
    total += 1
    if (codes[row] === ABSENT) without += 1
  }
  const codeOf = (row: number): number => (wanted(row) && inRange(row) && passes(row) ? codes[row]! : NO_GROUP)
  const { events, pageviews, visitors } = countGroups(gathered, codeOf, dictionary.size)
  const visits = visitsByCode(gathered, question, codes, dictionary.size)
  const found: BreakdownRow[] = []
  dictionary.values.forEach((value, code) => {
    if (events[code] === 0 && visits[code] === 0) return
    found.push({ value, events: events[code]!, visitors: visitors[code]!, visits: visits[code]!, pageviews: pageviews[code]! })
  })
  const rowsOfPage = ranked(found, sort).slice(offset, offset + limit)
  return { dimension, rows: rowsOfPage, total, without, values: found.length, nextCursor: cursorAfter(offset, limit, found.length) }
}

/** The dimension's column, with what is beyond its bound under one name: of a visit, by the day of the event that says it. */
export function breakdownField({ rows, visits, said }: Gathered, { dimension, range }: BreakdownQuestion, valuesPerDay?: number): Field {
  const field = rows.fields.get(dimension)!
  const source = said.get(dimension)
  if (source === undefined) return boundedField(rows, field, range.timezone, { valuesPerDay })
  const bounded = boundedField(rows, source, range.timezone, { valuesPerDay, takesPart: couldSay(rows, dimension) })
  return bounded === source ? field : visitField(rows, visits!, dimension, bounded)
}

function visitsByCode(gathered: Gathered, { range }: BreakdownQuestion, codes: Int32Array, count: number): Float64Array {
  const { wanted, passes } = gathered
  const visits = gathered.visits!
  const counts = new Float64Array(count)
  const seen = new Int32Array(count).fill(NO_GROUP)
  for (let visit = 0; visit < visits.count; visit++) {
    const startMs = visits.startMs(visit)
    if (startMs < range.fromMs || startMs >= range.toMs) continue
    for (let at = visits.from[visit]!; at < visits.to[visit]!; at++) {
      const row = visits.order[at]!
      const code = codes[row]!
      if (code === ABSENT || seen[code] === visit || !wanted(row) || !passes(row)) continue
      seen[code] = visit
      counts[code]! += 1
    }
  }
  return counts
}
