// Puts many whole rows at once: what a rebuild's speed hangs on. Numbers and short bytes stand in the statement itself
// (they need no quoting), because binding hundreds of thousands of values through knex costs more than folding them.
import type { Knex } from 'knex'

export type Value = number | string | Buffer | null

const STATEMENT_CHARS = 500_000
const STATEMENT_BINDINGS = 200
/** SQLite bounds a statement's length, so long bytes travel beside it. */
const INLINE_BYTES = 32_768

/** Inserts rows, or puts them in the place of those with the same primary key. */
export async function replaceRows(trx: Knex, table: string, columns: readonly string[], rows: Iterable<readonly Value[]>): Promise<void> {
  const head = `REPLACE INTO ${table} (${columns.join(', ')}) VALUES `
  let sql = ''
  let bindings: (string | Buffer)[] = []
  let boundBytes = 0
  const literal = (value: Value): string => {
    if (value === null) return 'NULL'
    if (typeof value === 'number') return String(value)
    if (typeof value !== 'string' && value.length <= INLINE_BYTES) return `X'${value.toString('hex')}'`
    bindings.push(value)
    boundBytes += value.length
    return '?'
  }
  for (const row of rows) {
    sql += `${sql === '' ? head : ','}(${row.map(literal).join(',')})`
    if (sql.length + boundBytes < STATEMENT_CHARS && bindings.length < STATEMENT_BINDINGS) continue
    await trx.raw(sql, bindings)
    sql = ''
    bindings = []
    boundBytes = 0
  }
  if (sql !== '') await trx.raw(sql, bindings)
}
