// Which row of a report each event belongs to: its interval and its values of up to two dimensions, as one dense number.
import type { ReportSpec } from '../../events/definitions.ts'
import { type Span, spanAt, spansOf } from '../intervals.ts'
import { byBytes } from '../ranking.ts'
import { checkReportRows } from '../reportBound.ts'
import type { StatsQuestion } from '../stats.ts'
import type { Gathered } from './gathered.ts'
import { NO_GROUP } from './groups.ts'

export interface ReportKey {
  readonly at: string | null
  readonly dimensions: readonly (string | null)[]
}

export interface ReportGroups {
  /** By row of the log. */
  readonly codes: Int32Array
  /** By group. */
  readonly keys: readonly ReportKey[]
}

export function reportGroups(gathered: Gathered, { range, report }: Extract<StatsQuestion, { name: 'report' }>): ReportGroups {
  const { rows, inRange, wanted, passes, matches } = gathered
  const spans = report.interval === 'none' ? undefined : spansOf(range, report.interval)
  const fields = report.dimensions.map((dimension) => rows.fields.get(dimension)!)
  const codes = new Int32Array(rows.count).fill(NO_GROUP)
  const pairs = fields.map(() => new Map<number, number>())
  const found: { readonly span: number; readonly codes: readonly number[] }[] = []
  const groups = new Map<number, number>()
  for (let row = 0; row < rows.count; row++) {
    if (!wanted(row) || !inRange(row) || !passes(row) || !matches(row)) continue
    const span = spans === undefined ? 0 : spanAt(spans, rows.occurredAt[row]!)
    let key = span
    // What was told apart so far times what the next dimension may add stays far below 2^53.
    fields.forEach((field, at) => (key = dense(pairs[at]!, key * (field.dictionary.size + 1) + field.codes[row]! + 1)))
    const group = dense(groups, key)
    if (group === found.length) {
      found.push({ span, codes: fields.map((field) => field.codes[row]!) })
      checkReportRows(found.length)
    }
    codes[row] = group
  }
  const keys = found.map(({ span, codes: values }) => ({
    at: atOf(spans, span),
    dimensions: values.map((code, at) => fields[at]!.dictionary.valueOf(code) ?? null),
  }))
  return { codes, keys: keys.length === 0 && isOneRow(report) ? [{ at: null, dimensions: [] }] : keys }
}

/** By time, then by dimensions; what lacks a dimension comes last. */
export function byKey(left: ReportKey, right: ReportKey): number {
  if (left.at !== right.at) return left.at === null || (right.at !== null && left.at < right.at) ? -1 : 1
  for (const [at, one] of left.dimensions.entries()) {
    const other = right.dimensions[at] ?? null
    if (one === other) continue
    if (one === null) return 1
    return other === null ? -1 : byBytes(one, other)
  }
  return 0
}

/** Totals are a row even of nothing. */
function isOneRow({ interval, dimensions }: ReportSpec): boolean {
  return interval === 'none' && dimensions.length === 0
}

function atOf(spans: readonly Span[] | undefined, span: number): string | null {
  return spans === undefined ? null : new Date(spans[span]!.atMs).toISOString()
}

function dense(numbers: Map<number, number>, key: number): number {
  let number = numbers.get(key)
  if (number === undefined) numbers.set(key, (number = numbers.size))
  return number
}
