// Proves the ledger against the log itself: as many events of each app as were counted as stored, in the hours in which they
// were counted as recorded. `recount verify` counts every event; `reconcileHeads` needs the ledger alone, because positions are dense.
import type { Knex } from 'knex'
import type { Database } from '../kernel/database.ts'
import { bytesToUuid } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { partitionOf } from './partitioning.ts'

export interface LedgerReport {
  readonly apps: number
  /** In the log, of all apps: what producers sent. */
  readonly events: number
  /** What does not agree, the first few in words. */
  readonly differences: readonly string[]
}

interface Sums {
  stored: number
  rejected: number
  resolved: number
  /** By hour, as the ledger has it, less what was counted in the log. */
  readonly recorded: Map<number, { ledger: number; log: number }>
}

interface HeadRow {
  readonly partition: number
  readonly position: number | string
}

type Bytes = Uint8Array | ArrayBuffer
const PAGE_POSITIONS = 50_000
const HOUR = 'recorded_at - recorded_at % 3600000'

/** Beside a running server: what is appended meanwhile is left for the next time. Memory grows with apps and hours, not with events. */
export async function verifyLedger(database: Database, onProgress: (events: number, total: number) => void = () => undefined): Promise<LedgerReport> {
  const { heads, apps, refused } = await database.snapshot(async (trx) => ({
    heads: await trx<HeadRow>('heads').select('partition', 'position'),
    apps: await readSums(trx),
    refused: await readRefused(trx),
  }))
  const total = heads.reduce((sum, { position }) => sum + Number(position), 0)
  let events = 0
  let passed = 0
  for (const { partition, position } of heads) {
    const last = Number(position)
    for (let after = 0; after < last; after += PAGE_POSITIONS) {
      const upTo = Math.min(after + PAGE_POSITIONS, last)
      for (const { appId, hour, count } of await countPage(database.knex, partition, after, upTo)) {
        hourOf(sumsOf(apps, appId), hour).log += count
        events += count
      }
      onProgress(passed + upTo, total)
    }
    passed += last
  }
  const differences = [...apps].flatMap(([appId, sums]) => differencesOf(appId, sums, refused.get(appId) ?? 0))
  const more = differences.length - LIMITS.differencesShown
  const shown = differences.slice(0, LIMITS.differencesShown)
  return { apps: apps.size, events, differences: more > 0 ? [...shown, `and ${more} more`] : shown }
}

/** What the ledger says that a partition's head does not, per partition: the events recorded, and what aggregates decided. */
export async function reconcileHeads(trx: Knex): Promise<{ partition: number; position: number; recorded: number }[]> {
  const heads = await trx<HeadRow>('heads').orderBy('partition').select('partition', 'position')
  const partitions = heads.filter(({ partition }) => partition !== 0).length
  const found = new Map<number, number>()
  const decided = await trx('streams').groupBy('partition').select<{ partition: number; events: number | string }[]>('partition', trx.raw('count(*) as events'))
  for (const { partition, events } of decided) found.set(partition, Number(events))
  const recorded = await trx('ledger').groupBy('app_id').select<{ app_id: Bytes; recorded: number | string }[]>('app_id', trx.raw('sum(recorded) as recorded'))
  for (const row of recorded) {
    const partition = partitionOf(idOf(row.app_id), partitions)
    found.set(partition, (found.get(partition) ?? 0) + Number(row.recorded))
  }
  return heads.map(({ partition, position }) => ({ partition, position: Number(position), recorded: found.get(partition) ?? 0 }))
}

async function readSums(trx: Knex): Promise<Map<string, Sums>> {
  const apps = new Map<string, Sums>()
  const rows = await trx('ledger').select<Record<string, Bytes | number | string>[]>('app_id', 'hour', 'stored', 'rejected', 'released', 'discarded', 'recorded')
  for (const row of rows) {
    const sums = sumsOf(apps, idOf(row['app_id'] as Bytes))
    sums.stored += Number(row['stored'])
    sums.rejected += Number(row['rejected'])
    sums.resolved += Number(row['released']) + Number(row['discarded'])
    const recorded = Number(row['recorded'])
    if (recorded > 0) hourOf(sums, Number(row['hour'])).ledger += recorded
  }
  return apps
}

async function readRefused(trx: Knex): Promise<Map<string, number>> {
  const rows = await trx('quarantine_counts').groupBy('app_id').select<{ app_id: Bytes; rejected: number | string }[]>('app_id', trx.raw('sum(rejected) as rejected'))
  return new Map(rows.map(({ app_id, rejected }) => [idOf(app_id), Number(rejected)]))
}

async function countPage(knex: Knex, partition: number, after: number, upTo: number): Promise<{ appId: string; hour: number; count: number }[]> {
  const table = 'events'
  const rows = await knex(table)
    .where({ partition })
    .where('position', '>', after)
    .where('position', '<=', upTo)
    .whereNull('stream')
    .groupByRaw(`app_id, ${HOUR}`)
    .select<{ app_id: Bytes; hour: number | string; events: number | string }[]>('app_id', knex.raw(`${HOUR} as hour`), knex.raw('count(*) as events'))
  return rows.map(({ app_id, hour, events }) => ({ appId: idOf(app_id), hour: Number(hour), count: Number(events) }))
}

function differencesOf(appId: string, { stored, rejected, resolved, recorded }: Sums, refused: number): string[] {
  const log = [...recorded.values()].reduce((sum, hour) => sum + hour.log, 0)
  return [
    ...(stored === log ? [] : [`app ${appId}: ${stored} events counted as stored, ${log} in the log`]),
    ...(rejected === refused ? [] : [`app ${appId}: ${rejected} events counted as refused, ${refused} by reason`]),
    ...(resolved <= rejected ? [] : [`app ${appId}: ${resolved} events released or discarded of ${rejected} refused`]),
    ...[...recorded]
      .filter(([, hour]) => hour.ledger !== hour.log)
      .map(([hour, counted]) => `app ${appId}, hour from ${new Date(hour).toISOString()}: ${counted.ledger} events counted as recorded, ${counted.log} in the log`),
  ]
}

function sumsOf(apps: Map<string, Sums>, appId: string): Sums {
  let sums = apps.get(appId)
  if (sums === undefined) apps.set(appId, (sums = { stored: 0, rejected: 0, resolved: 0, recorded: new Map() }))
  return sums
}

function hourOf({ recorded }: Sums, hour: number): { ledger: number; log: number } {
  let found = recorded.get(hour)
  if (found === undefined) recorded.set(hour, (found = { ledger: 0, log: 0 }))
  return found
}

function idOf(bytes: Bytes): string {
  return bytesToUuid(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes)
}
