// Verification of the append chain, each engine beside a raw read of the same rows (position, seal and data, prepared, in
// pages) in the same run, by one thread and by as many as there are cores; ids beside. Figures are medians of the rounds.
// `npx tsx bench/verify.ts [--engine mysql|sqlite] [--events 400000] [--append 500] [--rounds 3]`
import { performance } from 'node:perf_hooks'
import type { EventLog } from '../src/events/eventLog.ts'
import { createLogPool, openEventLog } from '../src/events/openEventLog.ts'
import { verifyLog } from '../src/events/verifyChain.ts'
import { verifyIds } from '../src/events/verifyIds.ts'
import type { Database } from '../src/kernel/database.ts'
import { openDatabase } from '../src/kernel/database/open.ts'
import { openSqliteReader } from '../src/kernel/database/sqlite.ts'
import { migrate } from '../src/kernel/migrations.ts'
import { LIMITS } from '../src/limits.ts'
import { freshDatabase, freshSqlite, stopSharedServers } from '../test/support/servers.ts'
import { neighbours, newEvents, packed } from './logEvents.ts'
import { benchFlags, runBench } from './support/benchRun.ts'
import type { Row } from './support/rows.ts'

const values = benchFlags({ engine: { type: 'string' }, events: { type: 'string' }, append: { type: 'string', default: '500' } })
const EVENTS = Number(values.events ?? (values.quick ? 40_000 : 400_000))
const ENGINES: Readonly<Record<string, string>> = { mysql: 'MariaDB', sqlite: 'SQLite' }
const SEEDED_AT_ONCE = 20_000

const results: Row[] = []

await runBench(values, async () => {
  for (const engine of values.engine === undefined ? Object.keys(ENGINES) : [values.engine]) await measure(engine)
  await stopSharedServers()
  return results
})

async function measure(engine: string): Promise<void> {
  const url = engine === 'mysql' ? await freshDatabase() : freshSqlite()
  const database = await openDatabase(url)
  await migrate(database)
  const log = await openEventLog(database, { url, partitions: 8 })
  const partition = await seed(log)
  const raw: number[] = []
  const laps = new Map<string, number[]>()
  const time = async (into: number[], work: () => Promise<unknown>): Promise<void> => {
    const started = performance.now()
    await work()
    into.push((performance.now() - started) / 1_000)
  }
  for (let round = 0; round < Number(values.rounds); round++) {
    await time(raw, () => rawRead(engine, url, partition))
    for (const [what, work] of contests(database)) {
      const into = laps.get(what) ?? []
      laps.set(what, into)
      await time(into, work)
    }
  }
  const rates = (seconds: readonly number[]): number[] => seconds.map((each) => EVENTS / each)
  for (const [what, seconds] of laps) {
    const target = what === 'chain, threads' ? { target: { of: 'value', atLeast: 300_000 } as const } : {}
    results.push({ name: `verify, ${ENGINES[engine]!}, ${what}`, unit: 'events/s', better: 'higher', rounds: rates(seconds), baseline: { name: 'raw SELECT', rounds: rates(raw) }, ...target })
  }
  await log.close()
  await database.close()
}

function contests(database: Database): [what: string, work: () => Promise<unknown>][] {
  const whole = async (options: { threads?: number }): Promise<void> => {
    const reports = await verifyLog(database, options)
    const events = reports.reduce((sum, report) => sum + report.events, 0)
    if (events !== EVENTS || reports.some(({ broken }) => broken !== undefined)) throw new Error(JSON.stringify(reports))
  }
  return [
    ['chain, one thread', () => whole({ threads: 1 })],
    ['chain, threads', () => whole({})],
    ['ids', () => verifyIds(database)],
  ]
}

/** All events in one partition: the case that only cutting it helps. */
async function seed(log: EventLog): Promise<number> {
  const apps = neighbours(log)
  const partition = log.partitionOf(apps[0]!)
  for (let left = EVENTS; left > 0; left -= SEEDED_AT_ONCE) {
    for (const packs of packed(partition, newEvents(apps, Math.min(left, SEEDED_AT_ONCE)), Number(values.append), 1)) await log.append({ partition, packs })
  }
  return partition
}

async function rawRead(engine: string, url: string, partition: number): Promise<void> {
  const sql = 'SELECT position, seal, data FROM events WHERE `partition` = ? AND position > ? AND position <= ? ORDER BY position'
  const page = LIMITS.readPageEvents
  if (engine === 'sqlite') {
    const reader = await openSqliteReader(url.slice('sqlite:'.length))
    const statement = reader.prepare(sql).raw()
    for (let after = 0; after < EVENTS; after += page) statement.all([partition, after, after + page])
    reader.close()
    return
  }
  const pool = createLogPool(url)
  for (let after = 0; after < EVENTS; after += page) {
    await pool.execute({ sql, values: [partition, after, after + page].map(String), rowsAsArray: true })
  }
  await pool.end()
}
