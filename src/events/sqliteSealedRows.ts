// Seals, data and the append chain on SQLite, for verification: side by side with mysqlSealedRows.ts. A page is one row with
// one value per column, because libsql hands over a million values a second at best.
import type { SqliteHandle } from '../kernel/database/sqlite.ts'
import type { AppendMark, SealedPage, SealedRows } from './sealedPage.ts'

const FROM = `(SELECT position, CAST(seal AS BLOB) AS seal, data FROM events
  WHERE \`partition\` = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?)`

// The lengths of seals as characters from '@' on; positions and data are separated by NUL, which the log takes in no text.
const PAGE = `SELECT count(*), CAST(group_concat(position, char(0)) AS BLOB), CAST(group_concat(char(64 + length(seal)), '') AS BLOB),
  CAST(group_concat(seal, '') AS BLOB), CAST(group_concat(ifnull(data, ''), char(0)) AS BLOB) FROM ${FROM}`
const ROWS = `SELECT position, seal, CAST(ifnull(data, '') AS BLOB) FROM ${FROM}`
const MARKS = 'SELECT first_position, last_position, hash FROM appends WHERE `partition` = ?'
const LENGTHS_FROM = 64

type PageRow = readonly [count: number, positions: Buffer, lengths: Buffer, seals: Buffer, data: Buffer]
type Row = readonly [position: number, seal: Buffer, data: Buffer]
type Mark = readonly [first: number, last: number, hash: Buffer]
type Statement = ReturnType<SqliteHandle['prepare']>

export class SqliteSealedRows implements SealedRows {
  private readonly statements = new Map<string, Statement>()

  constructor(private readonly reader: SqliteHandle) {}

  // Reading is synchronous; within a promise its errors look like those of any engine.
  page(partition: number, after: number, upTo: number, limit: number): Promise<SealedPage> {
    return promised(() => {
      const values = [partition, after, upTo, limit]
      const row = this.prepare(PAGE).get(values) as PageRow
      // What somebody wrote past the log may have NUL in it: such a page is read row by row.
      return wholePage(row) ?? rowsPage(this.prepare(ROWS).all(values) as Row[])
    })
  }

  appends(partition: number, after: number, upTo: number, limit: number): Promise<AppendMark[]> {
    const sql = `${MARKS} AND first_position > ? AND first_position <= ? ORDER BY first_position LIMIT ?`
    return promised(() => (this.prepare(sql).all([partition, after, upTo, limit]) as Mark[]).map(toMark))
  }

  appendAt(partition: number, position: number): Promise<AppendMark | undefined> {
    const sql = `${MARKS} AND first_position <= ? ORDER BY first_position DESC LIMIT 1`
    return promised(() => (this.prepare(sql).all([partition, position]) as Mark[]).map(toMark)[0])
  }

  newest(partition: number): Promise<number> {
    return promised(() => (this.prepare('SELECT ifnull(max(position), 0) FROM events WHERE `partition` = ?').get([partition]) as [number])[0])
  }

  close(): Promise<void> {
    return promised(() => {
      this.reader.close()
    })
  }

  private prepare(sql: string): Statement {
    let statement = this.statements.get(sql)
    if (statement === undefined) this.statements.set(sql, (statement = this.reader.prepare(sql).raw()))
    return statement
  }
}

/** Undefined when the columns do not have as many values as there are rows. */
function wholePage([count, positions, lengths, seals, data]: PageRow): SealedPage | undefined {
  if (count === 0) return rowsPage([])
  const places = ends(positions, count)
  const texts = ends(data, count)
  if (places === undefined || texts === undefined || lengths.length !== count) return undefined
  const sealEnds = new Uint32Array(count)
  for (let index = 0, end = 0; index < count; index++) sealEnds[index] = end += lengths[index]! - LENGTHS_FROM
  if (sealEnds[count - 1] !== seals.length) return undefined
  let scratch = Buffer.allocUnsafeSlow(4_096)
  return {
    count,
    bytes: seals.length + data.length,
    position: (index) => integerAt(positions, index === 0 ? 0 : places[index - 1]! + 1, places[index]!),
    sealBytes: (index) => lengths[index]! - LENGTHS_FROM,
    sealed: (index) => {
      const sealFrom = index === 0 ? 0 : sealEnds[index - 1]!
      const dataFrom = index === 0 ? 0 : texts[index - 1]! + 1
      const length = sealEnds[index]! - sealFrom + texts[index]! - dataFrom
      if (length > scratch.length) scratch = Buffer.allocUnsafeSlow(2 * length)
      const at = seals.copy(scratch, 0, sealFrom, sealEnds[index])
      data.copy(scratch, at, dataFrom, texts[index])
      return scratch.subarray(0, length)
    },
  }
}

function rowsPage(rows: readonly Row[]): SealedPage {
  return {
    count: rows.length,
    bytes: rows.reduce((sum, [, seal, data]) => sum + seal.length + data.length, 0),
    position: (index) => rows[index]![0],
    sealBytes: (index) => rows[index]![1].length,
    sealed: (index) => Buffer.concat([rows[index]![1], rows[index]![2]]),
  }
}

/** Where each of the values ends; undefined when there are more or fewer than `count`. */
function ends(bytes: Buffer, count: number): Uint32Array | undefined {
  const found = new Uint32Array(count)
  let from = 0
  for (let index = 0; index < count - 1; index++) {
    const end = bytes.indexOf(0, from)
    if (end < 0) return undefined
    found[index] = end
    from = end + 1
  }
  if (bytes.includes(0, from)) return undefined
  found[count - 1] = bytes.length
  return found
}

const ZERO = 48

function integerAt(bytes: Buffer, from: number, end: number): number {
  let number = 0
  for (let at = from; at < end; at++) number = number * 10 + (bytes[at]! - ZERO)
  return number
}

function toMark([first, last, hash]: Mark): AppendMark {
  return { first, last, hash }
}

function promised<T>(read: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(read())
  })
}
