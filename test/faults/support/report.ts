// What a run was and what became of it, as a table for people, and how to have a failed one again.
import type { Outcome } from './schedule.ts'

/** The sums over all runs, the faults by name, and what was wrong. */
export function report(outcomes: readonly Outcome[]): string {
  const sum = (of: (outcome: Outcome) => number): string => whole(outcomes.reduce((total, outcome) => total + of(outcome), 0))
  const injected = new Map<string, number>()
  const answers = new Map<string, number>()
  for (const outcome of outcomes) {
    for (const [name, times] of outcome.injected) injected.set(name, (injected.get(name) ?? 0) + times)
    for (const [status, times] of outcome.answers) answers.set(status === 0 ? 'lost' : String(status), (answers.get(status === 0 ? 'lost' : String(status)) ?? 0) + times)
  }
  const rows: [string, string][] = [
    ['seeds', outcomes.map(({ seed }) => seed).join(', ')],
    ['events sent', sum(({ totals }) => totals.sent)],
    ['acknowledged', sum(({ totals }) => totals.acknowledged)],
    ['stored', sum(({ totals }) => totals.stored)],
    ['unacknowledged that made it', sum(({ totals }) => totals.madeIt)],
    ['sent again, found and dropped', sum(({ duplicates }) => duplicates)],
    ['invalid, refused', sum(({ totals }) => totals.invalid)],
    ['lost', sum(({ totals }) => totals.lost)],
    ['counted twice', sum(({ countedTwice }) => countedTwice)],
    ['requests by answer', [...answers].sort().map(([status, times]) => `${status} × ${whole(times)}`).join(', ')],
    ['longest to work again', `${(Math.max(...outcomes.map(({ slowestMs }) => slowestMs)) / 1_000).toFixed(1)} s`],
    ['faults', sum(({ injected: each }) => [...each.values()].reduce((total, times) => total + times, 0))],
  ]
  const lines = rows.map(([name, value]) => `  ${name.padEnd(30)} ${value}`)
  const faults = [...injected].sort().map(([name, times]) => `  ${String(times).padStart(5)} × ${name}`)
  return [...lines, ...faults].join('\n')
}

/** Empty for a run that is as promised. */
export function complaint({ seed, problems }: Outcome, command: string): string {
  if (problems.length === 0) return ''
  const replay = `The same faults in the same order, with the same payloads (not at the same moments): FAULT_SEED=${seed} ${command}`
  return [`seed ${seed}:`, ...problems.map((problem) => `  ${problem}`), replay].join('\n')
}

function whole(value: number): string {
  return value.toLocaleString('en-GB')
}
