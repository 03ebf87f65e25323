// From HTTP to visible in every read model, the whole stack on one machine, beside raw multi-row INSERTs: how many events a second
// get there under full load; what rate read models keep up with; and the greatest lag under that load, or where it is less than full load
// nine tenths of it, for as long as is asked.
// `npx tsx bench/visible.ts [--rounds 3] [--seconds 60]`
import { uuidv7 } from '../src/kernel/ids.ts'
import { mysqlBaseline } from './logBaselines.ts'
import { newEvents } from './logEvents.ts'
import { benchFlags, Rounds, runBench } from './support/benchRun.ts'
import { median, type Row, shown } from './support/rows.ts'
import { shopLoad } from './support/shopLoad.ts'
import { type Stack, startStack } from './support/stack.ts'
import { createObserver, type Kept, keptUp, type Observer, paced, rampUp, visibleRate } from './support/sustained.ts'
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
type Shape = (typeof SHAPES)[number]
const RAW_EVENTS = 20_000

await runBench(flags, async () => {
  const measured = new Rounds()
  const shapes = []
  for (const shape of SHAPES) {
    const kept = await onFreshStack((fresh) => keepUp(fresh, shape))
    shapes.push({ shape, kept })
  }
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const { shape, kept } of shapes) await onFreshStack((fresh) => measure(fresh, shape, kept, measured))
  }
  return shapes.flatMap(({ shape, kept }) => rows(measured, shape, kept))
})

interface Fresh {
  readonly stack: Stack
  readonly observer: Observer
}

/** What one round has written must not be what the next one carries. */
async function onFreshStack<Of>(use: (fresh: Fresh) => Promise<Of>): Promise<Of> {
  const stack = await startStack(['append', 'project'])
  const observer = await createObserver(stack)
  try {
    await wrk({ ...shopLoad(stack, 100), seconds: 2 })
    await observer.settled()
    return await use({ stack, observer })
  } finally {
    await observer.close()
    await stack.stop()
  }
}

async function keepUp({ stack, observer }: Fresh, { size }: Shape): Promise<Kept> {
  const load = shopLoad(stack, size)
  return keptUp(observer, load, { size, ramp: await rampUp(observer, load, RAMP_SECONDS), seconds: KEEPING_SECONDS, lagMs: LAG_MS })
}

async function measure({ stack, observer }: Fresh, { name, size }: Shape, { unpaced, perSecond }: Kept, measured: Rounds): Promise<void> {
  measured.add(`${name}, raw`, await insertRaw(stack))
  const load = shopLoad(stack, size)
  const { visiblePerSecond, load: peak } = await rampUp(observer, load, RAMP_SECONDS)
  measured.add(`${name}, peak`, visiblePerSecond)
  // Beyond what gets through a server may refuse; at less than that it must not.
  measured.add(`${name}, accepted`, (peak.perSecond * size * (peak.requests - peak.errors)) / peak.requests)
  const sustained = await observer.observe()
  const offered = await wrk({ ...(unpaced ? load : paced(load, (perSecond * OFFERED) / size)), seconds: SECONDS })
  await sustained.look()
  const under = [...sustained.samples]
  const samples = await sustained.stop()
  measured.add(`${name}, sustained`, visibleRate(under))
  measured.add(`${name}, lag`, Math.max(...samples.map(({ lagMs }) => lagMs)))
  measured.add(`${name}, usual lag`, median(under.map(({ lagMs }) => lagMs)))
  refuseFailures(offered)
}

async function insertRaw({ databaseUrl }: Stack): Promise<number> {
  const [raw, app] = [await mysqlBaseline(databaseUrl), [uuidv7()]]
  try {
    const started = performance.now()
    for (let position = 1; position < RAW_EVENTS; position += 1_000) await raw.insert(1, position, newEvents(app, 1_000))
    return RAW_EVENTS / ((performance.now() - started) / 1_000)
  } finally {
    await raw.close()
  }
}

function rows(measured: Rounds, { name, atLeast }: Shape, { unpaced }: Kept): Row[] {
  const rate = { unit: 'events/s', better: 'higher', baseline: measured.as('raw multi-row INSERT', `${name}, raw`) } as const
  return [
    { name: `HTTP to visible, ${name}, full load`, ...rate, rounds: measured.of(`${name}, peak`), note: `${shown(median(measured.of(`${name}, accepted`)))} events/s accepted meanwhile` },
    { name: `HTTP to visible, ${name}, sustained`, ...rate, rounds: measured.of(`${name}, sustained`), target: { of: 'value', atLeast }, note: `${SECONDS} s ${unpaced ? 'of full load, which read models keep up with' : `at ${OFFERED} of what was kept up with for ${KEEPING_SECONDS} s`}` },
    { name: `HTTP to visible, ${name}, greatest lag`, unit: 'ms', better: 'lower', rounds: measured.of(`${name}, lag`), speaks: 'worst', target: { of: 'value', atMost: LAG_MS }, note: `${SECONDS} s; usually ${shown(median(measured.of(`${name}, usual lag`)))} ms` },
  ]
}
