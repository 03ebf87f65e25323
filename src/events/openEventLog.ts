// Opens the log of a database, whichever engine keeps it. The number of partitions is fixed when the store is initialised:
// the stored number wins over the configured one, because another number would split every app's history.
import mysql, { type Pool, type PoolOptions, type RowDataPacket } from 'mysql2/promise'
import { type Clock, systemClock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import { mysqlOptions, WRITE_SESSION } from '../kernel/database/mysql.ts'
import type { SqliteDatabase } from '../kernel/database/sqlite.ts'
import { LIMITS } from '../limits.ts'
import type { EventLog } from './eventLog.ts'
import { MysqlEventLog } from './mysqlEventLog.ts'
import { CONTROL_PARTITION } from './partitioning.ts'
import { EMPTY_CHAIN } from './sealing.ts'
import { SqliteEventLog } from './sqliteEventLog.ts'

export interface EventLogOptions {
  readonly url: string
  /** Used when the store is new; otherwise the stored number wins. */
  readonly partitions: number
  readonly clock?: Clock
}

const POOL_CONNECTIONS = 16
// Connections that rest longer are given up before the server's wait_timeout ends them in mid-use.
const IDLE_MS = 2_000

/** The schema must have been migrated. */
export async function openEventLog(database: Database, options: EventLogOptions): Promise<EventLog & { close(): Promise<void> }> {
  const partitions = await initialise(database, options.partitions)
  const clock = options.clock ?? systemClock
  if (database.engine === 'sqlite') return new SqliteEventLog(database as SqliteDatabase, partitions, clock)
  const pool = createLogPool(options.url)
  try {
    return new MysqlEventLog(pool, partitions, clock, await packetBytes(pool))
  } catch (error) {
    await pool.end()
    throw error
  }
}

/** The log's own connections: several statements in a packet, so nothing unescaped may ever reach them. */
export function createLogPool(url: string): Pool {
  const pool = mysql.createPool({
    ...mysqlOptions(url),
    multipleStatements: true,
    connectionLimit: POOL_CONNECTIONS,
    maxIdle: POOL_CONNECTIONS - 1,
    idleTimeout: IDLE_MS,
    // Statements come without placeholders; looking for them would read every payload once more.
    queryFormat: (sql: string) => sql,
  } as PoolOptions)
  pool.pool.on('connection', (connection) => {
    // Queued ahead of whatever the connection was made for. A session that cannot be set up must not be used.
    for (const statement of WRITE_SESSION) connection.query(statement, (error) => error && connection.destroy())
  })
  return pool
}

/** Half of what the server takes in one packet, because the other statements of an append share it. */
export async function packetBytes(pool: Pool): Promise<number> {
  const [rows] = await pool.query<RowDataPacket[]>('SELECT @@max_allowed_packet AS bytes')
  return Math.min(LIMITS.appendMaxBytes, Math.floor(Number(rows[0]!.bytes) / 2))
}

async function initialise({ knex }: Database, partitions: number): Promise<number> {
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > LIMITS.partitionsMax) {
    throw new RangeError(`partitions are 1…${LIMITS.partitionsMax}`)
  }
  // Whichever of several new processes comes first decides; all read what is stored.
  await knex('log_settings').insert({ name: 'partitions', value: String(partitions) }).onConflict('name').ignore()
  const stored = await knex<{ name: string; value: string }>('log_settings').where({ name: 'partitions' }).first()
  const count = Number(stored?.value)
  const heads = await knex<{ partition: number }>('heads').select('partition')
  const known = new Set(heads.map(({ partition }) => partition))
  for (let partition = CONTROL_PARTITION; partition <= count; partition++) {
    if (known.has(partition)) continue
    await knex('heads').insert({ partition, position: 0, recorded_at: 0, hash: EMPTY_CHAIN }).onConflict('partition').ignore()
  }
  return count
}
