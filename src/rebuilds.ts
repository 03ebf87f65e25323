// Rebuilds that an owner asks for over HTTP, run by the process that was asked; leases keep two of them apart. Progress is
// read from the tables, so that a stream shows every rebuild of the installation, whichever process is at it.
import { Problem } from './errors.ts'
import type { EventLog } from './events/eventLog.ts'
import type { OnRecord, ReplayProgress, Replays } from './http/deps.ts'
import type { Clock } from './kernel/clock.ts'
import type { Database } from './kernel/database.ts'
import type { Logger } from './kernel/logger.ts'
import { LIMITS } from './limits.ts'
import { type Build, findBuild, listBuilds, pauseBuilds, runningBuilds } from './projections/builds.ts'
import { dropBuild } from './projections/dropRows.ts'
import type { Projection } from './projections/projection.ts'
import { progressOf, type RebuildOptions } from './projections/rebuildSession.ts'
import { dryReplay, RebuildPaused, replay, rollback } from './projections/replay.ts'

export interface RebuildsOptions {
  readonly database: Database
  readonly log: EventLog
  readonly projections: readonly Projection[]
  readonly clock: Clock
  readonly logger: Logger
}

export function createRebuilds(options: RebuildsOptions): Replays & { close(): Promise<void> } {
  const { database, projections, logger } = options
  const abort = new AbortController()
  const running = new Map<string, Promise<void>>()

  const named = (name: string): Projection => {
    const found = projections.find((projection) => projection.name === name)
    if (found === undefined) throw new Problem('not_found', `There is no projection ${name}`)
    return found
  }
  const carryOut = (projection: Projection, what: string, work: (options: RebuildOptions) => Promise<unknown>): Promise<void> => {
    const { log, clock } = options
    return work({ database, log, clock, logger, projection, signal: abort.signal })
      .then(() => logger.info(`${what} is done`, { projection: projection.name }))
      .catch((error: unknown) => {
        if (error instanceof RebuildPaused) logger.info(`${what} was paused`, { projection: projection.name })
        else if (!abort.signal.aborted) logger.error(`${what} failed; the live build stays`, { projection: projection.name, error })
      })
  }
  const start = async (projection: Projection, what: string, record: OnRecord, work: (options: RebuildOptions) => Promise<unknown>): Promise<void> => {
    const { name } = projection
    if (running.has(name)) throw new Problem('already_running', `${name} is being rebuilt already`)
    // The place is taken before it is on record, so that of two who ask at once the one who is refused leaves none.
    const recorded = record()
    const done = recorded.then(
      () => carryOut(projection, what, work),
      () => undefined,
    )
    running.set(name, done.finally(() => running.delete(name)))
    await recorded
  }
  const kept = async (projection: Projection, build: number | undefined): Promise<number | undefined> => {
    const builds = (await listBuilds(database.knex, projection.name)).filter(({ status }) => status === 'kept')
    if (builds.length === 0 || (build !== undefined && !builds.some((each) => each.build === build))) {
      throw new Problem('not_found', build === undefined ? 'No build was kept to go back to' : `There is no kept build ${build}`)
    }
    return build
  }
  const goBack = async (name: string, build: number | undefined, record: OnRecord): Promise<void> => {
    const projection = named(name)
    const target = await kept(projection, build)
    await start(projection, 'the way back', record, (rebuild) => rollback({ ...rebuild, build: target }))
  }
  return {
    async rebuild(name, { dry = false, ...how }, record) {
      if (dry) await start(named(name), 'a trial', record, dryReplay)
      else await start(named(name), 'a rebuild', record, (rebuild) => replay({ ...rebuild, ...how }))
    },
    async pause(name, record) {
      if ((await runningBuilds(database, named(name).name)).length === 0) throw new Problem('not_found', `No rebuild of ${name} is under way`)
      await record()
      // One that has ended meanwhile needs no halting.
      await pauseBuilds(database, name)
    },
    async drop(name, build, record) {
      const projection = named(name)
      const found = await findBuild(database.knex, name, build)
      if (found === undefined || found.appId !== undefined || found.status === 'dropping') throw new Problem('not_found', `There is no build ${build}`)
      if (found.status === 'live' || running.has(name) || (found.status === 'building' && !found.paused)) throw new Problem('build_live')
      await start(projection, 'a drop', record, () => dropBuild(database, projection, build))
    },
    switch: goBack,
    rollback: goBack,
    subscribe: (listener) => watch(database, logger, listener),
    async close() {
      abort.abort(new Error('the process stops'))
      await Promise.all(running.values())
    },
  }
}

/** Tells of each build that is under way, and once of how it ended, also where that went faster than one looks. */
function watch(database: Database, logger: Logger, listener: (progress: ReplayProgress) => void): () => void {
  let seen: Map<string, ReplayProgress['state'] | undefined> | undefined
  const look = async (): Promise<void> => {
    const now = new Map<string, ReplayProgress['state'] | undefined>()
    for (const build of await listBuilds(database.knex)) {
      const key = `${build.projection} ${build.build}`
      const state = stateOf(build)
      now.set(key, state)
      // What had ended before anybody looked is no news.
      const news = state === 'running' || (seen !== undefined && seen.get(key) !== state)
      if (state !== undefined && news) listener(stepOf(build, state))
    }
    seen = now
  }
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    look()
      .catch((error: unknown) => logger.warn('the progress of rebuilds cannot be read now', { error }))
      .finally(() => {
        busy = false
      })
  }, LIMITS.progressMs)
  return () => clearInterval(timer)
}

function stateOf({ status, error, paused, report }: Build): ReplayProgress['state'] | undefined {
  if (status === 'building' && paused) return report === undefined ? 'paused' : 'tried'
  if (status === 'building') return error === undefined ? 'running' : 'failed'
  return status === 'live' ? 'switched' : undefined
}

function stepOf({ projection, appId, progress }: Build, state: ReplayProgress['state']): ReplayProgress {
  return { projection, ...(appId === undefined ? {} : { appId }), state, ...progressOf(progress.events, progress.total, progress.eventsPerSecond) }
}
