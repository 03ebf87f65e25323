// Compares a whole build, as readers see it, with another build of the same projection: apps that were rebuilt alone have
// their rows under builds of their own, and are compared there.
import type { Knex } from 'knex'
import { compareTable, type Difference, type Side, type Words } from './compareTables.ts'
import type { Projection } from './projection.ts'
import { textOfId } from './storage/rows.ts'

export interface TableDifference extends Difference {
  readonly table: string
}

/** One per table. `right` is a build without apps of their own. */
export async function compareBuilds(projection: Projection, left: Side, right: Side, say: Words): Promise<TableDifference[]> {
  const moved = await movedApps(left.db, projection.name, left.build)
  const found: TableDifference[] = []
  for (const table of projection.tables) {
    const byApp = table.key[0] === 'app_id'
    const parts = [await compareTable(table, left, right, { excluded: byApp ? moved.map(({ appId }) => appId) : [] }, say)]
    if (byApp) for (const { appId, rowsBuild } of moved) parts.push(await compareTable(table, { ...left, build: rowsBuild }, right, { appId }, say))
    found.push({ table: table.name, ...parts.reduce(joined) })
  }
  return found
}

function joined(one: Difference, other: Difference): Difference {
  const sums: Record<string, { left: number; right: number }> = {}
  for (const [column, { left, right }] of [...Object.entries(one.sums), ...Object.entries(other.sums)]) {
    const sum = (sums[column] ??= { left: 0, right: 0 })
    sum.left += left
    sum.right += right
  }
  return {
    rows: one.rows + other.rows,
    onlyLeft: one.onlyLeft + other.onlyLeft,
    onlyRight: one.onlyRight + other.onlyRight,
    changed: one.changed + other.changed,
    sums,
    words: [...one.words, ...other.words],
  }
}

/** Apps whose rows are in a build of their own. */
async function movedApps(db: Knex, projection: string, build: number): Promise<{ appId: string; rowsBuild: number }[]> {
  const rows = await db('projection_apps')
    .where({ projection, build })
    .whereNot('rows_build', build)
    .select<{ app_id: Uint8Array; rows_build: number }[]>('app_id', 'rows_build')
  return rows.map((row) => ({ appId: textOfId(row.app_id), rowsBuild: row.rows_build }))
}
