// Takes the rows of a build, or of one app in it, out of the tables in small transactions, so that nobody waits for them.
// A drop that was interrupted goes on where it stopped when it is run again.
import type { Knex } from 'knex'
import type { Database } from '../kernel/database.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { listBuilds, markDropped } from './builds.ts'
import { writing } from './checkpoints.ts'
import type { Projection, ProjectionTable } from './projection.ts'
import { bytesOf } from './storage/rows.ts'

/** Drops a build that is not live, with the builds of single apps in it. */
export async function dropBuild(database: Database, projection: Projection, build: number): Promise<void> {
  await markDropped(database, projection.name, build)
  await finishDrops(database, projection)
}

/** Removes everything that is marked as dropped. */
export async function finishDrops(database: Database, projection: Projection, signal?: AbortSignal): Promise<void> {
  const builds = await listBuilds(database.knex, projection.name)
  for (const { build, status } of builds) {
    if (status !== 'dropping') continue
    for (const table of projection.tables) await deleteRows(database, table, { build }, signal)
    for (const name of ['projection_apps', 'dead_events', 'projection_checkpoints', 'projection_builds']) {
      await database.knex(name).where({ projection: projection.name, build }).delete()
    }
  }
}

/** Removes one app's rows from a build; its place says that they are elsewhere by now. */
export async function dropAppRows(database: Database, projection: Projection, build: number, appId: string): Promise<void> {
  for (const table of projection.tables) {
    if (table.key[0] === 'app_id') await deleteRows(database, table, { build, app_id: uuidToBytes(appId) })
  }
}

async function deleteRows(database: Database, table: ProjectionTable, which: Record<string, unknown>, signal?: AbortSignal): Promise<void> {
  const columns = [...table.key]
  const deleteSome = database.engine === 'mysql' ? deleteFirst : deleteByKey
  for (;;) {
    signal?.throwIfAborted()
    const deleted = await writing(database, (trx) => deleteSome(trx(table.name).where(which), columns))
    if (deleted < LIMITS.dropRows) return
  }
}

function deleteFirst(these: Knex.QueryBuilder, columns: readonly string[]): Promise<number> {
  return these.orderBy([...columns]).limit(LIMITS.dropRows).delete().then(Number)
}

/** SQLite takes no LIMIT here. */
async function deleteByKey(these: Knex.QueryBuilder, columns: readonly string[]): Promise<number> {
  const rows = await these.clone().orderBy([...columns]).limit(LIMITS.dropRows).select<Record<string, unknown>[]>([...columns])
  if (rows.length > 0) await these.whereIn([...columns], tuplesOf(rows, columns)).delete()
  return rows.length
}

// By whole keys: both engines find those rows without scanning the ones around them.
function tuplesOf(rows: readonly Record<string, unknown>[], columns: readonly string[]): Knex.Value[][] {
  return rows.map((row) => columns.map((column) => keyValue(row[column])))
}

function keyValue(value: unknown): Knex.Value {
  return value instanceof ArrayBuffer || value instanceof Uint8Array ? bytesOf(value) : (value as Knex.Value)
}
