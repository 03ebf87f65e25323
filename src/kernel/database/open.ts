// Opens the database that a URL names. The only place that chooses between the engines' connections.
import type { Database } from '../database.ts'
import { openMysql } from './mysql.ts'
import { openSqlite, type SqliteOptions } from './sqlite.ts'

/** `sqlite:<path>` or `mysql://user:password@host:port/database`. */
export function openDatabase(url: string, options?: SqliteOptions): Promise<Database> {
  if (url.startsWith('sqlite:')) return openSqlite(url.slice('sqlite:'.length), options)
  if (url.startsWith('mysql://')) return openMysql(url)
  return Promise.reject(new TypeError('a database URL is sqlite:<path> or mysql://user:password@host:port/database'))
}
