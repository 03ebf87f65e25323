// Rebuilds that an owner asks for over HTTP, started by the process that was asked; leases keep two of them apart. Progress is
// read from the tables, so that a stream shows every rebuild of the installation, whichever process is at it.
import { Problem } from './errors.ts'
import type { OnRecord, ReplayProgress, Replays } from './http/deps.ts'
import type { Database } from './kernel/database.ts'
import type { Logger } from './kernel/logger.ts'
import { LIMITS } from './limits.ts'
import { type Build, findBuild, listBuilds, pauseBuilds, runningBuilds } from './projections/builds.ts'
import type { Projection } from './projections/projection.ts'
import type { CarryOut, RebuildJob } from './projections/rebuildJobs.ts'
import { progressOf } from './projections/rebuildSession.ts'

export interface RebuildsOptions {
  readonly database: Database
  readonly projections: readonly Projection[]
  /** Where the work is done. */
  readonly carryOut: CarryOut
  readonly logger: Logger
}

const WORDS = { rebuild: 'a rebuild', trial: 'a trial', rollback: 'the way back', drop: 'a drop' } as const

export function createRebuilds(options: RebuildsOptions): Replays & { close(): Promise<void> } {
  const { database, projections, logger } = options
  const abort = new AbortController()
  const running = new Map<string, Promise<void>>()

  const named = (name: string): Projection => {
    const found = projections.find((projection) => projection.name === name)
    if (found === undefined) throw new Problem('not_found', `There is no projection ${name}`)
    return found
  }
  const carryOut = (job: RebuildJob): Promise<void> => {
    const [what, about] = [WORDS[job.do], { projection: job.projection }]
    return options
      .carryOut(job, abort.signal)
      .then((end) => logger.info(end === 'done' ? `${what} is done` : `${what} was paused`, about))
      .catch((error: unknown) => {
        if (!abort.signal.aborted) logger.error(`${what} failed; the live build stays`, { ...about, error })
      })
  }
  const start = async (job: RebuildJob, record: OnRecord): Promise<void> => {
    const { projection } = job
    if (running.has(projection)) throw new Problem('already_running', `${projection} is being rebuilt already`)
    // The place is taken before it is on record, so that of two who ask at once the one who is refused leaves none.
    const recorded = record()
    const done = recorded.then(
      () => carryOut(job),
      () => undefined,
    )
    running.set(projection, done.finally(() => running.delete(projection)))
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
    await start({ do: 'rollback', projection: name, build: await kept(named(name), build) }, record)
  }
  return {
    async rebuild(name, { dry = false, ...how }, record) {
      const { name: projection, source } = named(name)
      if (how.appId !== undefined && source !== 'apps') throw new Problem('invalid_body', undefined, { errors: [{ path: '/appId', detail: `must be left out: ${projection} is rebuilt as a whole` }] })
      await start(dry ? { do: 'trial', projection } : { do: 'rebuild', projection, ...how }, record)
    },
    async pause(name, record) {
      if ((await runningBuilds(database, named(name).name)).length === 0) throw new Problem('not_found', `No rebuild of ${name} is under way`)
      await record()
      // One that has ended meanwhile needs no halting.
      await pauseBuilds(database, name)
    },
    async drop(name, build, record) {
      const { name: projection } = named(name)
      const found = await findBuild(database.knex, name, build)
      if (found === undefined || found.appId !== undefined || found.status === 'dropping') throw new Problem('not_found', `There is no build ${build}`)
      if (found.status === 'live' || running.has(name) || (found.status === 'building' && !found.paused)) throw new Problem('build_live')
      await start({ do: 'drop', projection, build }, record)
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
