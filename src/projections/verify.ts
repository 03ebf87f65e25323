// Proves that read models are what the log says: folds afresh into a scratch build up to exactly where the live one stands,
// compares every row by key in constant memory, and drops the scratch build. Works beside a running server and never touches
// the live build.
import type { Knex } from 'knex'
import type { EventLog } from '../events/eventLog.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import { readPlaces, WholePlaces } from './appPlaces.ts'
import type { Terms } from './appTerms.ts'
import { createBuild, liveBuild, partitionsOf } from './builds.ts'
import { readCheckpoints, type Unit } from './checkpoints.ts'
import { compareBuilds } from './compareBuilds.ts'
import { VERIFYING } from './compareTables.ts'
import { dropBuild } from './dropRows.ts'
import { Folder } from './folder.ts'
import { partitionPages } from './logPages.ts'
import type { Projection } from './projection.ts'
import { RebuildSession, type ReplayProgress } from './rebuildSession.ts'
import { UnitRunner } from './unitRunner.ts'

export interface VerifyOptions {
  readonly log: EventLog
  readonly database: Database
  readonly projections: readonly Projection[]
  readonly onProgress?: ((projection: string, progress: ReplayProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
  readonly clock?: Clock | undefined
  readonly logger?: Logger | undefined
}

export interface Verified {
  readonly projection: string
  readonly build: number
  /** Positions up to which both were folded, by partition. */
  readonly positions: ReadonlyMap<number, number>
  readonly rows: number
  /** The first ones, in words. */
  readonly differences: readonly string[]
}

export async function verifyReadModels(options: VerifyOptions): Promise<Verified[]> {
  const results: Verified[] = []
  for (const projection of options.projections) results.push(await verifyProjection(options, projection))
  return results
}

function verifyProjection(options: VerifyOptions, projection: Projection): Promise<Verified> {
  const { database, log, onProgress } = options
  const report = (progress: ReplayProgress): void => onProgress?.(projection.name, progress)
  return RebuildSession.run({ ...options, projection, onProgress: report }, async (session) => {
    const live = await liveBuild(database.knex, projection.name)
    if (live === undefined) return { projection: projection.name, build: 0, positions: new Map(), rows: 0, differences: [] }
    const partitions = partitionsOf(projection, log.partitions)
    const { build: scratch } = await createBuild(database, projection, partitions, session.clock.now(), { scratch: true })
    try {
      const runners: UnitRunner[] = []
      for (const partition of partitions) runners.push(await scratchRunner(session, { projection: projection.name, build: scratch, partition }, live))
      return await session.reporting(scratch, partitions, async () => {
        await foldUpTo(session, runners, await positionsOf(database.knex, projection.name, live))
        // The rest is little, so the snapshot that shows where the live build stands need not stay open for long before.
        return database.snapshot(async (trx) => {
          const positions = await positionsOf(trx, projection.name, live)
          await foldUpTo(session, runners, positions)
          const found = await compareBuilds(projection, { db: trx, build: live }, { db: database.knex, build: scratch }, VERIFYING)
          const rows = found.reduce((sum, { rows: compared, onlyLeft, onlyRight }) => sum + compared + onlyLeft + onlyRight, 0)
          const differences = found.flatMap(({ words }) => words).slice(0, LIMITS.differencesShown)
          return { projection: projection.name, build: live, positions, rows, differences }
        })
      })
    } finally {
      await dropBuild(database, projection, scratch)
    }
  })
}

async function positionsOf(db: Knex, projection: string, build: number): Promise<Map<number, number>> {
  const places = await readCheckpoints(db, projection, build)
  return new Map([...places].map(([partition, { position }]) => [partition, position]))
}

async function foldUpTo(session: RebuildSession, runners: readonly UnitRunner[], positions: ReadonlyMap<number, number>): Promise<void> {
  await Promise.all(runners.map((runner) => session.catchUp(runner, positions.get(runner.options.unit.partition) ?? 0)))
}

async function scratchRunner(session: RebuildSession, unit: Unit, live: number): Promise<UnitRunner> {
  const { database, log, projection } = session.options
  const { clock, logger } = session
  const checkpoint = await session.lease(unit)
  // The live build's zone and definitions of each app, whatever holds by now.
  const terms = async (appIds: readonly string[]): Promise<Map<string, Terms>> => {
    const found = await readPlaces(database.knex, { projection: projection.name, build: live }, appIds)
    const settled = { zonePosition: Number.MAX_SAFE_INTEGER, definitionsPosition: Number.MAX_SAFE_INTEGER }
    return new Map([...found].map(([appId, { timezone, definitions }]) => [appId, { timezone, definitions, ...settled }]))
  }
  const places = new WholePlaces(database.knex, unit, projection, terms)
  const folder = new Folder({ log, database, clock, projection, unit, source: partitionPages(log, unit.partition), places })
  return new UnitRunner({ database, folder, unit, logger, onPoison: () => 'bury', targetMs: LIMITS.foldTargetMs }, checkpoint, LIMITS.rebuildMaxEvents)
}
