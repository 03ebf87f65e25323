// The bound on values of a dimension: on one local day the first LIMITS.valuesPerDay, in log order, count by name, and what
// comes after them counts as "(other)". Below the bound, which is where nearly all dimensions are, nothing is copied.
import { localDays } from '../../kernel/calendar.ts'
import { LIMITS } from '../../limits.ts'
import { ABSENT, Dictionary } from './dictionary.ts'
import { type Field, IN_FORCE, type Rows } from './rows.ts'

export const OTHER = '(other)'

export interface Bound {
  readonly valuesPerDay?: number | undefined
  /** Rows that take no part do not use up names. */
  readonly takesPart?: (row: number) => boolean
}

export function boundedField(rows: Rows, field: Field, timezone: string, { valuesPerDay = LIMITS.valuesPerDay, takesPart = () => true }: Bound = {}): Field {
  if (field.dictionary.size <= valuesPerDay) return field
  const zone = localDays(timezone)
  const named = new Map<number, Set<number>>()
  const codes = field.codes.slice(0, rows.count)
  const dictionary = new Dictionary()
  for (const value of field.dictionary.values) dictionary.code(value)
  let day = zone.at(0)
  for (let row = 0; row < rows.count; row++) {
    const code = codes[row]!
    if (code === ABSENT || (rows.flags[row]! & IN_FORCE) === 0 || !takesPart(row)) continue
    const atMs = rows.occurredAt[row]!
    if (atMs < day.fromMs || atMs >= day.toMs) day = zone.at(atMs)
    let values = named.get(day.day)
    if (values === undefined) named.set(day.day, (values = new Set()))
    if (values.has(code)) continue
    if (values.size < valuesPerDay) values.add(code)
    else codes[row] = dictionary.code(OTHER)
  }
  return { dictionary, codes }
}
