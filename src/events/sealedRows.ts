// What verifying history reads of the log, whichever engine keeps it: seals, data and the rows of the append chain, as bytes
// and in pages, so that a million events are hashed without a million objects. Opened beside a running server, it reads only.
import { openSqliteReader } from '../kernel/database/sqlite.ts'
import { MysqlSealedRows } from './mysqlSealedRows.ts'
import { createLogPool } from './openEventLog.ts'
import { SqliteSealedRows } from './sqliteSealedRows.ts'
import type { SealedRows } from './sealedPage.ts'

/** The schema must have been migrated. */
export async function openSealedRows(url: string): Promise<SealedRows> {
  if (url.startsWith('sqlite:')) return new SqliteSealedRows(await openSqliteReader(url.slice('sqlite:'.length)))
  return new MysqlSealedRows(createLogPool(url))
}
