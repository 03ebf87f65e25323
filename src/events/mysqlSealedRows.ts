// Seals, data and the append chain on MySQL and MariaDB, for verification: side by side with sqliteSealedRows.ts. As bytes by
// the binary protocol, and in as few columns as will do, because each value of a row costs both ends as much as its hash.
import type { Pool, RowDataPacket } from 'mysql2/promise'
import { LIMITS } from '../limits.ts'
import { toParameter } from './mysqlEventLog.ts'
import { integer } from './mysqlText.ts'
import type { AppendMark, SealedPage, SealedRows } from './sealedPage.ts'

const STATEMENT_MS = 3 * LIMITS.sessionTimeoutSeconds * 1_000
/** Positions and the lengths of seals (8 or 32, at most 32) travel as one number. */
const PLACES = 64

const EVENTS = `SELECT position * ${PLACES} + LENGTH(seal), CONCAT(seal, COALESCE(data, '')) FROM events FORCE INDEX (PRIMARY)
  WHERE \`partition\` = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?`
const MARKS = 'SELECT first_position, last_position, hash FROM appends WHERE `partition` ='

type Row = readonly [place: number, sealed: Buffer]
type Mark = readonly [first: number, last: number, hash: Buffer]

export class MysqlSealedRows implements SealedRows {
  constructor(private readonly pool: Pool) {}

  async page(partition: number, after: number, upTo: number, limit: number): Promise<SealedPage> {
    const values = [partition, after, upTo, limit].map(toParameter)
    const [rows] = await this.pool.execute<RowDataPacket[]>({ sql: EVENTS, values, rowsAsArray: true, timeout: STATEMENT_MS })
    return new MysqlSealedPage(rows as unknown as Row[])
  }

  appends(partition: number, after: number, upTo: number, limit: number): Promise<AppendMark[]> {
    const range = `first_position > ${integer(after)} AND first_position <= ${integer(upTo)}`
    return this.marks(`${MARKS} ${integer(partition)} AND ${range} ORDER BY first_position LIMIT ${integer(limit)}`)
  }

  async appendAt(partition: number, position: number): Promise<AppendMark | undefined> {
    const [mark] = await this.marks(`${MARKS} ${integer(partition)} AND first_position <= ${integer(position)} ORDER BY first_position DESC LIMIT 1`)
    return mark
  }

  async newest(partition: number): Promise<number> {
    const sql = `SELECT COALESCE(MAX(position), 0) FROM events WHERE \`partition\` = ${integer(partition)}`
    const [rows] = await this.pool.query<RowDataPacket[]>({ sql, rowsAsArray: true, timeout: STATEMENT_MS })
    return (rows[0] as unknown as [number])[0]
  }

  close(): Promise<void> {
    return this.pool.end()
  }

  private async marks(sql: string): Promise<AppendMark[]> {
    const [rows] = await this.pool.query<RowDataPacket[]>({ sql, rowsAsArray: true, timeout: STATEMENT_MS })
    return (rows as unknown as Mark[]).map(([first, last, hash]) => ({ first, last, hash }))
  }
}

class MysqlSealedPage implements SealedPage {
  readonly count: number
  readonly bytes: number

  constructor(private readonly rows: readonly Row[]) {
    this.count = rows.length
    this.bytes = rows.reduce((sum, [, sealed]) => sum + sealed.length, 0)
  }

  position(index: number): number {
    return Math.floor(this.rows[index]![0] / PLACES)
  }

  sealBytes(index: number): number {
    return this.rows[index]![0] % PLACES
  }

  sealed(index: number): Uint8Array {
    return this.rows[index]![1]
  }
}
