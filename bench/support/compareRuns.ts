// Two runs of the benches, row by row: by the ratio to the baseline of the same run where there is one, because machines and
// neighbours differ, and never a verdict from within the spread of the rounds.
import type { Hardware } from './hardware.ts'
import { markdown, ratios, type Row, shown, spokenBy } from './rows.ts'

export interface BenchRun {
  readonly hardware: Hardware
  /** Over the minute before and after. */
  readonly load: { readonly before: number; readonly after: number }
  readonly startedAt: string
  readonly seconds: number
  readonly options: { readonly rounds: number; readonly quick: boolean }
  readonly rows: readonly Row[]
  /** Benches that gave no rows, and why. */
  readonly failed: readonly { readonly bench: string; readonly why: string }[]
}

export type Verdict = 'better' | 'worse' | 'within noise' | 'cannot be compared'

export interface Compared {
  readonly name: string
  readonly verdict: Verdict
  /** What was compared, or why nothing was. */
  readonly by: string
  readonly before?: number
  readonly after?: number
  /** Of the later against the earlier: 0.1 is a tenth more, whatever is better. */
  readonly change?: number
}

/** Fewer rounds than this do not show their own spread. */
const ROUNDS_OF_A_SPREAD = 3
/** What a single round is taken to be uncertain by, on either side. */
const UNKNOWN_SPREAD = 0.15
/** A difference below this is none, however close the rounds were. */
const LEAST_CHANGE = 0.03

/** Rows of the earlier run in its order, then what only the later one has. */
export function compareRuns(before: BenchRun, after: BenchRun): Compared[] {
  const later = new Map(after.rows.map((row) => [row.name, row]))
  const known = new Set(before.rows.map(({ name }) => name))
  return [
    ...before.rows.map((row) => compareRows(row, later.get(row.name))),
    ...after.rows.filter(({ name }) => !known.has(name)).map(({ name }) => incomparable(name, 'only in the second')),
  ]
}

/** What of the machines differs, in words; empty where nothing does. The revision is what is being compared. */
export function hardwareDifferences(before: Hardware, after: Hardware): string[] {
  const names = (Object.keys(before) as (keyof Hardware)[]).filter((name) => name !== 'revision')
  return names.filter((name) => before[name] !== after[name]).map((name) => `${name}: ${before[name]} and ${after[name]}`)
}

export function comparisonText(before: BenchRun, after: BenchRun): string {
  const differences = hardwareDifferences(before.hardware, after.hardware)
  const lines = [
    `first:  ${before.hardware.revision}, ${before.startedAt}, ${before.options.rounds} rounds, load ${before.load.before} to ${before.load.after}`,
    `second: ${after.hardware.revision}, ${after.startedAt}, ${after.options.rounds} rounds, load ${after.load.before} to ${after.load.after}`,
  ]
  if (differences.length > 0) lines.push('', `!!! DIFFERENT HARDWARE OR SOFTWARE: ${differences.join('; ')}`, '!!! Only ratios mean anything below; values without a baseline do not.')
  if (before.options.quick !== after.options.quick) lines.push('', '!!! One run was --quick and the other was not: sizes differ.')
  const cells = compareRuns(before, after).map(({ name, verdict, by, before: first, after: second, change }) => [
    name,
    verdict,
    first === undefined ? '' : shown(first),
    second === undefined ? '' : shown(second),
    change === undefined ? '' : `${change >= 0 ? '+' : '−'}${(Math.abs(change) * 100).toFixed(1)} %`,
    by,
  ])
  return [...lines, '', markdown(['row', 'verdict', 'first', 'second', 'change', 'by'], cells)].join('\n')
}

function compareRows(before: Row, after: Row | undefined): Compared {
  const { name } = before
  if (after === undefined) return incomparable(name, 'only in the first')
  if (before.unit !== after.unit) return incomparable(name, `units differ: ${before.unit} and ${after.unit}`)
  if (before.better !== after.better) return incomparable(name, 'they disagree on what is better')
  const same = before.baseline !== undefined && before.baseline.name === after.baseline?.name
  const [first, second] = same ? [ratios(before)!, ratios(after)!] : [before.rounds, after.rounds]
  if ([...first, ...second].some((value) => !Number.isFinite(value)) || first.length === 0 || second.length === 0) return incomparable(name, 'a round is missing')
  const other = before.baseline?.name !== after.baseline?.name
  const by = same ? `ratio to ${before.baseline.name}` : other ? `${before.unit}, since baselines differ` : before.unit
  const [from, to] = [spokenBy(before, first), spokenBy(after, second)]
  const change = from === 0 ? (to === 0 ? 0 : Infinity) : to / from - 1
  return { name, by, before: from, after: to, change, verdict: judge(first, second, change, before.better) }
}

function judge(first: readonly number[], second: readonly number[], change: number, better: Row['better']): Verdict {
  const [low, high] = [rangeOf(first), rangeOf(second)].sort((left, right) => left[0] - right[0]) as [Range, Range]
  if (low[1] >= high[0] || Math.abs(change) < LEAST_CHANGE) return 'within noise'
  return change > 0 === (better === 'higher') ? 'better' : 'worse'
}

type Range = readonly [number, number]

function rangeOf(values: readonly number[]): Range {
  const slack = values.length < ROUNDS_OF_A_SPREAD ? UNKNOWN_SPREAD : 0
  return [Math.min(...values) * (1 - slack), Math.max(...values) * (1 + slack)]
}

function incomparable(name: string, by: string): Compared {
  return { name, verdict: 'cannot be compared', by }
}
