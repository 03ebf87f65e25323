// One fault after another, now and then two at once, under load: which, on what and in what order follows from the seed, the
// moments do not, for they depend on the machine. After each the whole way must work again by itself: an event through each
// API process, acknowledged, stored and counted.
import { eventually } from '../../support/eventually.ts'
import { send } from '../../support/client.ts'
import { check } from './check.ts'
import type { Fault } from './fault.ts'
import { inTime } from './inTime.ts'
import { totalsOf } from './ledger.ts'
import { type Load, type LoadOptions, startLoad } from './load.ts'
import { type Random, randomOf } from './random.ts'
import type { Findings } from './reconcile.ts'
import { type RunningWorld, startWorld } from './world.ts'

export interface Schedule {
  readonly seed: number
  readonly faults: readonly Fault[]
  /** How many are injected; each of the list once before any comes again. */
  readonly count: number
  /** How often, of 1, a fault does not come alone. */
  readonly twoAtOnce: number
  readonly load: LoadOptions
  /** How many distinct events are to be sent at least; the load goes on until then. */
  readonly events?: number
  readonly say?: (text: string) => void
}

export interface Outcome extends Findings {
  readonly seed: number
  /** How often each was injected. */
  readonly injected: ReadonlyMap<string, number>
  /** The longest that it took to work again, in milliseconds. */
  readonly slowestMs: number
  readonly answers: ReadonlyMap<number, number>
}

/** Far more than it takes, for machines that run tests run other things too; how long it took is in the report. */
const RECOVERY_MS = 120_000
/** A fault that takes longer than this hangs: some start a dozen processes one after the other. */
const FAULT_MS = 300_000

/** Throws only where the run could not go on; what it found wrong stands in `problems`. */
export async function runSchedule(schedule: Schedule): Promise<Outcome> {
  const { seed, say } = schedule
  const world = await startWorld({ seed, ...(say === undefined ? {} : { say }) })
  try {
    world.say(`seed ${seed}: ready`)
    const load = await startLoad(world, schedule.load)
    const injected = new Map<string, number>()
    const problems: string[] = []
    let slowestMs = 0
    try {
      const deck = createDeck(schedule, randomOf(seed, 'schedule'))
      for (let index = 0; index < schedule.count; ) {
        const faults = deck(schedule.count - index)
        for (const { name } of faults) injected.set(name, (injected.get(name) ?? 0) + 1)
        slowestMs = Math.max(slowestMs, await strike(world, load, faults, index, problems))
        index += faults.length
      }
      await eventually(() => totalsOf(load.books).sent >= (schedule.events ?? 0), { timeoutMs: 3_600_000, everyMs: 1_000 })
    } catch (error) {
      // What is in the log is worth knowing all the more.
      problems.push(words(error))
      world.say(`BROKEN OFF: ${words(error)}\n${world.state()}`)
    }
    await load.stop()
    world.say('the load has stopped')
    const findings = await check(world, load.books)
    world.say('checked')
    return { ...findings, seed, injected, slowestMs, answers: load.answers, problems: [...problems, ...load.failures.map((text) => `answer: ${text}`), ...findings.problems] }
  } finally {
    await world.stop()
  }
}

/** Answers after how many milliseconds everything worked again. A fault that could not be injected is a problem, and no reason to stop. */
async function strike(world: RunningWorld, load: Load, faults: readonly Fault[], index: number, problems: string[]): Promise<number> {
  const names = faults.map(({ name }) => name).join(' + ')
  world.say(`${index + 1}: ${names}`)
  const began = performance.now()
  const inject = (fault: Fault, at: number): Promise<void> => {
    const own = world.drawing(randomOf(world.seed, `fault ${index + at}`))
    return inTime(fault.inject(own), FAULT_MS, `not over after ${FAULT_MS} ms`).catch((error: unknown) => {
      problems.push(`${fault.name}: ${words(error)}`)
      world.say(`FAILED ${fault.name}: ${words(error)}`)
    })
  }
  await Promise.all(faults.map(inject))
  const over = performance.now()
  await recovered(world, load, names)
  const tookMs = performance.now() - over
  world.say(`   over after ${seconds(over - began)}, all well ${seconds(tookMs)} later; ${load.attempted} events sent so far`)
  return tookMs
}

/** An event through each API process is acknowledged, and counted by each. */
async function recovered(world: RunningWorld, load: Load, after: string): Promise<void> {
  const apis = world.processes('api')
  const probing = apis.map(async ({ url }) => {
    const { id, app } = await load.probe(url)
    for (const reader of apis) {
      await eventually(async () => (await send('GET', `${reader.url}/analytics/event-summary?appId=${app.appId}&period=all&after=${id}`, { token: app.token })).status === 200, { timeoutMs: RECOVERY_MS })
    }
  })
  await inTime(Promise.all(probing), RECOVERY_MS, `not recovered ${RECOVERY_MS} ms after: ${after}`)
}

/** Deals each fault once before any comes again; one, or two that hit different things. */
function createDeck({ faults, twoAtOnce }: Schedule, random: Random): (most: number) => Fault[] {
  let deck: Fault[] = []
  const deal = (fits: (fault: Fault) => boolean): Fault | undefined => {
    const at = deck.findIndex(fits)
    return at < 0 ? undefined : deck.splice(at, 1)[0]
  }
  return (most) => {
    if (deck.length === 0) deck = shuffled(faults, random)
    const first = deal(() => true)!
    if (most < 2 || first.alone === true || random.next() >= twoAtOnce) return [first]
    const second = deal((fault) => fault.alone !== true && fault.hits !== first.hits)
    return second === undefined ? [first] : [first, second]
  }
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const left = [...list]
  return list.map(() => left.splice(random.int(left.length), 1)[0]!)
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}

function words(error: unknown): string {
  return error instanceof Error ? error.message + (error.cause === undefined ? '' : ` (${words(error.cause)})`) : String(error)
}
