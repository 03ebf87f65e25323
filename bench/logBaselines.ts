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
  close(): Promise<void>
}

const SEAL = Buffer.alloc(8, 7)

export async function mysqlBaseline(url: string): Promise<Baseline> {
  const pool: Pool = createLogPool(url)
  await pool.query('CREATE TABLE raw_events LIKE events')
  return {
    insert: async (partition, position, events) => {
      const tuples = events.map(
        (event, index) =>
          `(${partition},${position + index},${uuid(event.appId)},${uuid(event.eventId)},${text(event.type)},${event.schemaVersion},${event.occurredAt},${event.occurredAt},NULL,NULL,${text(event.data)},${text(event.meta!)},${bytes(SEAL)})`,
      )
      await pool.query(`INSERT INTO raw_events (${EVENT_COLUMNS},seal) VALUES ${tuples.join(',')}`)
    },
    select: async (partition, after, limit) => {
      const sql = `SELECT ${EVENT_COLUMNS} FROM events WHERE \`partition\` = ${partition} AND position > ${after} ORDER BY position LIMIT ${limit}`
      const [rows] = await pool.query<RowDataPacket[]>({ sql, rowsAsArray: true })
      return rows.length
    },
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
    select: (partition, after, limit) => Promise.resolve(select.all([partition, after, limit]).length),
    close: () => Promise.resolve(),
  }
}
