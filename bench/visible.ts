// From HTTP to visible in every read model, the whole stack on one machine, beside raw multi-row INSERTs: how many events a second
// get there under full load; what rate read models keep up with; and the greatest lag while nine tenths of that are offered for as long as is asked.
// `npx tsx bench/visible.ts [--rounds 3] [--seconds 60]`
import { uuidv7 } from '../src/kernel/ids.ts'
import { mysqlBaseline } from './logBaselines.ts'
import { newEvents } from './logEvents.ts'
import { benchFlags, Rounds, runBench } from './support/benchRun.ts'
import { median, type Row, shown } from './support/rows.ts'
import { shopLoad } from './support/shopLoad.ts'
import { startStack } from './support/stack.ts'
import { createObserver, keptUp, rampUp, visibleRate } from './support/sustained.ts'
import { refuseFailures, wrk } from './support/wrk.ts'

const flags = benchFlags({ seconds: { type: 'string' } })
const RAMP_SECONDS = flags.quick ? 4 : 8
const KEEPING_SECONDS = flags.quick ? 4 : 20
const SECONDS = Number(flags.seconds ?? (flags.quick ? 5 : 60))
const LAG_MS = 2_000
/** Of what was kept up with. */
const OFFERED = 0.9
const SHAPES = [
  { name: 'singles', size: 1, atLeast: 20_000 },
  { name: 'batches of 100', size: 100, atLeast: 40_000 },
]

await runBench(flags, async () => {
  const stack = await startStack(['append', 'project'])
  const observer = await createObserver(stack)
  const raw = await mysqlBaseline(stack.databaseUrl)
  const [measured, app] = [new Rounds(), [uuidv7()]]
  const keeps = new Map<string, number>()
  let position = 1
  try {
    await wrk({ ...shopLoad(stack, 100), seconds: 2 })
    for (let round = 0; round < Number(flags.rounds); round++) {
      await observer.settled()
      const started = performance.now()
      for (const end = position + 20_000; position < end; position += 1_000) await raw.insert(1, position, newEvents(app, 1_000))
      measured.add('raw', 20_000 / ((performance.now() - started) / 1_000))
      for (const { name, size } of SHAPES) {
        const load = shopLoad(stack, size)
        const { visiblePerSecond: through, load: peak } = await rampUp(observer, load, RAMP_SECONDS)
        measured.add(`${name}, peak`, through)
        // Beyond what gets through a server may refuse; at less than that it must not.
        measured.add(`${name}, accepted`, (peak.perSecond * size * (peak.requests - peak.errors)) / peak.requests)
        // Pauses are only as good as there are connections to take them.
        const paced = { ...load, connections: 4 * load.connections }
        const kept = keeps.get(name) ?? (await keptUp(observer, paced, { size, through, seconds: KEEPING_SECONDS, lagMs: LAG_MS }))
        keeps.set(name, kept)
        const sustained = await observer.observe()
        const offered = await wrk({ ...paced, rate: (kept * OFFERED) / size, seconds: SECONDS })
        await sustained.look()
        const under = [...sustained.samples]
        const samples = await sustained.stop()
        measured.add(`${name}, sustained`, visibleRate(under))
        measured.add(`${name}, lag`, Math.max(...samples.map(({ lagMs }) => lagMs)))
        measured.add(`${name}, usual lag`, median(under.map(({ lagMs }) => lagMs)))
        refuseFailures(offered)
      }
    }
  } finally {
    await raw.close()
    await observer.close()
    await stack.stop()
  }
  return SHAPES.flatMap((shape) => rows(measured, shape))
})

function rows(measured: Rounds, { name, atLeast }: (typeof SHAPES)[number]): Row[] {
  const rate = { unit: 'events/s', better: 'higher', baseline: measured.as('raw multi-row INSERT', 'raw') } as const
  return [
    { name: `HTTP to visible, ${name}, full load`, ...rate, rounds: measured.of(`${name}, peak`), note: `${shown(median(measured.of(`${name}, accepted`)))} events/s accepted meanwhile` },
    { name: `HTTP to visible, ${name}, sustained`, ...rate, rounds: measured.of(`${name}, sustained`), target: { of: 'value', atLeast }, note: `${SECONDS} s at ${OFFERED} of what was kept up with for ${KEEPING_SECONDS} s` },
    { name: `HTTP to visible, ${name}, greatest lag`, unit: 'ms', better: 'lower', rounds: measured.of(`${name}, lag`), speaks: 'worst', target: { of: 'value', atMost: LAG_MS }, note: `${SECONDS} s; usually ${shown(median(measured.of(`${name}, usual lag`)))} ms` },
  ]
}
