// Rebuilds a projection beside the live one and switches when it has caught up; readers see the old numbers, then the new
// ones, and never a mix. Whatever stops a rebuild leaves the live build as it was; running it again goes on where it stopped.
import { replayApp } from './appReplay.ts'
import { WholePlaces } from './appPlaces.ts'
import { newestTermsIn } from './appTerms.ts'
import { type Build, createBuild, ensureFirstBuild, findBuild, listBuilds, liveBuild, partitionsOf, resumeBuild, switchBuild } from './builds.ts'
import type { Unit } from './checkpoints.ts'
import { dropBuild, finishDrops } from './dropRows.ts'
import { Folder } from './folder.ts'
import { LIMITS } from '../limits.ts'
import { partitionPages, type SharedPages, type Source } from './logPages.ts'
import { type RebuildOptions, RebuildSession } from './rebuildSession.ts'
import { type TrialReport, tryOut } from './trial.ts'
import { UnitRunner } from './unitRunner.ts'

export { RebuildBusy, RebuildPaused, type ReplayProgress } from './rebuildSession.ts'

export interface ReplayOptions extends RebuildOptions {
  /** Rebuilds this app alone. */
  readonly appId?: string | undefined
  /** How many former builds stay for the way back. */
  readonly keep?: number | undefined
  /** Pages of the log that are shared with other rebuilds, by partition. */
  readonly pages?: ReadonlyMap<number, SharedPages> | undefined
}

export interface Replayed {
  /** The build that is live now; for one app, the one that its rows are in. */
  readonly build: number
  /** Where the build stands, by partition. */
  readonly positions: ReadonlyMap<number, number>
}

/** Builds beside, catches up, switches. Throws RebuildBusy, PoisonEvent, or the reason of the abort. */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { database, log, projection, appId, clock } = options
  await ensureFirstBuild(database, projection, log.partitions, clock?.now() ?? Date.now())
  return RebuildSession.run(options, async (session) => {
    if (appId !== undefined) return replayApp(session, appId)
    const build = await unfinishedBuild(session)
    return noting(session, build, async () => {
      const replayed = await bringLive(session, build, 'fail', options.pages)
      await dropSuperseded(session, options.keep ?? LIMITS.keptBuilds)
      return replayed
    })
  })
}

/** Builds beside and catches up, but switches nothing: says what would change, and leaves the build paused. */
export async function dryReplay(options: RebuildOptions): Promise<{ readonly build: number; readonly report: TrialReport }> {
  const { database, log, projection, clock } = options
  await ensureFirstBuild(database, projection, log.partitions, clock?.now() ?? Date.now())
  return RebuildSession.run(options, async (session) => {
    const build = await unfinishedBuild(session)
    return noting(session, build, async () => {
      const runners = await wholeRunners(session, build, 'fail')
      return { build: build.build, report: await tryOut(session, build, runners) }
    })
  })
}

async function noting<T>(session: RebuildSession, build: Build, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await noteFailure(session, build, error)
    throw error
  }
}

/** Goes back to the newest kept build (or to the one named), after it has caught up. */
export async function rollback(options: RebuildOptions & { readonly build?: number | undefined }): Promise<Replayed> {
  const { database, projection } = options
  const kept = (await listBuilds(database.knex, projection.name)).filter(({ status }) => status === 'kept')
  const newest = kept.toSorted((left, right) => (right.liveAt ?? 0) - (left.liveAt ?? 0))
  const target = options.build === undefined ? newest[0] : kept.find(({ build }) => build === options.build)
  if (target === undefined) throw new NothingKept(projection.name, options.build)
  return RebuildSession.run(options, (session) => bringLive(session, target, 'bury'))
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

async function bringLive(session: RebuildSession, target: Build, onPoison: 'fail' | 'bury', pages?: ReplayOptions['pages']): Promise<Replayed> {
  const { projection: name, build } = target
  const { database, log, projection } = session.options
  const partitions = partitionsOf(projection, log.partitions)
  const runners = await wholeRunners(session, target, onPoison, pages)
  await session.reporting(build, partitions, async () => {
    // To where the log was, not to where it will be: under steady load there is always one more event.
    const catchUpTo = async (targets: ReadonlyMap<number, number>): Promise<void> => {
      await Promise.all(
        runners.map(async (runner) => {
          const { partition } = runner.options.unit
          // Those who share pages with this one must not wait for it once it has what there was, or has failed.
          await session.catchUp(runner, targets.get(partition) ?? 0).finally(() => pages?.get(partition)?.leave(name))
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
  return { build, positions: new Map(runners.map((runner, index) => [partitions[index]!, runner.checkpoint.position])) }
}

const CATCH_UP_ROUNDS = 3

function positionsOf(places: readonly { partition: number; position: number }[]): Map<number, number> {
  return new Map(places.map(({ partition, position }) => [partition, position]))
}

async function wholeRunners(session: RebuildSession, { projection, build }: Build, onPoison: 'fail' | 'bury', pages?: ReplayOptions['pages']): Promise<UnitRunner[]> {
  const runners: UnitRunner[] = []
  for (const partition of partitionsOf(session.options.projection, session.options.log.partitions)) {
    const source = pages?.get(partition)?.source(projection) ?? partitionPages(session.options.log, partition)
    runners.push(await wholeRunner(session, { projection, build, partition }, onPoison, source))
  }
  return runners
}

async function wholeRunner(session: RebuildSession, unit: Unit, onPoison: 'fail' | 'bury', source: Source): Promise<UnitRunner> {
  const { database, log, projection } = session.options
  const { clock, logger } = session
  const checkpoint = await session.lease(unit)
  const places = new WholePlaces(database.knex, unit, projection, newestTermsIn(log, projection))
  const folder = new Folder({ log, database, clock, projection, unit, source, places })
  const judge: UnitRunner['options']['onPoison'] = async (event) => {
    const live = await liveBuild(database.knex, projection.name)
    return onPoison === 'bury' || (live !== undefined && (await session.deadIn(live, event))) ? 'bury' : 'fail'
  }
  return new UnitRunner({ database, folder, unit, logger, onPoison: judge, targetMs: LIMITS.rebuildTargetMs }, checkpoint, LIMITS.rebuildMaxEvents)
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
