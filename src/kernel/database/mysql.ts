// MySQL and MariaDB for the whole process, by two pools: one that writes at READ COMMITTED and whose sessions the server
// ends after seconds of silence (so a frozen process gives back its locks), and one that reads consistent snapshots.
import { createRequire } from 'node:module'
import knexFactory, { type Knex } from 'knex'
import { type Connection, type ConnectionOptions, format } from 'mysql2'
import type { SqlValue } from 'sql-escaper'
import { LIMITS } from '../../limits.ts'
import type { Database } from '../database.ts'

export interface MysqlDatabase extends Database {
  readonly engine: 'mysql'
}

const CONNECTIONS = 10
// Well below the server's wait_timeout: a connection is given up by us before the server hangs up on it in mid-use.
const IDLE_MS = 2_000
const CONNECT_MS = 5_000

const Dialect = createRequire(import.meta.url)('knex/lib/dialects/mysql2/index.js') as new (config: Knex.Config) => Knex.Client

/** What every session of ours agrees on, whatever the server's configuration says. */
const EVERY_SESSION =
  "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'"

export const WRITE_SESSION: readonly string[] = [
  `${EVERY_SESSION}, wait_timeout = ${LIMITS.sessionTimeoutSeconds}, innodb_lock_wait_timeout = ${LIMITS.sessionTimeoutSeconds}`,
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
]

const SNAPSHOT_SESSION: readonly string[] = [
  `${EVERY_SESSION}, wait_timeout = 60`,
  'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ',
  'SET SESSION TRANSACTION READ ONLY',
]

// A migration waits for its turn and for its own DDL as long as those take.
const MIGRATION_SESSION: readonly string[] = [
  `${EVERY_SESSION}, wait_timeout = 28800, innodb_lock_wait_timeout = 3600`,
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
]

/** Options of mysql2 for a URL: `mysql://user:password@host:port/database`, with `?ssl=true` for TLS. */
export function mysqlOptions(url: string): ConnectionOptions {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url)
  const ssl = searchParams.get('ssl') === 'true'
  return {
    host: hostname === '' ? '127.0.0.1' : decodeURIComponent(hostname).replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 3306 : Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    charset: 'utf8mb4_bin',
    connectTimeout: CONNECT_MS,
    decimalNumbers: true,
    supportBigNumbers: true,
    ...(ssl ? { ssl: {} } : {}),
  }
}

export async function openMysql(url: string): Promise<MysqlDatabase> {
  const writers = createKnex(url, WRITE_SESSION, CONNECTIONS)
  const readers = createKnex(url, SNAPSHOT_SESSION, CONNECTIONS)
  try {
    await writers.raw('select 1')
  } catch (error) {
    await Promise.all([writers.destroy(), readers.destroy()])
    throw error
  }
  return {
    engine: 'mysql',
    url,
    knex: writers,
    snapshot: (work) => readers.transaction(work),
    close: async () => {
      await Promise.all([writers.destroy(), readers.destroy()])
    },
  }
}

/** Two connections without the timeouts of the others, for migrations: one holds the lock, one does the work. */
export function openMysqlForMigrations(url: string): Knex {
  return createKnex(url, MIGRATION_SESSION, 2)
}

function createKnex(url: string, session: readonly string[], connections: number): Knex {
  return knexFactory({
    client: MysqlClient as typeof Knex.Client,
    // knex writes charset and collation into every CREATE TABLE: text is compared by its bytes.
    connection: { options: { ...mysqlOptions(url), queryFormat }, session, charset: 'utf8mb4', collate: 'utf8mb4_bin' } as object,
    acquireConnectionTimeout: 10_000,
    // Whoever asked is told by the rejection; knex would also print it, and each connection that a server takes back.
    log: { warn: () => undefined, error: () => undefined },
    // A server that is away is reported at once with its own error, not as a timeout of the pool.
    pool: { min: 0, max: connections, idleTimeoutMillis: IDLE_MS, reapIntervalMillis: 500, propagateCreateError: true },
  })
}

/** Statements of half a megabyte that bind nothing are not searched for placeholders. */
function queryFormat(sql: string, values: SqlValue[] | undefined, timezone: string): string {
  return values === undefined || values.length === 0 ? sql : format(sql, values, false, timezone)
}

interface Settings {
  readonly options: ConnectionOptions
  readonly session: readonly string[]
}

interface Driver {
  createConnection(options: ConnectionOptions): Connection
}

class MysqlClient extends Dialect {
  override async acquireRawConnection(): Promise<Connection> {
    const { options, session } = this.connectionSettings as Settings
    const connection = (this.driver as Driver).createConnection(options)
    // Without a listener, the loss of an idle connection would end the process; knex reads this mark before each use.
    connection.on('error', (error: unknown) => Object.assign(connection, { __knex__disposed: error }))
    try {
      await new Promise<void>((resolve, reject) => connection.connect((error: Error | null) => (error === null ? resolve() : reject(error))))
      for (const statement of session) await connection.promise().query(statement)
    } catch (error) {
      connection.destroy()
      throw error
    }
    return connection
  }
}
