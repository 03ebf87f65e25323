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
  // While the store executes one statement the next is spelt out.
  let underWay: Promise<unknown> = Promise.resolve()
  const send = async (): Promise<void> => {
    await underWay
    underWay = bindings.length === 0 ? trx.raw(sql).then() : trx.raw(sql, bindings).then()
    underWay.catch(() => undefined)
    sql = ''
    bindings = []
    boundBytes = 0
  }
  for (const row of rows) {
    sql += sql === '' ? `${head}(` : ',('
    for (let column = 0; column < row.length; column++) {
      const value = row[column] ?? null
      if (column > 0) sql += ','
      if (typeof value === 'number') sql += String(value)
      else if (value === null) sql += 'NULL'
      else if (typeof value !== 'string' && value.length <= INLINE_BYTES) sql += `X'${value.toString('hex')}'`
      else {
        bindings.push(value)
        boundBytes += value.length
        sql += '?'
      }
    }
    sql += ')'
    if (sql.length + boundBytes >= STATEMENT_CHARS || bindings.length >= STATEMENT_BINDINGS) await send()
  }
  if (sql !== '') await send()
  await underWay
}
