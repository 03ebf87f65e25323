// The log's append and read on both engines, each beside the engine's own INSERT and SELECT of the same rows, in turns within
// one run. Every figure is the median of the rounds, and so is the ratio, because other work comes and goes on the machine.
// `npx tsx bench/log.ts [--engine mysql|sqlite] [--rounds 5] [--events 20000] [--only "append 1000"] [--json file]`
import type { EventLog } from '../src/events/eventLog.ts'
import { openEventLog } from '../src/events/openEventLog.ts'
import { openDatabase } from '../src/kernel/database/open.ts'
import type { SqliteDatabase } from '../src/kernel/database/sqlite.ts'
import { migrate } from '../src/kernel/migrations.ts'
import { LIMITS } from '../src/limits.ts'
import { freshDatabase, freshSqlite, stopSharedServers } from '../test/support/servers.ts'
import { type Baseline, mysqlBaseline, sqliteBaseline } from './logBaselines.ts'
import { neighbours, newEvents, packed } from './logEvents.ts'
import { benchFlags, runBench } from './support/benchRun.ts'
import { type Lap, lap } from './support/lap.ts'
import { median, type Row } from './support/rows.ts'

const values = benchFlags({ engine: { type: 'string' }, events: { type: 'string' }, only: { type: 'string' } })
const ROUNDS = Number(values.rounds)
const EVENTS = Number(values.events ?? (values.quick ? 4_000 : 20_000))
/** Events a pack, packs an append; the last is what the append worker does under load. */
const SHAPES = [
  { what: 'append 1', perPack: 1, packs: 1, share: 1 / 40 },
  { what: 'append 30 packs of 1', perPack: 1, packs: 30, share: 1 / 4 },
  { what: 'append 30 packs of 20', perPack: 20, packs: 30, share: 1 },
  { what: 'append 500', perPack: 500, packs: 1, share: 1 },
  { what: 'append 1000', perPack: 1_000, packs: 1, share: 1 },
]

const ENGINES: Readonly<Record<string, string>> = { mysql: 'MariaDB', sqlite: 'SQLite' }
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
  const baseline = engine === 'mysql' ? await mysqlBaseline(url) : await sqliteBaseline(database as SqliteDatabase)
  try {
    await measureAppends(engine, log, baseline)
    await measureReads(engine, log, baseline)
  } finally {
    await baseline.close()
    await log.close()
    await database.close()
  }
}

async function measureAppends(engine: string, log: EventLog, baseline: Baseline): Promise<void> {
  const apps = neighbours(log)
  const partition = log.partitionOf(apps[0]!)
  let rawPosition = 1
  for (const { what, perPack, packs, share } of SHAPES) {
    if (values.only !== undefined && values.only !== what) continue
    const count = Math.ceil(EVENTS * share)
    await inTurns(engine, what, count, {
      prepare: () => ({ own: packed(partition, newEvents(apps, count), perPack, packs), raw: packed(partition, newEvents(apps, count), perPack * packs, 1) }),
      own: async ({ own }) => {
        for (const append of own) await log.append({ partition, packs: append })
      },
      raw: async ({ raw }) => {
        for (const [pack] of raw) {
          await baseline.insert(partition, rawPosition, pack!.events)
          rawPosition += pack!.events.length
        }
      },
    })
  }
}

async function measureReads(engine: string, log: EventLog, baseline: Baseline): Promise<void> {
  if (values.only !== undefined && values.only !== 'read') return
  const apps = neighbours(log)
  const partition = log.partitionOf(apps[0]!)
  for (const append of packed(partition, newEvents(apps, 5 * EVENTS), 1_000, 4)) await log.append({ partition, packs: append })
  const { position: count } = await log.head(partition)
  let characters = 0
  await inTurns(engine, 'read', count, {
    prepare: () => undefined,
    own: async () => {
      for (let after = 0; after < count; ) {
        const page = await log.read(partition, after, LIMITS.readPageEvents)
        for (const { data, occurredAt, type } of page) characters += data!.length + occurredAt + type.length
        after = page.at(-1)!.position
      }
    },
    raw: async () => {
      for (let after = 0; after < count; ) after += await baseline.select(partition, after, LIMITS.readPageEvents)
    },
  })
  if (characters === 0) throw new Error('nothing was read')
}

interface Contest<T> {
  prepare(): T
  own(prepared: T): Promise<void>
  raw(prepared: T): Promise<void>
}

async function inTurns<T>(engine: string, what: string, count: number, contest: Contest<T>): Promise<void> {
  const rounds: { own: Lap; raw: Lap }[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const prepared = contest.prepare()
    const raw = await lap(() => contest.raw(prepared))
    const own = await lap(() => contest.own(prepared))
    // The first warms up.
    if (round > 0) rounds.push({ own, raw })
  }
  const micros = (laps: readonly Lap[]): string => ((median(laps.map(({ cpuSeconds }) => cpuSeconds)) / count) * 1e6).toFixed(1)
  const [own, raw] = [rounds.map((each) => each.own), rounds.map((each) => each.raw)]
  const reads = what === 'read'
  results.push({
    ...{ name: `log, ${ENGINES[engine]!}, ${what}`, unit: 'events/s', better: 'higher' },
    rounds: own.map(({ seconds }) => count / seconds),
    baseline: { name: reads ? 'raw SELECT' : 'raw multi-row INSERT', rounds: raw.map(({ seconds }) => count / seconds) },
    ...(what === 'append 1000' ? { target: { of: 'ratio', atLeast: 0.7 } } : {}),
    note: `${micros(own)} µs of processor time an event here, ${micros(raw)} for the baseline`,
  })
}
