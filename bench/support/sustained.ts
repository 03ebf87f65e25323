// A stack under load as it goes on: what was accepted, committed and can be read, how far the last is behind, and the memory
// of every process. Lag in time is exact up to the pace of sampling: how long ago as much was accepted as can be read now.
import mysql from 'mysql2/promise'
import type { RowDataPacket } from 'mysql2/promise'
import { memoryMb } from './cpuTime.ts'
import type { Stack } from './stack.ts'
import { type Load, type Measured, wrk } from './wrk.ts'

export interface Sample {
  /** Since the beginning. */
  readonly atMs: number
  /** Events since the beginning. */
  readonly accepted: number
  readonly committed: number
  /** In the read model that is furthest behind. */
  readonly visible: number
  readonly lagMs: number
  /** Requests since the API started that were refused, by status. */
  readonly refused: Readonly<Record<string, number>>
  /** Resident, by process. */
  readonly memoryMb: Readonly<Record<string, number>>
}

export interface Observation {
  readonly samples: readonly Sample[]
  /** One look besides those by the clock. */
  look(): Promise<void>
  /** Ends it after a last look. */
  stop(): Promise<readonly Sample[]>
}

export interface Observer {
  /** Waits until all that was accepted is in the log and in every read model, and nothing moves any more. */
  settled(timeoutMs?: number): Promise<void>
  /** Begins at a settled stack. */
  observe(everyMs?: number): Promise<Observation>
  /** Events in the data partitions of the log. */
  committed(): Promise<number>
  close(): Promise<void>
}

const SETTLED_LOOKS = 6
const SETTLED_EVERY_MS = 100

export async function createObserver(stack: Stack, { readModels = true } = {}): Promise<Observer> {
  const database = await mysql.createConnection(stack.databaseUrl)
  const one = async (sql: string): Promise<number> => {
    const [rows] = await database.query<RowDataPacket[]>(sql)
    return Number(rows[0]!['n'] ?? 0)
  }
  const committed = (): Promise<number> => one('SELECT COALESCE(SUM(position), 0) AS n FROM heads WHERE `partition` > 0')
  const visible = (): Promise<number> =>
    readModels
      ? one(
          'SELECT MIN(folded.n) AS n FROM (SELECT SUM(c.position) AS n FROM projection_checkpoints c JOIN projections p ON p.projection = c.projection AND p.live_build = c.build WHERE c.`partition` > 0 GROUP BY c.projection) folded',
        )
      : committed()
  const settled = async (timeoutMs = 600_000): Promise<void> => {
    const until = performance.now() + timeoutMs
    for (let still = 0, seen = -1; still < SETTLED_LOOKS; ) {
      const [inLog, inModels] = [await committed(), await visible()]
      still = inLog === seen && inModels >= inLog ? still + 1 : 0
      seen = inLog
      if (performance.now() > until) throw new Error(`not settled within ${timeoutMs} ms: ${inModels} of ${inLog} events can be read`)
      await pause(SETTLED_EVERY_MS)
    }
  }
  return {
    settled,
    committed,
    async observe(everyMs = 250) {
      await settled()
      const from = { accepted: (await toldBy(stack)).accepted, committed: await committed(), visible: await visible(), at: performance.now() }
      const samples: Sample[] = [{ atMs: 0, accepted: 0, committed: 0, visible: 0, lagMs: 0, refused: {}, memoryMb: memoryOf(stack) }]
      const look = async (): Promise<void> => {
        // In this order nothing can be seen in a read model before it was seen to be accepted.
        const [inModels, inLog] = [(await visible()) - from.visible, (await committed()) - from.committed]
        const atMs = performance.now() - from.at
        const told = await toldBy(stack)
        const accepted = told.accepted - from.accepted
        const lagMs = inModels >= accepted ? 0 : Math.max(0, atMs - acceptedAt(samples, inModels, { atMs, accepted }))
        samples.push({ atMs, accepted, committed: inLog, visible: inModels, lagMs, refused: told.refused, memoryMb: memoryOf(stack) })
      }
      const stopping = new AbortController()
      const looking = (async () => {
        while (!stopping.signal.aborted) {
          await look()
          await pause(everyMs)
        }
      })()
      // Whoever stops it hears of a failure; until then it must not end the process.
      looking.catch(() => undefined)
      return {
        samples,
        look,
        async stop() {
          stopping.abort()
          await looking
          await look()
          return samples
        },
      }
    },
    close: () => database.end(),
  }
}

/** When so many had been accepted, between two looks. */
function acceptedAt(samples: readonly Sample[], events: number, now: { atMs: number; accepted: number }): number {
  const next = samples.findIndex(({ accepted }) => accepted >= events)
  const [before, after] = next === 0 ? [samples[0]!, samples[0]!] : next === -1 ? [samples.at(-1)!, now] : [samples[next - 1]!, samples[next]!]
  if (after.accepted === before.accepted) return after.atMs
  return before.atMs + ((events - before.accepted) / (after.accepted - before.accepted)) * (after.atMs - before.atMs)
}

async function toldBy({ api }: Stack): Promise<{ accepted: number; refused: Record<string, number> }> {
  const text = await (await fetch(`${api.url}/metrics`)).text()
  const found = /^recount_collect_events_accepted_total (\d+)/m.exec(text)
  if (found === null) throw new Error('the API does not say what it accepted')
  const refused = [...text.matchAll(/^recount_collect_duration_seconds_count\{status="([45]\d\d)"\} (\d+)/gm)]
  return { accepted: Number(found[1]), refused: Object.fromEntries(refused.map(([, status, count]) => [status!, Number(count)])) }
}

function memoryOf({ processes, mariadbPid, redisPid }: Stack): Record<string, number> {
  const all = [...processes, { name: 'MariaDB', pid: mariadbPid }, { name: 'Redis', pid: redisPid }]
  return Object.fromEntries(all.map(({ name, pid }) => [name, memoryMb(pid)]))
}

export interface Ramp {
  /** Events that became visible a second: what the stack gets through. */
  readonly visiblePerSecond: number
  /** The greatest under that load. */
  readonly lagMs: number
  /** What the load generator saw meanwhile. */
  readonly load: Measured
}

/** Full load for some seconds, and the rest of the work waited for. */
export async function rampUp(observer: Observer, load: Omit<Load, 'seconds'>, seconds: number): Promise<Ramp> {
  const observation = await observer.observe()
  const measured = await wrk({ ...load, seconds })
  await observation.look()
  const [under, lagMs] = [visibleRate(observation.samples), greatestLagMs(observation.samples)]
  await observer.settled()
  const { visible, atMs } = (await observation.stop()).at(-1)!
  // Where so much else is at work that nothing got through meanwhile, until it did is all that can be said.
  return { visiblePerSecond: under > 0 ? under : visible / (atMs / 1_000), lagMs, load: measured }
}

/** Where trying begins, as a share of what gets through under full load; and each rate that is tried is so many times the one before. */
const FIRST = 0.25
const STEP = 1.3
const STEPS = 10
const HALVINGS = 2
/** Of what was offered; a load generator that pauses to keep a rate gives a little less. */
const GIVEN = 0.9

export interface Keeping {
  /** Events of one request. */
  readonly size: number
  /** What came of full load. */
  readonly ramp: Ramp
  /** For each rate. */
  readonly seconds: number
  /** What lag counts as keeping up. */
  readonly lagMs: number
}

export interface Kept {
  /** Events a second. */
  readonly perSecond: number
  /** Where read models keep up with all that the load generator sends without a pause, nothing but the collecting bounds the rate. */
  readonly unpaced: boolean
}

/**
 * The highest rate at which read models keep up: full load where they keep up with that, or else the highest of paced rates. What gets
 * through in the first seconds of full load says little: then everybody is new and in memory, and folds are large.
 */
export async function keptUp(observer: Observer, load: Omit<Load, 'seconds' | 'rate'>, { size, ramp, seconds, lagMs }: Keeping): Promise<Kept> {
  const attempt = async (offered: Load): Promise<{ perSecond: number; kept: boolean }> => {
    const observation = await observer.observe()
    const { perSecond, errors } = await wrk(offered)
    await observation.look()
    const lag = greatestLagMs(observation.samples)
    await observation.stop()
    return { perSecond: perSecond * size, kept: lag <= lagMs && errors === 0 }
  }
  if (ramp.lagMs <= lagMs) {
    const { perSecond, kept } = await attempt({ ...load, seconds })
    if (kept) return { perSecond, unpaced: true }
  }
  let highest = 0
  const keeps = async (rate: number): Promise<boolean> => {
    const { perSecond, kept } = await attempt({ ...paced(load, rate / size), seconds })
    if (!kept || perSecond < GIVEN * rate) return false
    highest = rate
    return true
  }
  let [rate, step] = [ramp.visiblePerSecond * FIRST, STEP]
  for (let tries = 0; tries < STEPS && (await keeps(rate)); tries++) rate *= step
  // Between the highest that was kept up with and the lowest that was not.
  for (let tries = 0; tries < HALVINGS && highest > 0; tries++) {
    step = Math.sqrt(step)
    await keeps(highest * step)
  }
  if (highest === 0) throw new Error(`read models do not keep up with ${Math.round(ramp.visiblePerSecond * FIRST)} events/s`)
  return { perSecond: highest, unpaced: false }
}

/** A load at so many requests a second: pauses are only as good as there are connections to take them, which cost the server something too. */
export function paced<Of extends Pick<Load, 'connections'>>(load: Of, rate: number): Of & { readonly rate: number } {
  return { ...load, connections: 4 * load.connections, rate }
}

/** Events a second that became visible in the second half of a load, when caches and batch sizes have found their level. */
export function visibleRate(samples: readonly Sample[]): number {
  const last = samples.at(-1)!
  const middle = samples[samples.length >> 1]!
  const from = middle === last ? samples[0]! : middle
  return (last.visible - from.visible) / ((last.atMs - from.atMs) / 1_000)
}

function greatestLagMs(samples: readonly Sample[]): number {
  return Math.max(...samples.map(({ lagMs }) => lagMs))
}

/** Change a minute of what is level but for noise, by least squares. */
export function slopePerMinute(points: readonly (readonly [atMs: number, value: number])[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const [times, values] = [points.map(([at]) => at / 60_000), points.map(([, value]) => value)]
  const [meanTime, meanValue] = [mean(times), mean(values)]
  const spread = times.reduce((sum, time) => sum + (time - meanTime) ** 2, 0)
  return spread === 0 ? 0 : times.reduce((sum, time, at) => sum + (time - meanTime) * (values[at]! - meanValue), 0) / spread
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
