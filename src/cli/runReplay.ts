// `recount replay`: one rebuild with its progress, ended in good order by Ctrl-C.
import type { Config } from '../config.ts'
import { PROJECTIONS } from '../projections/all.ts'
import { RebuildBusy, replay, type ReplayProgress } from '../projections/replay.ts'
import { findApp } from './apps.ts'
import { CommandFailed, UsageError } from './exitCodes.ts'
import { createProgress, duration, whole } from './progress.ts'
import { withStores } from './stores.ts'

export interface ReplayTask {
  readonly projection: string
  readonly app: string | undefined
  readonly json: boolean
}

export async function runReplay(config: Config, task: ReplayTask): Promise<void> {
  const projection = PROJECTIONS.find(({ name }) => name === task.projection)
  if (projection === undefined) {
    throw new UsageError(`there is no projection ${task.projection}; there are ${PROJECTIONS.map(({ name }) => name).join(', ')}`)
  }
  await withStores(config, async (stores) => {
    const { log, database, clock, logger } = stores
    const app = task.app === undefined ? undefined : findApp(stores, task.app)
    const progress = createProgress(projection.name)
    const startedAt = performance.now()
    let last: ReplayProgress | undefined
    const onProgress = (now: ReplayProgress): void => {
      last = now
      progress.update(now.events, now.percent / 100)
    }
    const { build } = await interruptible((signal) =>
      replay({ log, database, projection, appId: app?.appId, onProgress, signal, clock, logger }).finally(() => progress.stop()),
    )
    const seconds = (performance.now() - startedAt) / 1_000
    const events = last?.events ?? 0
    const eventsPerSecond = Math.round(events / seconds)
    if (task.json) console.log(JSON.stringify({ projection: projection.name, appId: app?.appId ?? null, build, events, seconds, eventsPerSecond }))
    else console.log(`${projection.name}: build ${build} is live; ${whole(events)} events in ${duration(seconds)}, ${whole(eventsPerSecond)} events/s`)
  })
}

/** The first Ctrl-C asks the work to stop; the second ends the process as always. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController()
  const stop = (): void => abort.abort()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    return await work(abort.signal)
  } catch (error) {
    if (abort.signal.aborted) throw new CommandFailed('stopped; the live build is as it was, and running it again goes on from here', { cause: error })
    if (error instanceof RebuildBusy) throw new CommandFailed(error.message, { cause: error })
    throw error
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
