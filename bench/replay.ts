// How fast read models are rebuilt from the log: eventSummary (or another) in this process, all of them by `recount replay all`,
// and all over two apps in two partitions, in two threads and in one; beside raw SELECT + JSON.parse of the same rows, in turns.
// `npx tsx bench/replay.ts [--events 300000] [--visitors 50000] [--rounds 3] [--sqlite] [--projection userStats] [--only one,all,two]`
import { openEventLog } from '../src/events/openEventLog.ts'
import type { Database } from '../src/kernel/database.ts'
import { openDatabase } from '../src/kernel/database/open.ts'
import type { SqliteDatabase } from '../src/kernel/database/sqlite.ts'
import { uuidv7 } from '../src/kernel/ids.ts'
import { silentLogger } from '../src/kernel/logger.ts'
import { migrate } from '../src/kernel/migrations.ts'
import { LIMITS } from '../src/limits.ts'
import { PROJECTIONS } from '../src/projections/all.ts'
import { replay } from '../src/projections/replay.ts'
import { freshDatabase, freshSqlite, startMariadb } from '../test/support/servers.ts'
import { type Baseline, mysqlBaseline, sqliteBaseline } from './logBaselines.ts'
import { seedMonth } from './seed.ts'
import { benchFlags, Rounds, runBench } from './support/benchRun.ts'
import { type Lap, lap } from './support/lap.ts'
import { recount } from './support/recountCommand.ts'
import { median, type Row } from './support/rows.ts'

const flags = benchFlags({
  events: { type: 'string' },
  visitors: { type: 'string', default: '50000' },
  sqlite: { type: 'boolean', default: false },
  projection: { type: 'string', default: 'eventSummary' },
  only: { type: 'string', default: 'one,all,two' },
})
const EVENTS = Number(flags.events ?? (flags.quick ? 60_000 : 300_000))
const ENGINE = flags.sqlite ? ', SQLite' : ''
const RAW = 'raw SELECT + JSON.parse'
const ALL_TARGETS = { of: 'value', atLeast: 150_000 } as const

interface Store {
  readonly url: string
  readonly database: Database
  readonly log: Awaited<ReturnType<typeof openEventLog>>
  readonly baseline: Baseline
  readonly partitions: readonly number[]
}

await runBench(flags, async () => {
  const projection = PROJECTIONS.find(({ name }) => name === flags.projection)
  if (projection === undefined) throw new Error(`no projection ${flags.projection}`)
  const mariadb = flags.sqlite ? undefined : await startMariadb(['--innodb-buffer-pool-size=1G', '--innodb-log-file-size=512M'])
  const [wanted, measured] = [flags.only.split(','), new Rounds()]

  /** One app in each of so many partitions, all events together. */
  async function store(apps: number): Promise<Store> {
    const url = mariadb === undefined ? freshSqlite() : await freshDatabase(mariadb)
    const database = await openDatabase(url)
    await migrate(database)
    const log = await openEventLog(database, { url, partitions: LIMITS.partitionsDefault })
    const partitions: number[] = []
    while (partitions.length < apps) {
      const appId = uuidv7()
      if (partitions.includes(log.partitionOf(appId))) continue
      partitions.push(log.partitionOf(appId))
      await seedMonth(log, EVENTS / apps, Number(flags.visitors) / apps, { appId })
    }
    const baseline = mariadb === undefined ? await sqliteBaseline(database as SqliteDatabase) : await mysqlBaseline(url)
    return { url, database, log, baseline, partitions }
  }

  async function all(name: string, { url }: Store, ...how: readonly string[]): Promise<void> {
    const { result, cpuSeconds, peakMb } = await recount<{ events: number; eventsPerSecond: number }>(url, ['replay', 'all', ...how])
    if (result.events < EVENTS) throw new Error(`replay all folded ${result.events} of ${EVENTS} events`)
    measured.add(name, result.eventsPerSecond)
    measured.add(`${name}, cpu`, (cpuSeconds * 1e6) / EVENTS)
    measured.add(`${name}, memory`, peakMb)
  }

  try {
    const [single, double] = [await store(1), wanted.includes('two') ? await store(2) : undefined]
    const { database, log } = single
    // The first one meets tables that are empty, and code that has never run.
    for (let round = 0; round <= Number(flags.rounds); round++) {
      const laps = new Map<string, Lap>([['raw', await lap(() => readRaw(single))], ['read', await lap(() => readLog(single))]])
      if (wanted.includes('one')) laps.set('one', await lap(() => replay({ database, log, projection, logger: silentLogger })))
      if (round === 0) continue
      for (const [name, { seconds, cpuSeconds }] of laps) {
        measured.add(name, EVENTS / seconds)
        measured.add(`${name}, cpu`, (cpuSeconds * 1e6) / EVENTS)
      }
      if (wanted.includes('all')) await all('all', single)
      if (double === undefined) continue
      await all('two in turn', double)
      await all('two', double, '--threads', '2')
    }
    for (const each of [single, double]) {
      await each?.baseline.close()
      await each?.log.close()
      await each?.database.close()
    }
  } finally {
    await mariadb?.kill9()
  }
  return rows(measured, wanted)
})

function rows(measured: Rounds, wanted: readonly string[]): Row[] {
  const rate = { unit: 'events/s', better: 'higher' } as const
  const micros = (name: string): string => `${median(measured.of(`${name}, cpu`)).toFixed(1)} µs of processor time an event`
  const raw = measured.as(RAW, 'raw')
  const found: Row[] = [{ name: `replay${ENGINE}, log.read alone`, ...rate, rounds: measured.of('read'), baseline: raw, note: `${micros('read')}, ${micros('raw')} for the baseline` }]
  if (wanted.includes('one')) {
    const target = flags.projection === 'eventSummary' && !flags.sqlite ? { target: { of: 'value', atLeast: 400_000 } as const } : {}
    found.push({ name: `replay${ENGINE}, ${flags.projection}`, ...rate, rounds: measured.of('one'), baseline: raw, ...target, note: micros('one') })
  }
  const mb = (name: string): string => `at most ${median(measured.of(`${name}, memory`)).toFixed(0)} MB`
  if (wanted.includes('all')) {
    found.push({ name: `replay${ENGINE}, all read models`, ...rate, rounds: measured.of('all'), baseline: raw, ...(flags.sqlite ? {} : { target: ALL_TARGETS }), note: `${micros('all')}, ${mb('all')}` })
  }
  if (wanted.includes('two')) {
    const baseline = measured.as('the same in one thread', 'two in turn')
    const target = { of: 'ratio', atLeast: 1.6 } as const
    found.push({ name: `replay${ENGINE}, all read models over two partitions`, ...rate, rounds: measured.of('two'), baseline, ...(flags.sqlite ? {} : { target }), note: `${micros('two')}, ${mb('two')}` })
  }
  return found
}

async function readLog({ log, partitions: [partition] }: Store): Promise<void> {
  let bytes = 0
  for (let after = 0; ; ) {
    const page = await log.read(partition!, after, LIMITS.readPageEvents)
    if (page.length === 0) break
    for (const { data } of page) bytes += data!.length
    after = page.at(-1)!.position
  }
  if (bytes === 0) throw new Error('nothing was read')
}

async function readRaw({ baseline, partitions: [partition] }: Store): Promise<void> {
  for (let after = 0, rows = 1; rows > 0; after += rows) rows = await baseline.selectParsed(partition!, after, LIMITS.readPageEvents)
}
