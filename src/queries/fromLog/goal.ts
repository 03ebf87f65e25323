// A goal in a range, counted from rows: what matches, who did it, and revenue by currency.
import type { GoalSpec } from '../../events/definitions.ts'
import { NumberBag } from '../../projections/sets/numberBag.ts'
import { byBytes } from '../ranking.ts'
import type { GoalResult, Revenue } from '../stats.ts'
import type { Gathered } from './gathered.ts'
import { peopleIn } from './groups.ts'

export function goalOf(gathered: Gathered, goal: GoalSpec): GoalResult {
  const { rows, inRange, wanted, passes, matches } = gathered
  const counts = (row: number): boolean => wanted(row) && inRange(row) && passes(row)
  let conversions = 0
  for (let row = 0; row < rows.count; row++) if (counts(row) && matches(row)) conversions += 1
  const visitors = peopleIn(gathered, counts).size
  const converters = peopleIn(gathered, (row) => counts(row) && matches(row)).size
  return {
    name: goal.name,
    conversions,
    converters,
    visitors,
    conversionRate: visitors === 0 ? null : converters / visitors,
    revenue: goal.value === undefined ? [] : revenueOf(gathered, goal.value, (row) => counts(row) && matches(row)),
  }
}

/** Only of events that have the number; those that name no currency come last. */
function revenueOf({ rows }: Gathered, value: string, converts: (row: number) => boolean): Revenue[] {
  const values = rows.numbers(value)
  const { dictionary, codes } = rows.fields.get('currency')!
  const bags = new Map<string | null, NumberBag>()
  for (let row = 0; row < rows.count; row++) {
    if (!converts(row) || Number.isNaN(values[row])) continue
    const currency = dictionary.valueOf(codes[row]!) ?? null
    const bag = bags.get(currency) ?? new NumberBag()
    bags.set(currency, bag)
    bag.add(values[row]!)
  }
  return [...bags]
    .map(([currency, bag]) => ({ currency, sum: bag.sum }))
    .sort((left, right) => (left.currency === null ? 1 : right.currency === null ? -1 : byBytes(left.currency, right.currency)))
}
