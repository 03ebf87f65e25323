// Reads and deletes many rows by parts of their keys, across apps, in few statements: what live folding waits for. Keys stand
// in the statement itself, as numbers and hex, in the order of the primary key, so that every store goes by its index.
import type { Knex } from 'knex'
import { LIMITS } from '../../limits.ts'

/** MariaDB takes time by the square of how many ranges are put together with OR: 500 of one key each are 0.2 s, 32 some milliseconds. */
const SETS_PER_STATEMENT = 32

/** Rows that share the leading columns of a key and differ in the next one. */
export interface RowSet {
  readonly app: Buffer
  readonly where: readonly (readonly [column: string, value: number | Buffer])[]
  readonly column: string
  readonly values: readonly (number | Buffer)[]
}

export async function selectAmong<Row>(db: Knex, table: string, build: number, sets: Iterable<RowSet>, columns: readonly string[]): Promise<Row[]> {
  const found: Row[] = []
  for (const condition of conditions(sets)) {
    const rows: unknown[] = await db(table)
      .where({ build })
      .whereRaw(condition)
      .select(...columns)
    for (const row of rows) found.push(row as Row)
  }
  return found
}

export async function deleteAmong(trx: Knex.Transaction, table: string, build: number, sets: Iterable<RowSet>): Promise<void> {
  for (const condition of conditions(sets)) await trx(table).where({ build }).whereRaw(condition).delete()
}

export function* chunks<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += LIMITS.rowsPerStatement) yield items.slice(at, at + LIMITS.rowsPerStatement)
}

function* conditions(sets: Iterable<RowSet>): Generator<string> {
  let parts: string[] = []
  let keys = 0
  for (const { app, where, column, values } of sets) {
    const shared = [`app_id = ${literal(app)}`, ...where.map(([name, value]) => `${name} = ${literal(value)}`)].join(' AND ')
    for (const some of chunks(values)) {
      if (keys + some.length > LIMITS.rowsPerStatement || parts.length === SETS_PER_STATEMENT) {
        yield `(${parts.join(' OR ')})`
        parts = []
        keys = 0
      }
      parts.push(`(${shared} AND ${column} IN (${some.map(literal).join(',')}))`)
      keys += some.length
    }
  }
  if (parts.length > 0) yield `(${parts.join(' OR ')})`
}

function literal(value: number | Buffer): string {
  return typeof value === 'number' ? String(value) : `X'${value.toString('hex')}'`
}
