// One long run and what came of it; the bench tells it, the test judges it.
import { shopLoad } from './shopLoad.ts'
import { median } from './rows.ts'
import type { Stack } from './stack.ts'
import { createObserver, type Observation, rampUp, type Sample, slopePerMinute } from './sustained.ts'
import { wrk } from './wrk.ts'

export interface LongRunOptions {
  readonly minutes: number
  /** Of what gets through under full load. */
  readonly share: number
  /** Of singles 1. */
  readonly eventsPerRequest?: number
  readonly rampSeconds?: number
  readonly onMinute?: (line: string) => void
}

export interface LongRun {
  /** From the first to the last second of the load. */
  readonly samples: readonly Sample[]
  /** Events that became visible a second under full load. */
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

export async function longRun(stack: Stack, { minutes, share, eventsPerRequest = EVENTS_PER_REQUEST, rampSeconds = 15, onMinute }: LongRunOptions): Promise<LongRun> {
  const observer = await createObserver(stack)
  const load = shopLoad(stack, eventsPerRequest)
  try {
    const { visiblePerSecond: peakPerSecond, load: most } = await rampUp(observer, load, rampSeconds)
    onMinute?.(`peak ${Math.round(peakPerSecond)} events/s visible, ${most.perSecond * eventsPerRequest} accepted`)
    const observation = await observer.observe(1_000)
    const telling = onMinute === undefined ? undefined : setInterval(() => onMinute(words(observation)), 60_000)
    const seconds = Math.round(minutes * 60)
    const offered = await wrk({ ...load, connections: 4 * load.connections, rate: (peakPerSecond * share) / eventsPerRequest, seconds }).finally(() => clearInterval(telling))
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
      failures: offered.failures,
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

function words({ samples }: Observation): string {
  const { atMs, accepted, lagMs, memoryMb } = samples.at(-1)!
  const memory = Object.entries(memoryMb).map(([name, mb]) => `${name} ${mb.toFixed(0)}`)
  return `${Math.round(atMs / 60_000)} min: ${accepted} events, lag ${lagMs.toFixed(0)} ms, memory ${memory.join(', ')} MB`
}
