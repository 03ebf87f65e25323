// Rebuilds one app beside the others: folds it by index into a build of its own, then flips its place in one transaction that
// holds the live checkpoint at exactly the position up to which the app was folded.
import { OwnPlace, readPlaces, savePlace } from './appPlaces.ts'
import { formatDefinitions, newestTerms, sameTerms, type Terms } from './appTerms.ts'
import { type Build, createBuild, listBuilds, liveBuild, markDropped } from './builds.ts'
import { type Checkpoint, Fenced, lockCheckpoints, readCheckpoint, type Unit, writing } from './checkpoints.ts'
import { dropAppRows, finishDrops } from './dropRows.ts'
import { Folder } from './folder.ts'
import { appPages } from './logPages.ts'
import type { Replayed } from './replay.ts'
import type { RebuildSession } from './rebuildSession.ts'
import { rebuildRunner, type UnitRunner } from './unitRunner.ts'
import { deadIn } from './wholeRunner.ts'

/** Throws when the projection holds no rows per app. */
export async function replayApp(session: RebuildSession, appId: string): Promise<Replayed> {
  const { database, log, projection } = session.options
  if (projection.source !== 'apps') throw new Error(`${projection.name} cannot be rebuilt for one app alone`)
  await finishDrops(database, projection, session.options.signal)
  const partition = log.partitionOf(appId)
  for (;;) {
    const live = (await liveBuild(database.knex, projection.name))!
    const terms = await newestTerms(log, projection, appId)
    const build = await buildFor(session, appId, live, terms)
    const unit = { projection: projection.name, build: build.build, partition }
    const runner = await appRunner(session, unit, appId, terms, live)
    const flipped = await session.reporting(build.build, [partition], async () => {
      // Never ahead of the live build, or there would be no position that both stand at.
      const reached = await readCheckpoint(database.knex, { ...unit, build: live })
      await session.catchUp(runner, reached?.position ?? 0)
      return session.holding(live, [partition], async (at) => {
        const held = at.get(partition)!
        // They may have changed again while the app was folded: those rows would count by what no longer holds.
        const now = await newestTerms(log, projection, appId)
        if (!sameTerms(now, terms)) return false
        await session.catchUp(runner, held.position)
        session.signal.throwIfAborted()
        return flip(session, { ...unit, build: live }, held, build, now)
      })
    })
    if (flipped) {
      await dropReplaced(session, appId, live, build.build)
      return { build: build.build, positions: new Map([[partition, runner.checkpoint.position]]) }
    }
  }
}

/** An unfinished build of the app that still fits, or a new one; what fits no more is dropped. */
async function buildFor(session: RebuildSession, appId: string, live: number, terms: Terms): Promise<Build> {
  const { database, log, projection } = session.options
  for (const found of await listBuilds(database.knex, projection.name)) {
    if (found.appId !== appId || found.status !== 'building') continue
    const fits = found.parent === live && found.codeVersion === projection.codeVersion && found.timezone === terms.timezone && found.definitions === formatDefinitions(terms.definitions)
    if (fits) return found
    await markDropped(database, projection.name, found.build)
  }
  await finishDrops(database, projection)
  return createBuild(database, projection, [log.partitionOf(appId)], session.clock.now(), { appId, ...terms })
}

async function appRunner(session: RebuildSession, unit: Unit, appId: string, terms: Terms, live: number): Promise<UnitRunner> {
  const { database, log, projection } = session.options
  const { clock, logger } = session
  const checkpoint = await session.lease(unit)
  const places = new OwnPlace(unit.build, terms)
  const folder = new Folder({ log, database, clock, projection, unit, source: appPages(log, appId), places })
  const onPoison: UnitRunner['options']['onPoison'] = async (event) => ((await deadIn(database, { ...unit, build: live }, event)) ? 'bury' : 'fail')
  return rebuildRunner({ database, folder, unit, logger, onPoison }, checkpoint)
}

/** False when the live build is another by now. */
async function flip(session: RebuildSession, live: Unit, held: Checkpoint, build: Build, terms: Terms): Promise<boolean> {
  const { database, projection } = session.options
  const appId = build.appId!
  return writing(database, async (trx) => {
    await trx('projections').where({ projection: projection.name }).update({ next_build: trx.raw('next_build') })
    if ((await liveBuild(trx, projection.name)) !== live.build) return false
    const places = await lockCheckpoints(trx, projection.name, [live.build], live.partition)
    const at = places.get(live.build)!.get(live.partition)
    if (at?.position !== held.position || at.owner !== session.owner) throw new Fenced(live)
    const place = (await readPlaces(trx, live, [appId])).get(appId)
    const { lastPosition = 0, lastRecordedAt = 0 } = place ?? {}
    const settled = { wantedTimezone: null, wantedDefinitions: null, rowsBuild: build.build }
    await savePlace(trx, live, appId, { ...terms, ...settled, lastPosition, lastRecordedAt })
    await trx('projection_builds')
      .where({ projection: projection.name, build: build.build })
      .update({ status: 'live', live_at: session.clock.now(), error: null })
    return true
  })
}

/** Takes away what nobody reads any more: the app's rows in the whole build, or its former build of its own. */
async function dropReplaced(session: RebuildSession, appId: string, live: number, now: number): Promise<void> {
  const { database, projection } = session.options
  await dropAppRows(database, projection, live, appId)
  for (const { build, appId: of, parent } of await listBuilds(database.knex, projection.name)) {
    if (of === appId && parent === live && build !== now) await markDropped(database, projection.name, build)
  }
  await finishDrops(database, projection)
}
