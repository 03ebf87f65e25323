// The life of a build: one complete set of a projection's rows, made beside the live one, switched to in one transaction,
// kept for the way back, and dropped in small pieces. A build never becomes live that is behind the one it takes over from.
import type { Knex } from 'knex'
import type { Database } from '../kernel/database.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import type { Definitions } from '../events/definitions.ts'
import { readPlaces } from './appPlaces.ts'
import { formatDefinitions } from './appTerms.ts'
import { lockCheckpoints, readCheckpoint, writing } from './checkpoints.ts'
import type { Projection } from './projection.ts'
import { textOfId } from './storage/rows.ts'
import type { TrialReport } from './trial.ts'

export type BuildStatus = 'building' | 'live' | 'kept' | 'dropping' | 'scratch'

export interface Build {
  readonly projection: string
  readonly build: number
  readonly codeVersion: number
  readonly status: BuildStatus
  /** Set for a build of one app, which takes the place of that app's rows in the whole build `parent`. */
  readonly appId: string | undefined
  readonly parent: number | undefined
  readonly timezone: string | undefined
  readonly zonePosition: number
  /** What a build of one app is folded by, as it is kept. */
  readonly definitions: string | null
  readonly createdAt: number
  readonly liveAt: number | undefined
  /** Why the last attempt ended, until the next one. */
  readonly error: string | undefined
  /** An operator halted it; it goes on when a rebuild is asked for again. */
  readonly paused: boolean
  /** What a trial found that switching to it would change. */
  readonly report: TrialReport | undefined
  readonly progress: { readonly events: number; readonly total: number; readonly eventsPerSecond: number; readonly at: number | undefined }
}

/** The new build lacks events that the live one has counted. */
export class BuildBehind extends Error {
  constructor(projection: string, build: number, partition: number) {
    super(`build ${build} of ${projection} is behind the live one in partition ${partition}`)
    this.name = 'BuildBehind'
  }
}

export function partitionsOf(projection: Pick<Projection, 'source'>, partitions: number): number[] {
  return projection.source === 'control' ? [0] : Array.from({ length: partitions }, (_, index) => index + 1)
}

export async function liveBuild(trx: Knex, projection: string): Promise<number | undefined> {
  const row = await trx('projections').where({ projection }).first<{ live_build: number } | undefined>('live_build')
  return row?.live_build
}

/** The build that holds an app's rows: the whole build unless the app was rebuilt alone. */
export async function rowsBuildOf(trx: Knex, projection: string, live: number, appId: string): Promise<number> {
  return (await readPlaces(trx, { projection, build: live }, [appId])).get(appId)?.rowsBuild ?? live
}

/** All that a reader of one app needs, to be read in the snapshot in which it reads the rows. */
export interface ReadPointer {
  /** The build that holds the app's rows. */
  readonly build: number
  /** The zone in which its days are cut. */
  readonly timezone: string | undefined
  /** The position at which this app last changed, 0 when nothing of it was folded. */
  readonly lastPosition: number
  /** Up to where the partition is folded, and when that was recorded. */
  readonly position: number
  readonly recordedAt: number
}

/** Undefined until the projection has its first build. */
export async function readPointer(trx: Knex, projection: string, partition: number, appId: string): Promise<ReadPointer | undefined> {
  const live = await liveBuild(trx, projection)
  if (live === undefined) return undefined
  const place = (await readPlaces(trx, { projection, build: live }, [appId])).get(appId)
  const at = await readCheckpoint(trx, { projection, build: live, partition })
  return {
    build: place?.rowsBuild ?? live,
    timezone: place?.timezone,
    lastPosition: place?.lastPosition ?? 0,
    position: at?.position ?? 0,
    recordedAt: at?.recordedAt ?? 0,
  }
}

export async function findBuild(trx: Knex, projection: string, build: number): Promise<Build | undefined> {
  const row = await trx('projection_builds').where({ projection, build }).first<BuildRow | undefined>()
  return row === undefined ? undefined : buildOf(row)
}

/** Newest first. */
export async function listBuilds(trx: Knex, projection?: string): Promise<Build[]> {
  const query = trx<BuildRow>('projection_builds').orderBy([{ column: 'projection' }, { column: 'build', order: 'desc' }])
  const rows = await (projection === undefined ? query : query.where({ projection }))
  return rows.map(buildOf)
}

/** The first build of a projection is live at once. Safe when several processes start together. */
export async function ensureFirstBuild(database: Database, projection: Projection, partitions: number, now: number): Promise<number> {
  const live = await liveBuild(database.knex, projection.name)
  if (live !== undefined) return live
  await writing(database, async (trx) => {
    await trx('projections').insert({ projection: projection.name, live_build: 1, next_build: 2 }).onConflict('projection').ignore()
    await trx('projection_builds')
      .insert({ projection: projection.name, build: 1, code_version: projection.codeVersion, status: 'live', created_at: now, live_at: now })
      .onConflict(['projection', 'build'])
      .ignore()
    await insertCheckpoints(trx, projection.name, 1, partitionsOf(projection, partitions))
  })
  return 1
}

export interface NewBuild {
  readonly appId?: string
  readonly timezone?: string
  readonly zonePosition?: number
  readonly definitions?: Definitions
  /** Made for a comparison: it never becomes live. */
  readonly scratch?: boolean
}

/** An empty build beside the live one, for the whole projection or for one app. */
export async function createBuild(
  database: Database,
  projection: Projection,
  partitions: readonly number[],
  now: number,
  { appId, timezone, zonePosition = 0, definitions, scratch = false }: NewBuild = {},
): Promise<Build> {
  return writing(database, async (trx) => {
    // The update holds the pointer, so that two builds never get one number.
    await trx('projections').where({ projection: projection.name }).update({ next_build: trx.raw('next_build + 1') })
    const pointer = (await trx('projections').where({ projection: projection.name }).first<{ live_build: number; next_build: number }>())
    const build = pointer.next_build - 1
    await trx('projection_builds').insert({
      projection: projection.name,
      build,
      code_version: projection.codeVersion,
      status: scratch ? 'scratch' : 'building',
      app_id: appId === undefined ? null : uuidToBytes(appId),
      parent: appId === undefined ? null : pointer.live_build,
      timezone: timezone ?? null,
      zone_position: zonePosition,
      definitions: definitions === undefined ? null : formatDefinitions(definitions),
      created_at: now,
    })
    await insertCheckpoints(trx, projection.name, build, partitions)
    return (await findBuild(trx, projection.name, build))!
  })
}

/** Makes a build live in one transaction that holds both builds' checkpoints. Throws BuildBehind: nothing has changed. */
export async function switchBuild(database: Database, projection: string, to: number, now: number): Promise<void> {
  await writing(database, async (trx) => {
    await trx('projections').where({ projection }).update({ next_build: trx.raw('next_build') })
    const from = (await liveBuild(trx, projection))!
    if (from === to) return
    const target = await findBuild(trx, projection, to)
    if (target === undefined || target.appId !== undefined || target.status === 'dropping' || target.status === 'scratch') {
      throw new Error(`there is no build ${to} of ${projection} to switch to`)
    }
    const places = await lockCheckpoints(trx, projection, [from, to])
    for (const [partition, { position }] of places.get(from)!) {
      const reached = places.get(to)!.get(partition)?.position
      if (reached === undefined || reached < position) throw new BuildBehind(projection, to, partition)
    }
    await trx('projections').where({ projection }).update({ live_build: to })
    await trx('projection_builds').where({ projection, build: from }).update({ status: 'kept' })
    // A pause that comes this late halts nothing any more, and must not stand in the way of coming back to this build.
    await trx('projection_builds').where({ projection, build: to }).update({ status: 'live', live_at: now, error: null, paused: 0 })
    await trx('projection_checkpoints').where({ projection }).whereIn('build', [from, to]).update({ owner: null })
  })
}

/** Halts the rebuild under way, whichever process runs it; those of single apps are short and go on. Answers what was halted. */
export async function pauseBuilds(database: Database, projection: string): Promise<number[]> {
  const running = await runningBuilds(database, projection)
  if (running.length > 0) await database.knex('projection_builds').where({ projection, status: 'building' }).whereIn('build', running).update({ paused: 1 })
  return running
}

/** Whole builds that are being folded. */
export async function runningBuilds(database: Database, projection: string): Promise<number[]> {
  const builds = await listBuilds(database.knex, projection)
  return builds.filter(({ status, paused, appId }) => status === 'building' && !paused && appId === undefined).map(({ build }) => build)
}

/** Lets a halted build go on; what a trial said of it holds no longer. */
export async function resumeBuild(database: Database, projection: string, build: number): Promise<void> {
  await database.knex('projection_builds').where({ projection, build }).update({ paused: 0, report: null, error: null })
}

/** Marks a build and the app builds in it as dropped; dropRows then removes them. The live build cannot be dropped. */
export async function markDropped(database: Database, projection: string, build: number): Promise<void> {
  await writing(database, async (trx) => {
    await trx('projections').where({ projection }).update({ next_build: trx.raw('next_build') })
    if ((await liveBuild(trx, projection)) === build) throw new Error(`build ${build} of ${projection} is live`)
    await trx('projection_builds')
      .where({ projection })
      .where((where) => void where.where({ build }).orWhere({ parent: build }))
      .update({ status: 'dropping' })
    await lockCheckpoints(trx, projection, [build])
  })
}

async function insertCheckpoints(trx: Knex, projection: string, build: number, partitions: readonly number[]): Promise<void> {
  const rows = partitions.map((partition) => ({ projection, build, partition }))
  await trx('projection_checkpoints').insert(rows).onConflict(['projection', 'build', 'partition']).ignore()
}

interface BuildRow {
  readonly projection: string
  readonly build: number
  readonly code_version: number
  readonly status: BuildStatus
  readonly app_id: Uint8Array | ArrayBuffer | null
  readonly parent: number | null
  readonly timezone: string | null
  readonly zone_position: number
  readonly definitions: string | null
  readonly created_at: number
  readonly live_at: number | null
  readonly error: string | null
  readonly paused: number
  readonly report: string | null
  readonly events_folded: number
  readonly events_total: number
  readonly events_per_second: number
  readonly progress_at: number | null
}

function buildOf(row: BuildRow): Build {
  return {
    projection: row.projection,
    build: row.build,
    codeVersion: row.code_version,
    status: row.status,
    appId: row.app_id === null ? undefined : textOfId(row.app_id),
    parent: row.parent ?? undefined,
    timezone: row.timezone ?? undefined,
    zonePosition: row.zone_position,
    definitions: row.definitions,
    createdAt: row.created_at,
    liveAt: row.live_at === null ? undefined : row.live_at,
    error: row.error ?? undefined,
    paused: row.paused === 1,
    report: row.report === null ? undefined : (JSON.parse(row.report) as TrialReport),
    progress: {
      events: row.events_folded,
      total: row.events_total,
      eventsPerSecond: row.events_per_second,
      at: row.progress_at === null ? undefined : row.progress_at,
    },
  }
}
