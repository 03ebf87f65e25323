// A custom report over a range, counted from rows: one result row per interval and values that occur, each measure exact.
import type { Measure } from '../../events/definitions.ts'
import { NumberBag } from '../../projections/sets/numberBag.ts'
import type { ReportResult, ReportRow, StatsQuestion } from '../stats.ts'
import type { Gathered } from './gathered.ts'
import { countGroups, NO_GROUP } from './groups.ts'
import { byKey, reportGroups } from './reportGroups.ts'

type Measured = (group: number) => number | null

export function reportOf(gathered: Gathered, question: Extract<StatsQuestion, { name: 'report' }>): ReportResult {
  const { name, interval, dimensions, measures } = question.report
  const { codes, keys } = reportGroups(gathered, question)
  const { events, visitors } = countGroups(gathered, (row) => codes[row]!, keys.length)
  const bags = new Map<string, NumberBag[]>()
  for (const { of } of measures) if (of !== undefined && !bags.has(of)) bags.set(of, bagsOf(gathered, of, codes, keys.length))
  const measured = measures.map(({ measure, of }): Measured => {
    if (measure === 'count') return (group) => events[group]!
    if (measure === 'visitors') return (group) => visitors[group]!
    return (group) => ofBag(bags.get(of!)![group]!, measure)
  })
  const rows = keys.map((key, group): ReportRow => ({ ...key, measures: measured.map((measure) => measure(group)) }))
  return {
    name,
    interval,
    dimensions,
    measures: measures.map(({ measure, of }) => (of === undefined ? measure : `${measure}(${of})`)),
    rows: rows.sort(byKey),
  }
}

function bagsOf({ rows }: Gathered, name: string, codes: Int32Array, groups: number): NumberBag[] {
  const values = rows.numbers(name)
  const bags = Array.from({ length: groups }, () => new NumberBag())
  for (let row = 0; row < codes.length; row++) {
    if (codes[row] !== NO_GROUP && !Number.isNaN(values[row])) bags[codes[row]!]!.add(values[row]!)
  }
  return bags
}

/** Null where no event has the number. */
export function ofBag(bag: NumberBag, measure: Exclude<Measure, 'count' | 'visitors'>): number | null {
  if (bag.count === 0) return null
  switch (measure) {
    case 'sum':
      return bag.sum
    case 'avg':
      return bag.mean
    case 'min':
      return bag.min
    case 'max':
      return bag.max
    case 'median':
      return bag.median
  }
}
