// The long run: finds the highest rate that the whole stack keeps up with, then offers a share of that for as long as is asked.
// Memory of every process and lag must stay level, no request may fail, and every acknowledged event is in the log in the end.
// `npm run bench -- --long-run [--minutes 30] [--share 0.7]`
import { benchFlags, runBench } from './support/benchRun.ts'
import { type LongRun, longRun } from './support/longRun.ts'
import { median, type Row, shown } from './support/rows.ts'
import { startStack } from './support/stack.ts'

const flags = benchFlags({ minutes: { type: 'string' }, share: { type: 'string', default: '0.7' } })
const MINUTES = Number(flags.minutes ?? (flags.quick ? 1 : 30))

await runBench(flags, async () => {
  const stack = await startStack(['append', 'project'])
  try {
    const run = await longRun(stack, { minutes: MINUTES, share: Number(flags.share), rampSeconds: flags.quick ? 5 : 15, onMinute: (line) => console.log(line) })
    if (run.errors > 0 || run.missing > 0) throw new Error(`${run.errors} requests failed (${run.failures}), ${run.missing} acknowledged events are not in the log`)
    return rowsOf(run)
  } finally {
    await stack.stop()
  }
})

function rowsOf({ samples, peakPerSecond, acknowledged, seconds, lagSlopeMs, memory, drainedMs }: LongRun): Row[] {
  const name = `long run, ${MINUTES} min at ${flags.share} of peak`
  const lags = samples.map(({ lagMs }) => lagMs)
  return [
    { name: `${name}, events`, unit: 'events/s', better: 'higher', rounds: [acknowledged / seconds], baseline: { name: 'peak', rounds: [peakPerSecond] }, note: `${acknowledged.toLocaleString('en')} events acknowledged and in the log, no error` },
    { name: `${name}, greatest lag`, unit: 'ms', better: 'lower', rounds: [Math.max(...lags)], target: { of: 'value', atMost: 2_000 }, note: `usually ${shown(median(lags))} ms; ${signed(lagSlopeMs)} ms a minute; back to none ${shown(drainedMs)} ms after the load` },
    ...Object.entries(memory).map(([part, { firstMb, lastMb, slopeMb }]): Row => ({ name: `${name}, memory of ${part}`, unit: 'MB', better: 'lower', rounds: [lastMb], note: `${shown(firstMb)} MB at first; ${signed(slopeMb)} MB a minute: ${trend(slopeMb, firstMb)}` })),
  ]
}

/** Over the whole run a tenth of what it was, or 20 MB, is how far a heap wanders by itself. */
function trend(slopeMb: number, firstMb: number): string {
  if (Math.abs(slopeMb * MINUTES) < Math.max(20, firstMb / 10)) return 'level'
  return slopeMb > 0 ? 'rising' : 'falling'
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${shown(Math.abs(value))}`
}
