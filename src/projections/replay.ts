// Rebuilds a projection beside the live one and switches when it has caught up; readers see the old numbers, then the new
// ones, and never a mix. Whatever stops a rebuild leaves the live build as it was; running it again goes on where it stopped.
import { replayApp } from './appReplay.ts'
import { type Build, createBuild, ensureFirstBuild, findBuild, listBuilds, liveBuild, partitionsOf, resumeBuild, switchBuild } from './builds.ts'
import { readCheckpoints } from './checkpoints.ts'
import { dropBuild, finishDrops } from './dropRows.ts'
import { type FoldedUnit, type Folding, withFolding } from './folding.ts'
import { retry } from '../kernel/retry.ts'
import { LIMITS } from '../limits.ts'
import { type RebuildOptions, RebuildSession } from './rebuildSession.ts'
import { type TrialReport, tryOut } from './trial.ts'
import type { OnPoison } from './wholeRunner.ts'

export { RebuildBusy, RebuildPaused, type ReplayProgress } from './rebuildSession.ts'

export interface ReplayOptions extends RebuildOptions {
  /** Rebuilds this app alone. */
  readonly appId?: string | undefined
  /** How many former builds stay for the way back. */
  readonly keep?: number | undefined
  /** Where to fold, with others that are rebuilt together. */
  readonly folding?: Folding | undefined
}

export interface Replayed {
  /** The build that is live now; for one app, the one that its rows are in. */
  readonly build: number
  /** Where the build stands, by partition. */
  readonly positions: ReadonlyMap<number, number>
}

/** Builds beside, catches up, switches. A store that goes away is waited for. Throws RebuildBusy, PoisonEvent, or the reason of the abort. */
export function replay(options: ReplayOptions): Promise<Replayed> {
  const { database, log, projection, appId, clock } = options
  let build: Build | undefined
  return waitingOut(options, async () => {
    await ensureFirstBuild(database, projection, log.partitions, clock?.now() ?? Date.now())
    return RebuildSession.run(options, async (session) => {
      if (appId !== undefined) return replayApp(session, appId)
      const before = await switchedTo(session, build)
      // Who paused it while it waited meant it, and beginning again would take that back.
      if (build !== undefined) await session.heed(build.build)
      session.signal.throwIfAborted()
      const found = (build = before === undefined ? await unfinishedBuild(session) : build!)
      return noting(session, found, async () => {
        const replayed = before ?? (await foldingOf(options, (folding) => bringLive(session, found, 'fail', folding)))
        await dropSuperseded(session, options.keep ?? LIMITS.keptBuilds)
        return replayed
      })
    })
  })
}

/** What shares its pages or threads with others cannot begin again beside them: it fails, and all are asked for again. */
function waitingOut<T>({ log, logger, signal, folding }: RebuildOptions & Pick<ReplayOptions, 'folding'>, work: () => Promise<T>): Promise<T> {
  if (folding !== undefined) return work()
  const onRetry = (error: unknown): void => logger?.warn('a rebuild waits for the store', { error })
  return retry(work, { retryable: (error) => log.classify(error) === 'transient', onRetry, ...(signal === undefined ? {} : { signal }) })
}

/** Where a build stands that was switched to although nobody got to hear of it, also if somebody has gone back from it since. */
async function switchedTo({ options: { database, projection } }: RebuildSession, build: Build | undefined): Promise<Replayed | undefined> {
  if (build === undefined) return undefined
  const found = await findBuild(database.knex, projection.name, build.build)
  if (found === undefined || (found.liveAt === build.liveAt && found.status !== 'live')) return undefined
  const places = await readCheckpoints(database.knex, projection.name, build.build)
  return { build: build.build, positions: new Map([...places].map(([partition, { position }]) => [partition, position])) }
}

/** Builds beside and catches up, but switches nothing: says what would change, and leaves the build paused. */
export async function dryReplay(options: RebuildOptions): Promise<{ readonly build: number; readonly report: TrialReport }> {
  const { database, log, projection, clock } = options
  await ensureFirstBuild(database, projection, log.partitions, clock?.now() ?? Date.now())
  return RebuildSession.run(options, async (session) => {
    const build = await unfinishedBuild(session)
    return noting(session, build, async () => {
      const report = await foldingOf(options, async (folding) => tryOut(session, build, await takeUnits(session, build, 'fail', folding)))
      return { build: build.build, report }
    })
  })
}

function foldingOf<T>({ folding, projection, ...options }: RebuildOptions & Pick<ReplayOptions, 'folding'>, work: (folding: Folding) => Promise<T>): Promise<T> {
  return folding === undefined ? withFolding({ ...options, projections: [projection] }, work) : work(folding)
}

async function noting<T>(session: RebuildSession, build: Build, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await noteFailure(session, build, error)
    throw error
  }
}

/** Goes back to the newest kept build (or to the one named), after it has caught up. A store that goes away is waited for. */
export function rollback(options: RebuildOptions & { readonly build?: number | undefined }): Promise<Replayed> {
  let target: Build | undefined
  return waitingOut(options, async () => {
    const found = (target ??= await keptBuild(options))
    return RebuildSession.run(options, async (session) => {
      const before = await switchedTo(session, found)
      return before ?? foldingOf(options, (folding) => bringLive(session, found, 'bury', folding))
    })
  })
}

/** Throws NothingKept. */
async function keptBuild({ database, projection, build: wanted }: RebuildOptions & { readonly build?: number | undefined }): Promise<Build> {
  const kept = (await listBuilds(database.knex, projection.name)).filter(({ status }) => status === 'kept')
  const newest = kept.toSorted((left, right) => (right.liveAt ?? 0) - (left.liveAt ?? 0))
  const target = wanted === undefined ? newest[0] : kept.find(({ build }) => build === wanted)
  if (target === undefined) throw new NothingKept(projection.name, wanted)
  return target
}

export class NothingKept extends Error {
  constructor(projection: string, build: number | undefined) {
    super(build === undefined ? `no build of ${projection} was kept to go back to` : `there is no kept build ${build} of ${projection}`)
    this.name = 'NothingKept'
  }
}

async function unfinishedBuild(session: RebuildSession): Promise<Build> {
  const { database, log, projection } = session.options
  await finishDrops(database, projection, session.options.signal)
  const unfinished = (await listBuilds(database.knex, projection.name)).filter(({ status, appId }) => status === 'building' && appId === undefined)
  const mine = unfinished.find(({ codeVersion }) => codeVersion === projection.codeVersion)
  if (mine !== undefined) await resumeBuild(database, projection.name, mine.build)
  for (const { build, codeVersion } of unfinished) if (codeVersion < projection.codeVersion) await dropBuild(database, projection, build)
  return mine ?? createBuild(database, projection, partitionsOf(projection, log.partitions), session.clock.now())
}

async function bringLive(session: RebuildSession, target: Build, onPoison: OnPoison, folding: Folding): Promise<Replayed> {
  const { projection: name, build } = target
  const { database, log, projection } = session.options
  const partitions = partitionsOf(projection, log.partitions)
  const units = await takeUnits(session, target, onPoison, folding)
  await session.reporting(build, partitions, async () => {
    // To where the log was, not to where it will be: under steady load there is always one more event.
    const catchUpTo = async (targets: ReadonlyMap<number, number>): Promise<void> => {
      await Promise.all(
        units.map(async ({ unit: { partition }, catchUp }) => {
          // Those who share pages with this one must not wait for it once it has what there was, or has failed.
          await catchUp(targets.get(partition) ?? 0).finally(() => folding.leave(name, partition))
        }),
      )
    }
    // Each round is over what arrived during the one before, so the last one, under the hold, is short.
    for (let round = 0; round < CATCH_UP_ROUNDS; round++) await catchUpTo(positionsOf(await log.heads()))
    const live = (await liveBuild(database.knex, name))!
    await session.holding(live, partitions, async (at) => {
      await catchUpTo(positionsOf([...at].map(([partition, { position }]) => ({ partition, position }))))
      await session.heed(build)
      session.signal.throwIfAborted()
      await switchBuild(database, name, build, session.clock.now())
    })
  })
  return { build, positions: new Map(units.map(({ unit, position }) => [unit.partition, position])) }
}

const CATCH_UP_ROUNDS = 3

function positionsOf(places: readonly { partition: number; position: number }[]): Map<number, number> {
  return new Map(places.map(({ partition, position }) => [partition, position]))
}

async function takeUnits(session: RebuildSession, { projection, build }: Build, onPoison: OnPoison, folding: Folding): Promise<FoldedUnit[]> {
  const units: FoldedUnit[] = []
  for (const partition of partitionsOf(session.options.projection, session.options.log.partitions)) {
    const unit = { projection, build, partition }
    units.push(folding.take(session, unit, await session.lease(unit), onPoison))
  }
  return units
}

async function dropSuperseded({ options: { database, projection } }: RebuildSession, keep: number): Promise<void> {
  const kept = (await listBuilds(database.knex, projection.name)).filter(({ status, appId }) => status === 'kept' && appId === undefined)
  const newest = kept.toSorted((left, right) => (right.liveAt ?? 0) - (left.liveAt ?? 0))
  for (const { build } of newest.slice(keep)) await dropBuild(database, projection, build)
}

async function noteFailure({ options: { database, projection }, signal }: RebuildSession, { build }: Build, error: unknown): Promise<void> {
  if (signal.aborted || (await findBuild(database.knex, projection.name, build)) === undefined) return
  const text = error instanceof Error ? error.message : String(error)
  await database.knex('projection_builds').where({ projection: projection.name, build }).update({ error: text.slice(0, 1_000) })
}
