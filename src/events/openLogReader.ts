// Opens a log for reading alone, on a connection of its own: what a thread that answers from the log stands on, so that its
// long reads share nothing with those who append and ask.
import type { Clock } from '../kernel/clock.ts'
import { openSqliteReader, type SqliteDatabase } from '../kernel/database/sqlite.ts'
import type { EventLog } from './eventLog.ts'
import { MysqlEventLog } from './mysqlEventLog.ts'
import { createLogPool } from './openEventLog.ts'
import { SqliteEventLog } from './sqliteEventLog.ts'

export type LogReader = Pick<EventLog, 'scan' | 'readApp' | 'readAt' | 'classify'> & { close(): Promise<void> }

export interface LogReaderOptions {
  /** Of a database that has been migrated and whose log has been opened before. */
  readonly url: string
  /** As that log has them. */
  readonly partitions: number
  readonly clock: Clock
}

export async function openLogReader({ url, partitions, clock }: LogReaderOptions): Promise<LogReader> {
  if (url.startsWith('sqlite:')) {
    const reader = await openSqliteReader(url.slice('sqlite:'.length))
    // Reading takes the reader alone; there is nothing here to write with.
    const log = new SqliteEventLog({ engine: 'sqlite', reader } as SqliteDatabase, partitions, clock)
    return readerOf(log, () => {
      reader.close()
      return Promise.resolve()
    })
  }
  const pool = createLogPool(url)
  return readerOf(new MysqlEventLog(pool, partitions, clock, 0), () => pool.end())
}

function readerOf(log: EventLog, close: () => Promise<void>): LogReader {
  return {
    scan: (appId, after, limit) => log.scan(appId, after, limit),
    readApp: (appId, after, limit) => log.readApp(appId, after, limit),
    readAt: (partition, positions) => log.readAt(partition, positions),
    classify: (error) => log.classify(error),
    close,
  }
}
