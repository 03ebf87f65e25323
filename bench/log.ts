// The log's append and read on both engines, each beside the engine's own INSERT and SELECT of the same rows, in turns within
// one run. Every figure is the median of the rounds, and so is the ratio, because other work comes and goes on the machine.
// `npx tsx bench/log.ts [--engine mysql|sqlite] [--rounds 5] [--events 20000] [--json file]`
import { writeFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import type { EventLog } from '../src/events/eventLog.ts'
import { openEventLog } from '../src/events/openEventLog.ts'
import { openDatabase } from '../src/kernel/database/open.ts'
import type { SqliteDatabase } from '../src/kernel/database/sqlite.ts'
import { migrate } from '../src/kernel/migrations.ts'
import { LIMITS } from '../src/limits.ts'
import { freshDatabase, freshSqlite, stopSharedServers } from '../test/support/servers.ts'
import { type Baseline, mysqlBaseline, sqliteBaseline } from './logBaselines.ts'
import { neighbours, newEvents, packed } from './logEvents.ts'

const { values } = parseArgs({
  options: {
    engine: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    events: { type: 'string', default: '20000' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
})
const ROUNDS = Number(values.rounds)
const EVENTS = Number(values.events)
/** Events a pack, packs an append; the last is what the append worker does under load. */
const SHAPES = [
  { what: 'append 1', perPack: 1, packs: 1, share: 1 / 40 },
  { what: 'append 30 packs of 1', perPack: 1, packs: 30, share: 1 / 4 },
  { what: 'append 30 packs of 20', perPack: 20, packs: 30, share: 1 },
  { what: 'append 500', perPack: 500, packs: 1, share: 1 },
  { what: 'append 1000', perPack: 1_000, packs: 1, share: 1 },
]

interface Result {
  engine: string
  what: string
  perSecond: number
  rawPerSecond: number
  ratio: number
  /** Microseconds of this process's processor time per event. */
  cpuMicros: number
  rawCpuMicros: number
}

const results: Result[] = []
for (const engine of values.engine === undefined ? ['mysql', 'sqlite'] : [values.engine]) await measure(engine)
console.table(results)
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(results, null, 2))
await stopSharedServers()

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
  results.push({
    engine,
    what,
    perSecond: Math.round(count / median(rounds.map(({ own }) => own.seconds))),
    rawPerSecond: Math.round(count / median(rounds.map(({ raw }) => raw.seconds))),
    ratio: round2(median(rounds.map(({ own, raw }) => raw.seconds / own.seconds))),
    cpuMicros: round2((median(rounds.map(({ own }) => own.cpuSeconds)) / count) * 1e6),
    rawCpuMicros: round2((median(rounds.map(({ raw }) => raw.cpuSeconds)) / count) * 1e6),
  })
}

interface Lap {
  seconds: number
  cpuSeconds: number
}

async function lap(work: () => Promise<void>): Promise<Lap> {
  const cpu = process.cpuUsage()
  const started = performance.now()
  await work()
  const seconds = (performance.now() - started) / 1_000
  const { user, system } = process.cpuUsage(cpu)
  return { seconds, cpuSeconds: (user + system) / 1e6 }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((left, right) => left - right)[Math.floor(numbers.length / 2)]!
}

function round2(number: number): number {
  return Math.round(number * 100) / 100
}
