// What the log is measured against: each engine's own INSERT and SELECT of the same columns, with the same indexes and the
// same durability, and nothing else: no head, no duplicates, no chain, no ledger.
import type { Pool, RowDataPacket } from 'mysql2/promise'
import type { NewEvent } from '../src/events/eventLog.ts'
import { bytes, text, uuid } from '../src/events/mysqlText.ts'
import { createLogPool } from '../src/events/openEventLog.ts'
import { EVENT_COLUMNS } from '../src/events/storedRow.ts'
import type { SqliteDatabase } from '../src/kernel/database/sqlite.ts'
import { uuidToBytes } from '../src/kernel/ids.ts'

export interface Baseline {
  insert(partition: number, position: number, events: readonly NewEvent[]): Promise<void>
  /** Rows after `after`, from the log's own table. */
  select(partition: number, after: number, limit: number): Promise<number>
  /** The same, each row's data parsed as well. */
  selectParsed(partition: number, after: number, limit: number): Promise<number>
  close(): Promise<void>
}

const SEAL = Buffer.alloc(8, 7)
const DATA_COLUMN = EVENT_COLUMNS.split(', ').indexOf('data')

function parsed(rows: readonly unknown[][]): number {
  let fields = 0
  for (const row of rows) fields += Object.keys(JSON.parse(row[DATA_COLUMN] as string) as object).length
  if (rows.length > 0 && fields === 0) throw new Error('nothing was parsed')
  return rows.length
}

export async function mysqlBaseline(url: string): Promise<Baseline> {
  const pool: Pool = createLogPool(url)
  await pool.query('CREATE TABLE IF NOT EXISTS raw_events LIKE events')
  const page = async (partition: number, after: number, limit: number): Promise<unknown[][]> => {
    const sql = `SELECT ${EVENT_COLUMNS} FROM events WHERE \`partition\` = ${partition} AND position > ${after} ORDER BY position LIMIT ${limit}`
    const [rows] = await pool.query<RowDataPacket[]>({ sql, rowsAsArray: true })
    return rows as unknown as unknown[][]
  }
  return {
    insert: async (partition, position, events) => {
      const tuples = events.map(
        (event, index) =>
          `(${partition},${position + index},${uuid(event.appId)},${uuid(event.eventId)},${text(event.type)},${event.schemaVersion},${event.occurredAt},${event.occurredAt},NULL,NULL,${text(event.data)},${text(event.meta!)},${bytes(SEAL)})`,
      )
      await pool.query(`INSERT INTO raw_events (${EVENT_COLUMNS},seal) VALUES ${tuples.join(',')}`)
    },
    select: async (...where) => (await page(...where)).length,
    selectParsed: async (...where) => parsed(await page(...where)),
    close: () => pool.end(),
  }
}

export async function sqliteBaseline(database: SqliteDatabase): Promise<Baseline> {
  await database.write((handle) => {
    handle.exec('CREATE TABLE raw_events AS SELECT * FROM events WHERE FALSE')
    handle.exec('CREATE UNIQUE INDEX raw_place ON raw_events (`partition`, position)')
    handle.exec('CREATE UNIQUE INDEX raw_id ON raw_events (app_id, event_id)')
    handle.exec('CREATE INDEX raw_app ON raw_events (app_id, position)')
  })
  const insert = await database.write((handle) => handle.prepare(`INSERT INTO raw_events (${EVENT_COLUMNS}, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`))
  const select = database.reader.prepare(`SELECT ${EVENT_COLUMNS} FROM events WHERE \`partition\` = ? AND position > ? ORDER BY position LIMIT ?`).raw()
  return {
    insert: (partition, position, events) =>
      database.write(() => {
        events.forEach((event, index) => {
          const ids = [uuidToBytes(event.appId), uuidToBytes(event.eventId)]
          insert.run([partition, position + index, ...ids, event.type, event.schemaVersion, event.occurredAt, event.occurredAt, null, null, event.data, event.meta, SEAL])
        })
      }),
    select: (...where) => Promise.resolve(select.all(where).length),
    selectParsed: (...where) => Promise.resolve(parsed(select.all(where) as unknown[][])),
    close: () => Promise.resolve(),
  }
}
