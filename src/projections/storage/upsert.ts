// Bulk reads and writes of read-model rows by key, in statements of bounded size that both engines take.
import type { Knex } from 'knex'
import { uuidToBytes } from '../../kernel/ids.ts'
import { LIMITS } from '../../limits.ts'

/** Rows of a build whose BINARY(16) column is one of these ids. */
export async function rowsByIds<Row>(db: Knex, table: string, build: number, column: string, ids: ReadonlySet<string>): Promise<Row[]> {
  const rows: Row[] = []
  for (const some of chunks([...ids])) {
    const found = (await db(table).where({ build }).whereIn(column, some.map(uuidToBytes))) as Row[]
    rows.push(...found)
  }
  return rows
}

/** Puts rows, new or not: all of each, or of those that are there these `columns`. `key` are the columns after `build` that identify one. */
export async function insertOrReplace(trx: Knex, table: string, key: readonly string[], build: number, rows: readonly object[], columns?: string[]): Promise<void> {
  for (const some of chunks(rows)) {
    await trx(table)
      .insert(some.map((row) => ({ ...row, build })))
      .onConflict(['build', ...key])
      .merge(columns)
  }
}

export function chunks<T>(items: readonly T[]): T[][] {
  const found: T[][] = []
  for (let start = 0; start < items.length; start += LIMITS.rowsPerStatement) found.push(items.slice(start, start + LIMITS.rowsPerStatement))
  return found
}
