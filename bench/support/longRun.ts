// One long run and what came of it; the bench tells it, the test judges it.
import { shopLoad } from './shopLoad.ts'
import { median } from './rows.ts'
import type { Stack } from './stack.ts'
import { createObserver, keptUp, type Observation, paced, rampUp, type Sample, slopePerMinute } from './sustained.ts'
import { wrk } from './wrk.ts'

export interface LongRunOptions {
  readonly minutes: number
  /** Of the highest rate that read models keep up with. */
  readonly share: number
  /** Of singles 1. */
  readonly eventsPerRequest?: number
  readonly rampSeconds?: number
  readonly onMinute?: (line: string) => void
}

export interface LongRun {
  /** From the first to the last second of the load. */
  readonly samples: readonly Sample[]
  /** The highest rate in events a second that read models kept up with. */
  readonly peakPerSecond: number
  readonly acknowledged: number
  readonly seconds: number
  /** Answers other than 2xx, and connections that broke, at the share of the peak; at full load a server may refuse. */
  readonly errors: number
  /** The same in words, by kind. */
  readonly failures: string
  /** Acknowledged events that the log does not have; a request that was answered after the load had ended may make it negative. */
  readonly missing: number
  /** Change of the lag a minute. */
  readonly lagSlopeMs: number
  /** By process: at the beginning and the end (medians of a tenth of the run), and the change a minute after the first tenth. */
  readonly memory: Readonly<Record<string, { readonly firstMb: number; readonly lastMb: number; readonly slopeMb: number }>>
  /** From the end of the load until all could be read. */
  readonly drainedMs: number
}

/** Nine in ten events come in batches of such a size in life; one load with both would measure neither. */
const EVENTS_PER_REQUEST = 10
const WARM_UP_SHARE = 0.1
/** What counts as keeping up. */
const LAG_MS = 2_000

export async function longRun(stack: Stack, { minutes, share, eventsPerRequest = EVENTS_PER_REQUEST, rampSeconds = 15, onMinute }: LongRunOptions): Promise<LongRun> {
  const observer = await createObserver(stack)
  const load = shopLoad(stack, eventsPerRequest)
  try {
    const ramp = await rampUp(observer, load, rampSeconds)
    onMinute?.(`full load: ${Math.round(ramp.visiblePerSecond)} events/s visible, ${ramp.load.perSecond * eventsPerRequest} accepted`)
    const { perSecond: peakPerSecond } = await keptUp(observer, load, { size: eventsPerRequest, ramp, seconds: 3 * rampSeconds, lagMs: LAG_MS })
    onMinute?.(`peak: ${Math.round(peakPerSecond)} events/s kept up with`)
    const observation = await observer.observe(1_000)
    const telling = onMinute === undefined ? undefined : setInterval(() => onMinute(words(observation)), 60_000)
    const seconds = Math.round(minutes * 60)
    const offered = await wrk({ ...paced(load, (peakPerSecond * share) / eventsPerRequest), seconds }).finally(() => clearInterval(telling))
    await observation.look()
    const samples = [...observation.samples]
    const ended = performance.now()
    await observer.settled()
    const drainedMs = performance.now() - ended
    const all = await observation.stop()
    const { accepted, committed } = all.at(-1)!
    return {
      ...{ samples, peakPerSecond, seconds, drainedMs, acknowledged: accepted },
      errors: offered.errors,
      failures: [offered.failures, refusals(samples), ...warnings(stack)].join('; '),
      missing: accepted - committed,
      lagSlopeMs: slopePerMinute(afterWarmUp(samples).map(({ atMs, lagMs }) => [atMs, lagMs])),
      memory: Object.fromEntries(Object.keys(samples[0]!.memoryMb).map((name) => [name, memoryOf(samples, name)])),
    }
  } finally {
    await observer.close()
  }
}

function memoryOf(samples: readonly Sample[], name: string): LongRun['memory'][string] {
  const points = afterWarmUp(samples).map(({ atMs, memoryMb }) => [atMs, memoryMb[name]!] as const)
  const tenth = Math.max(1, Math.floor(points.length / 10))
  const level = (of: readonly (readonly [number, number])[]): number => median(of.map(([, mb]) => mb))
  return { firstMb: level(points.slice(0, tenth)), lastMb: level(points.slice(-tenth)), slopeMb: slopePerMinute(points) }
}

/** Caches fill and code is compiled at first: what comes of that is no trend. */
function afterWarmUp(samples: readonly Sample[]): readonly Sample[] {
  const endMs = samples.at(-1)!.atMs
  return samples.filter(({ atMs }) => atMs >= endMs * WARM_UP_SHARE)
}

/** What the API refused while it was looked at: the ramp's refusals, under full load, are in the first sample already. */
function refusals(samples: readonly Sample[]): string {
  const before = samples[1]?.refused ?? {}
  const answered = Object.entries(samples.at(-1)!.refused).map(([status, count]) => [status, count - (before[status] ?? 0)] as const)
  return `refused: ${answered.filter(([, count]) => count > 0).map(([status, count]) => `${count} with ${status}`).join(', ') || 'none'}`
}

/** What the processes warned of, and how often. */
function warnings({ processes }: Stack): string[] {
  const counts = new Map<string, number>()
  for (const { name, log } of processes) {
    for (const line of log().split('\n')) {
      const found = /"level":"(?:warn|error)","message":"([^"]+)"/.exec(line)
      if (found === null) continue
      const key = `${name}: ${found[1]!}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  return [...counts].map(([key, count]) => `${key} (${count} ×)`)
}

function words({ samples }: Observation): string {
  const { atMs, accepted, lagMs, memoryMb } = samples.at(-1)!
  const memory = Object.entries(memoryMb).map(([name, mb]) => `${name} ${mb.toFixed(0)}`)
  return `${Math.round(atMs / 60_000)} min: ${accepted} events, lag ${lagMs.toFixed(0)} ms, ${refusals(samples)}, memory ${memory.join(', ')} MB`
}
