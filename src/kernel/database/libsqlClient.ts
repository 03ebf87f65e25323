// knex's better-sqlite3 dialect on libsql, with what the two differ in: libsql ends the process on a binding of a type it
// does not know, binds every number as a float, and answers BLOBs of object rows as ArrayBuffers.
import { createRequire } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import type { Knex } from 'knex'
import Libsql from 'libsql'
import { LIMITS } from '../../limits.ts'
import { Lru } from '../lru.ts'
import { isSqliteBusy } from './faults.ts'
import type { WriteTurns } from './writeTurns.ts'

export interface SqliteConnection {
  readonly handle: Libsql.Database
  readonly statements: Lru<string, Prepared>
}

interface Prepared {
  readonly statement: Libsql.Statement
  readonly reader: boolean
  readonly columns: readonly string[]
}

interface KnexQuery {
  readonly sql?: string
  readonly bindings?: readonly unknown[]
  response?: unknown
  context?: { lastID: number | bigint; changes: number }
}

interface Settings {
  readonly filename: string
  readonly open: (path: string) => Promise<Libsql.Database>
}

const STATEMENTS = 200
const BUSY_PAUSE_MS = 15
const turnsOf = new WeakMap<Libsql.Database, WriteTurns>()
const OUTSIDE_TRANSACTIONS = /^\s*(?:vacuum|pragma|attach|detach|commit|rollback|savepoint|release)\b/i

// knex exports no dialect by name; its package has no exports map, so the path is stable within a major version.
const Dialect = createRequire(import.meta.url)('knex/lib/dialects/better-sqlite3/index.js') as new (config: Knex.Config) => Knex.Client

export class LibsqlClient extends Dialect {
  _driver(): typeof Libsql {
    return Libsql
  }

  override async acquireRawConnection(): Promise<SqliteConnection> {
    const { filename, open } = this.connectionSettings as Settings
    return { handle: await open(filename), statements: new Lru(STATEMENTS) }
  }

  override destroyRawConnection(connection: SqliteConnection): Promise<void> {
    connection.statements.clear()
    connection.handle.close()
    return Promise.resolve()
  }

  async _query(connection: SqliteConnection, query: KnexQuery): Promise<KnexQuery> {
    if (query.sql === undefined || query.sql === '') throw new TypeError('The query is empty')
    if (query.sql === 'BEGIN;') {
      if (isReader(connection.handle)) connection.handle.exec('BEGIN')
      else await beginImmediate(connection.handle)
      query.response = []
      return query
    }
    const bindings = (query.bindings ?? []).map(toBinding)
    const prepared = prepare(connection, query.sql)
    const inside = connection.handle.inTransaction
    if (inside || prepared.reader || OUTSIDE_TRANSACTIONS.test(query.sql)) {
      run(connection, prepared, bindings, query)
      if (inside && !connection.handle.inTransaction) turnsOf.get(connection.handle)?.end()
    } else {
      await transact(connection.handle, () => run(connection, prepared, bindings, query))
    }
    return query
  }
}

/**
 * Takes the write lock. At BEGIN, because a lock that is upgraded in mid-transaction can fail there; and with exec, because
 * libsql leaves a prepared statement that found the database busy unfinished, and with it the lock.
 */
async function beginImmediate(handle: Libsql.Database): Promise<void> {
  const turns = turnsOf.get(handle)
  await turns?.come()
  try {
    await waitWhileBusy(() => handle.exec('BEGIN IMMEDIATE'), turns)
  } finally {
    turns?.begin()
  }
}

/** Whose transactions on this connection wait for whose. */
export function takeTurns(handle: Libsql.Database, turns: WriteTurns): void {
  turnsOf.set(handle, turns)
}

/** Runs synchronous work in a transaction that holds the write lock from its first moment; rolls back if it throws. */
export async function transact<T>(handle: Libsql.Database, work: () => T): Promise<T> {
  await beginImmediate(handle)
  try {
    const result = work()
    handle.exec('COMMIT')
    return result
  } catch (error) {
    if (handle.inTransaction) handle.exec('ROLLBACK')
    throw error
  } finally {
    turnsOf.get(handle)?.end()
  }
}

/** Runs synchronous work again while another process or thread holds the file, pausing off the event loop; bounded in time. */
export async function waitWhileBusy<T>(work: () => T, turns?: WriteTurns): Promise<T> {
  const boundMs = LIMITS.sessionTimeoutSeconds * 1_000
  const since = performance.now()
  for (let tries = 1; ; tries++) {
    try {
      return work()
    } catch (error) {
      if (!isSqliteBusy(error) || performance.now() - since > boundMs) throw error
      turns?.wait()
      await pause(turns?.retryMs ?? 1 + Math.random() * Math.min(tries, BUSY_PAUSE_MS))
    }
  }
}

function run({ statements }: SqliteConnection, prepared: Prepared, bindings: readonly unknown[], query: KnexQuery): void {
  try {
    if (prepared.reader) {
      query.response = prepared.statement.all(bindings).map((row) => toObject(prepared.columns, row as readonly unknown[]))
      return
    }
    const { changes, lastInsertRowid } = prepared.statement.run(bindings)
    query.response = { changes, lastInsertRowid }
    query.context = { lastID: lastInsertRowid, changes }
  } catch (error) {
    if (query.sql !== undefined) statements.delete(query.sql)
    throw error
  }
}

function prepare({ handle, statements }: SqliteConnection, sql: string): Prepared {
  const known = statements.get(sql)
  if (known !== undefined) return known
  const statement = handle.prepare(sql)
  const { reader } = statement
  const prepared: Prepared = {
    statement: reader ? statement.raw() : statement,
    reader,
    columns: reader ? statement.columns().map(({ name }) => name) : [],
  }
  // Not `select *`, whose columns change with the table, and nothing that is run once.
  if (/^\s*(?:select|insert|update|delete|begin|commit|rollback)\b(?!.*(?:\s|\.|,)\*)/is.test(sql)) statements.set(sql, prepared)
  return prepared
}

function toObject(columns: readonly string[], row: readonly unknown[]): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (let index = 0; index < columns.length; index++) object[columns[index]!] = row[index]
  return object
}

function toBinding(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'bigint':
      return value
    case 'number':
      // As an integer where it is one, so that arithmetic on parameters is that of integers, as in MySQL.
      return Number.isSafeInteger(value) ? BigInt(value) : value
    case 'boolean':
      return value ? 1n : 0n
    case 'undefined':
      return null
    default:
  }
  if (value === null || value instanceof Uint8Array) return value
  if (value instanceof Date) return BigInt(value.getTime())
  throw new TypeError(`cannot be bound to a statement: ${typeof value}`)
}

const queryOnly = new WeakMap<Libsql.Database, boolean>()

function isReader(handle: Libsql.Database): boolean {
  let known = queryOnly.get(handle)
  if (known === undefined) {
    const [row] = handle.pragma('query_only') as [{ query_only: number }]
    known = row.query_only === 1
    queryOnly.set(handle, known)
  }
  return known
}
