// SQLite for the whole process: one connection that writes and a few that read. Whoever writes, through knex or with the
// raw handle, takes the same connection from the same pool, so transactions never interleave and never wait for each other
// inside SQLite; another process that writes the file is waited for without holding up the event loop.
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import Libsql from 'libsql'
import knexFactory, { type Knex } from 'knex'
import { LIMITS } from '../../limits.ts'
import type { Database } from '../database.ts'
import { LibsqlClient, type SqliteConnection, takeTurns, transact, waitWhileBusy } from './libsqlClient.ts'
import { FirstTurns, newTurns, SecondTurns } from './writeTurns.ts'

export type SqliteHandle = Libsql.Database

export interface SqliteDatabase extends Database {
  readonly engine: 'sqlite'
  /** Runs synchronous work in one BEGIN IMMEDIATE … COMMIT on the write connection; rolls back if it throws. */
  write<T>(work: (handle: SqliteHandle) => T): Promise<T>
  /** A connection for synchronous reads of committed rows. Never begin a transaction on it. */
  readonly reader: SqliteHandle
  /** For threads of this process that write the same file after it. */
  readonly turns: SharedArrayBuffer
  /** Tells how far behind the log is what is written here, in milliseconds: the further, the shorter this thread keeps off the write lock for others. */
  behind(ms: number): void
}

export interface SqliteOptions {
  /**
   * True where whatever is written can be written again from the log: a commit then waits for no disk. What is lost by a machine
   * that dies is the last commits, in order and whole. Such a connection also moves what was committed from the journal into the file.
   */
  readonly rewritable?: boolean
  /** Of whoever in this process writes the file first. */
  readonly turns?: SharedArrayBuffer | undefined
}

const SNAPSHOT_CONNECTIONS = 4

export async function openSqlite(path: string, options: SqliteOptions = {}): Promise<SqliteDatabase> {
  if (path === '' || path.startsWith(':memory:')) throw new TypeError('sqlite:<path> names a file')
  mkdirSync(dirname(path), { recursive: true })
  createFile(path)
  const turns = options.turns ?? newTurns()
  const order = options.turns === undefined ? new FirstTurns(turns) : new SecondTurns(turns)
  const writer = createKnex(path, 1, async (file) => {
    const handle = await openWriter(file, options)
    takeTurns(handle, order)
    return handle
  })
  const readers = createKnex(path, SNAPSHOT_CONNECTIONS, openSqliteReader)
  try {
    // Brings the file into WAL mode before anybody reads it.
    await writer.raw('select 1')
    const reader = await openSqliteReader(path)
    return {
      engine: 'sqlite',
      url: `sqlite:${path}`,
      knex: writer,
      reader,
      turns,
      behind: (ms) => order.behind(ms),
      write: (work) => writeWith(writer.client as LibsqlClient, work),
      snapshot: (work) => readers.transaction(work),
      close: async () => {
        await readers.destroy()
        await writer.destroy()
        reader.close()
      },
    }
  } catch (error) {
    await Promise.all([writer.destroy(), readers.destroy()])
    throw error
  }
}

/**
 * What people did is nobody else's business on a shared machine; SQLite gives its other files the mode of this one. A file that is
 * there is not touched: to close any descriptor of it would end all locks that SQLite holds for this process, and the next process
 * to close the file would delete the journal that this one goes on writing to.
 */
function createFile(path: string): void {
  try {
    closeSync(openSync(path, 'ax', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function createKnex(path: string, connections: number, open: (path: string) => Promise<SqliteHandle>): Knex {
  return knexFactory({
    client: LibsqlClient as unknown as typeof Knex.Client,
    connection: { filename: path, open } as { filename: string },
    useNullAsDefault: true,
    // Whoever asked is told by the rejection; knex would also print it.
    log: { warn: () => undefined, error: () => undefined },
    // A transaction that is under way is waited for: tarn serves those who wait in order.
    acquireConnectionTimeout: 60_000,
    pool: { min: 1, max: connections },
  })
}

async function writeWith<T>(client: LibsqlClient, work: (handle: SqliteHandle) => T): Promise<T> {
  const connection = (await client.acquireConnection()) as SqliteConnection
  try {
    return await transact(connection.handle, () => work(connection.handle))
  } finally {
    await client.releaseConnection(connection)
  }
}

async function openWriter(path: string, { rewritable = false }: SqliteOptions): Promise<SqliteHandle> {
  // No timeout: SQLite would sleep on the event loop's thread.
  const handle = new Libsql(path, { timeout: 0 })
  await waitWhileBusy(() => handle.exec('PRAGMA journal_mode = WAL'))
  // FULL: a commit that was answered is on disk. The log promises that.
  handle.exec(`PRAGMA synchronous = ${rewritable ? 'NORMAL' : 'FULL'}; PRAGMA cache_size = -16000`)
  // Whoever's commit brings the journal to so many pages moves them, and should not be one that a client waits for.
  handle.exec(`PRAGMA wal_autocheckpoint = ${rewritable ? 2_000 : 4_000}`)
  // What is deleted is overwritten and not only unlinked: a salt, or what an erased event said, must not stay in free pages.
  handle.exec('PRAGMA secure_delete = ON')
  return handle
}

/** A connection that reads what is committed and can change nothing. */
export async function openSqliteReader(path: string): Promise<SqliteHandle> {
  const handle = new Libsql(path, { timeout: LIMITS.sessionTimeoutSeconds * 1_000 })
  await waitWhileBusy(() => handle.exec('PRAGMA cache_size = -8000; PRAGMA query_only = ON'))
  return handle
}

