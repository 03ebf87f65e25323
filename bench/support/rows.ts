// One result of a benchmark: what every round gave and what its baseline gave in the same round. All benches speak this, so
// that one command can put them in one table and a script can compare two runs.

export interface Row {
  /** Unique over all benches: runs are compared by it. */
  readonly name: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  /** One value a round, in order. */
  readonly rounds: readonly number[]
  /** Of the same rounds in the same order and unit: a row is judged by its ratio to it. */
  readonly baseline?: { readonly name: string; readonly rounds: readonly number[] }
  readonly target?: Target
  /** Which round speaks for the row; the median unless a bound is promised, which the worst one must keep. */
  readonly speaks?: 'median' | 'worst'
  readonly note?: string
}

export interface Target {
  readonly of: 'value' | 'ratio'
  readonly atLeast?: number
  readonly atMost?: number
}

/** The middle one; of an even number the upper of the two. NaN of nothing. */
export function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? NaN
}

/** Value by baseline, round by round; undefined without a baseline. */
export function ratios({ rounds, baseline }: Row): number[] | undefined {
  return baseline === undefined ? undefined : rounds.map((value, round) => value / (baseline.rounds[round] ?? NaN))
}

/** The one number of several rounds. */
export function spokenBy({ better, speaks = 'median' }: Pick<Row, 'better' | 'speaks'>, values: readonly number[]): number {
  if (speaks === 'median') return median(values)
  return better === 'higher' ? Math.min(...values) : Math.max(...values)
}

/** undefined where nothing is asked. */
export function meetsTarget(row: Row): boolean | undefined {
  const { target } = row
  if (target === undefined) return undefined
  const values = target.of === 'ratio' ? ratios(row) : row.rounds
  if (values === undefined) return undefined
  const value = spokenBy(row, values)
  return value >= (target.atLeast ?? -Infinity) && value <= (target.atMost ?? Infinity)
}

/** A Markdown table, so that it can be read in a terminal and pasted into README. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => {
    const of = ratios(row)
    const spread = row.rounds.length > 1 ? `${shown(Math.min(...row.rounds))} to ${shown(Math.max(...row.rounds))}` : ''
    const met = meetsTarget(row)
    return [
      row.name,
      `${shown(spokenBy(row, row.rounds))} ${row.unit}`,
      spread,
      row.baseline === undefined ? '' : `${row.baseline.name}: ${shown(median(row.baseline.rounds))}`,
      of === undefined ? '' : shown(spokenBy(row, of)),
      row.target === undefined ? '' : `${targetWords(row.target)}: ${met === true ? 'met' : 'missed'}`,
      row.note ?? '',
    ]
  })
  return markdown(['row', 'median', 'rounds', 'baseline', 'of it', 'target', 'note'], cells)
}

export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  const line = (row: readonly string[]): string => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n')
}

/** Three figures that count, and thousands apart. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return '?'
  const size = Math.abs(value)
  return size >= 100 ? Math.round(value).toLocaleString('en') : size === 0 ? '0' : String(Number(value.toPrecision(3)))
}

function targetWords({ of, atLeast, atMost }: Target): string {
  const what = of === 'ratio' ? 'ratio ' : ''
  return atLeast === undefined ? `${what}≤ ${shown(atMost!)}` : `${what}≥ ${shown(atLeast)}`
}
