// How far one build has folded one partition, moved only by compare-and-set: on the position, so that no event counts twice,
// and on the fence, so that whoever lost the lease meanwhile (a frozen process, a slow one) writes nothing at all.
import type { Knex } from 'knex'
import type { Database } from '../kernel/database.ts'

/** One (projection, build, partition): the unit of lease, failure and parallelism. */
export interface Unit {
  readonly projection: string
  readonly build: number
  readonly partition: number
}

export interface Checkpoint {
  readonly position: number
  /** When the event at this position was recorded, epoch milliseconds; 0 at the beginning. */
  readonly recordedAt: number
  readonly fence: number
  readonly owner: string | null
}

/** Somebody else moved the checkpoint, took the lease or moved an app's rows: the work in hand is void. */
export class Fenced extends Error {
  constructor(readonly unit: Unit) {
    super(`${unit.projection} build ${unit.build} partition ${unit.partition} was moved by somebody else`)
    this.name = 'Fenced'
  }
}

const TABLE = 'projection_checkpoints'

/** A write transaction; on MySQL the pool's sessions are READ COMMITTED, so that after a lock the newest rows are seen. */
export function writing<T>(database: Database, work: (trx: Knex.Transaction) => Promise<T>): Promise<T> {
  return database.knex.transaction(work)
}

export async function readCheckpoint(db: Knex, unit: Unit): Promise<Checkpoint | undefined> {
  const row = await db(TABLE).where(columnsOf(unit)).first<Row | undefined>()
  return row === undefined ? undefined : checkpointOf(row)
}

/** All partitions of a build, by partition. */
export async function readCheckpoints(db: Knex, projection: string, build: number): Promise<Map<number, Checkpoint>> {
  const rows = await db(TABLE).where({ projection, build }).orderBy('partition').select<Row[]>()
  return new Map(rows.map((row) => [row.partition, checkpointOf(row)]))
}

/** The first statement of every fold's transaction; it holds the row until commit. Throws Fenced. */
export async function moveCheckpoint(
  trx: Knex.Transaction,
  unit: Unit,
  from: Pick<Checkpoint, 'position' | 'fence'>,
  to: Pick<Checkpoint, 'position' | 'recordedAt'>,
): Promise<void> {
  const moved = await trx(TABLE)
    .where({ ...columnsOf(unit), position: from.position, fence: from.fence })
    .update({ position: to.position, recorded_at: to.recordedAt })
  if (moved !== 1) throw new Fenced(unit)
}

/**
 * Locks checkpoints of builds until the transaction ends and voids whatever is being folded on them, because what they
 * stand for is about to change. Answers where they stand, per build and partition.
 */
export async function lockCheckpoints(
  trx: Knex.Transaction,
  projection: string,
  builds: readonly number[],
  partition?: number,
): Promise<Map<number, Map<number, Checkpoint>>> {
  const these = { projection, ...(partition === undefined ? {} : { partition }) }
  await trx(TABLE).where(these).whereIn('build', builds).update({ fence: trx.raw('fence + 1') })
  const rows = await trx(TABLE).where(these).whereIn('build', builds).orderBy(['build', 'partition']).forUpdate().select<Row[]>()
  const found = new Map<number, Map<number, Checkpoint>>(builds.map((build) => [build, new Map()]))
  for (const row of rows) found.get(row.build)?.set(row.partition, checkpointOf(row))
  return found
}

/** Takes the lease of a unit whose owner is still the one that was seen. Undefined when it has changed hands meanwhile. */
export async function takeLease(
  database: Database,
  unit: Unit,
  owner: string,
  seenOwner: string | null,
): Promise<Checkpoint | undefined> {
  return writing(database, async (trx) => {
    const taken = await trx(TABLE)
      .where(columnsOf(unit))
      .where((where) => void (seenOwner === null ? where.whereNull('owner') : where.where('owner', seenOwner)))
      .update({ owner, fence: trx.raw('fence + 1') })
    return taken === 1 ? await readCheckpoint(trx, unit) : undefined
  })
}

/** Gives leases back, so that another process need not wait until they run out. */
export async function releaseLeases(database: Database, owner: string, unit?: Unit): Promise<void> {
  await database
    .knex(TABLE)
    .where({ owner, ...(unit === undefined ? {} : columnsOf(unit)) })
    .update({ owner: null, fence: database.knex.raw('fence + 1') })
}

/** Whatever else the object in hand may carry. */
function columnsOf({ projection, build, partition }: Unit): Unit {
  return { projection, build, partition }
}

interface Row {
  readonly build: number
  readonly partition: number
  readonly position: number | string
  readonly recorded_at: number | string
  readonly fence: number | string
  readonly owner: string | null
}

function checkpointOf(row: Row): Checkpoint {
  return { position: Number(row.position), recordedAt: Number(row.recorded_at), fence: Number(row.fence), owner: row.owner }
}
