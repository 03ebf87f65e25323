// Bytes on disk for each event: the log's rows, its indexes, and all read models, on MariaDB and SQLite, beside the bytes of
// what the events say (their JSON). Of a month of a site's traffic: 500 pages, addresses, referrers, metadata.
// `npx tsx bench/diskSize.ts [--events 100000] [--visitors 20000] [--engine mysql|sqlite]`
import mysql, { type RowDataPacket } from 'mysql2/promise'
import { openEventLog } from '../src/events/openEventLog.ts'
import { openDatabase } from '../src/kernel/database/open.ts'
import type { SqliteDatabase } from '../src/kernel/database/sqlite.ts'
import { migrate } from '../src/kernel/migrations.ts'
import { LIMITS } from '../src/limits.ts'
import { freshDatabase, freshSqlite, startMariadb } from '../test/support/servers.ts'
import { seedMonth } from './seed.ts'
import { benchFlags, runBench } from './support/benchRun.ts'
import { recount } from './support/recountCommand.ts'
import type { Row } from './support/rows.ts'
import { bytesByTable, type TableBytes } from './support/tableBytes.ts'

const flags = benchFlags({ events: { type: 'string' }, visitors: { type: 'string' }, engine: { type: 'string' } })
const EVENTS = Number(flags.events ?? (flags.quick ? 20_000 : 100_000))
/** What the log consists of; everything else but the bookkeeping of builds is a read model. */
const LOG_TABLES = ['events', 'heads', 'appends', 'deliveries', 'ledger']

await runBench(flags, async () => {
  const rows: Row[] = []
  for (const engine of flags.engine === undefined ? ['mysql', 'sqlite'] : [flags.engine]) rows.push(...(await measure(engine)))
  return rows
})

async function measure(engine: string): Promise<Row[]> {
  const mariadb = engine === 'mysql' ? await startMariadb(['--innodb-buffer-pool-size=1G', '--innodb-log-file-size=512M']) : undefined
  const url = mariadb === undefined ? freshSqlite() : await freshDatabase(mariadb)
  try {
    const database = await openDatabase(url)
    await migrate(database)
    const log = await openEventLog(database, { url, partitions: LIMITS.partitionsDefault })
    const { appId } = await seedMonth(log, EVENTS, Number(flags.visitors ?? EVENTS / 5), { site: true })
    const jsonBytes = await dataBytes(log, log.partitionOf(appId))
    await log.close()
    await database.close()
    await recount<unknown>(url, ['replay', 'all', '--keep', '0'])
    return rowsOf(engine === 'mysql' ? 'MariaDB' : 'SQLite', await tables(url), jsonBytes / EVENTS)
  } finally {
    await mariadb?.kill9()
  }
}

async function tables(url: string): Promise<readonly TableBytes[]> {
  if (url.startsWith('mysql:')) {
    const connection = await mysql.createConnection(url)
    try {
      return await bytesByTable(async (sql) => (await connection.query<RowDataPacket[]>(sql))[0])
    } finally {
      await connection.end()
    }
  }
  const database = (await openDatabase(url)) as SqliteDatabase
  try {
    return await bytesByTable((sql) => Promise.resolve(database.reader.prepare(sql).all() as RowDataPacket[]), 'sqlite')
  } finally {
    await database.close()
  }
}

function rowsOf(engine: string, found: readonly TableBytes[], jsonBytes: number): Row[] {
  const sum = (of: readonly TableBytes[], part: 'data' | 'indexes'): number => of.reduce((all, each) => all + each[part], 0) / EVENTS
  const [log, models] = [found.filter(({ table }) => LOG_TABLES.includes(table)), found.filter(({ table }) => !LOG_TABLES.includes(table))]
  const [data, indexes, read] = [sum(log, 'data'), sum(log, 'indexes'), sum(models, 'data') + sum(models, 'indexes')]
  const largest = models.toSorted((left, right) => right.data + right.indexes - left.data - left.indexes).slice(0, 3)
  const note = `most: ${largest.map((each) => `${each.table} ${((each.data + each.indexes) / EVENTS).toFixed(0)}`).join(', ')}`
  const bytes = (name: string, value: number, more: Partial<Row> = {}): Row => ({
    ...{ name: `disk, ${engine}, ${name}`, unit: 'bytes/event', better: 'lower', rounds: [value], baseline: { name: 'JSON of the event', rounds: [jsonBytes] }, ...more },
  })
  return [bytes('log, rows', data), bytes('log, indexes', indexes), bytes('read models', read, { note }), bytes('all', data + indexes + read, { note: `${EVENTS.toLocaleString('en')} events` })]
}

async function dataBytes(log: Awaited<ReturnType<typeof openEventLog>>, partition: number): Promise<number> {
  let bytes = 0
  for (let after = 0; ; ) {
    const page = await log.read(partition, after, LIMITS.readPageEvents)
    if (page.length === 0) return bytes
    for (const { data } of page) bytes += Buffer.byteLength(data!)
    after = page.at(-1)!.position
  }
}
