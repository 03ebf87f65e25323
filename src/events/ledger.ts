// What became of everything received, read back: per app and hour, and the events that were refused. Written only by the
// append that it tells of, in the same transaction.
import type { Knex } from 'knex'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import { bytesToUuid, uuidToBytes } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import { HOUR_MS } from './appendPlan.ts'
import type { Resolution } from './eventLog.ts'

/** All but `recorded` by the hour in which it was received. */
export interface LedgerHour {
  /** Epoch milliseconds at which the hour begins. */
  readonly hour: number
  readonly stored: number
  readonly duplicate: number
  /** Ever refused; of these were let in and thrown away: */
  readonly rejected: number
  readonly released: number
  readonly discarded: number
  /** Events that the log recorded in this hour, whenever they were received. */
  readonly recorded: number
}

/** Of all hours. */
export interface LedgerSums extends Omit<LedgerHour, 'hour'> {
  /** The first hour with anything in it. */
  readonly firstHour: number | undefined
}

export interface QuarantinedEvent {
  /** Dense per app, from 1: how many were refused up to this one. */
  readonly number: number
  readonly receivedAt: number
  readonly code: string
  readonly detail: string
  /** Empty once it was discarded. */
  readonly body: string
  readonly viaPublicKey: boolean
  /** The body says something else than was sent. */
  readonly altered: boolean
  /** To be added to its own timestamp. */
  readonly skewMs: number
  /** What a person did with it; undefined while it stands. */
  readonly resolved: { readonly as: Resolution['as']; readonly at: number; readonly by: string; readonly eventId: string | undefined } | undefined
}

/** A pack that was acknowledged and that its queue still holds: perhaps it is committed, and only not taken off yet. */
export interface QueuedPack {
  readonly deliveryId: string
  readonly receivedAt: number
  /** By app: events, and refusals that travel with them. */
  readonly apps: ReadonlyMap<string, { accepted: number; rejected: number }>
}

export interface QueuedPacks {
  readonly packs: readonly QueuedPack[]
  /** False where there were more than are read. */
  readonly whole: boolean
}

/** What a partition's queue holds; undefined where it cannot be asked. To be asked before the ledger is read, so that nothing falls between. */
export type ReadQueued = (partition: number) => Promise<QueuedPacks | undefined>

/** Where nothing is acknowledged before its commit. */
export const readNothingQueued: ReadQueued = () => Promise.resolve({ packs: [], whole: true })

export interface QuarantineCount {
  readonly code: string
  readonly rejected: number
  readonly lastAt: number
}

const COUNTS = ['stored', 'duplicate', 'rejected', 'released', 'discarded', 'recorded'] as const
type Counts = Record<(typeof COUNTS)[number], number | string | null>

/** Hours from the one that holds `fromMs` to before `toMs` in which anything was received or recorded, at most `limit`. */
export async function readLedger(db: Knex, appId: string, fromMs: number, toMs: number, limit = Number.MAX_SAFE_INTEGER): Promise<LedgerHour[]> {
  const rows = await db('ledger')
    .where('app_id', uuidToBytes(appId))
    .where('hour', '>=', Math.floor(fromMs / HOUR_MS) * HOUR_MS)
    .where('hour', '<', toMs)
    .orderBy('hour')
    .limit(limit)
    .select<(Counts & { hour: number | string })[]>('hour', ...COUNTS)
  return rows.map(({ hour, ...counts }) => ({ hour: Number(hour), ...countsOf(counts) }))
}

export async function sumLedger(db: Knex, appId: string): Promise<LedgerSums> {
  const sums = Object.fromEntries(COUNTS.map((column) => [column, column]))
  const row = await db('ledger').where('app_id', uuidToBytes(appId)).sum(sums).min({ hour: 'hour' }).first<Counts & { hour: number | string | null }>()
  return { firstHour: row.hour === null ? undefined : Number(row.hour), ...countsOf(row) }
}

function countsOf(row: Counts): Omit<LedgerHour, 'hour'> {
  return Object.fromEntries(COUNTS.map((column) => [column, Number(row[column] ?? 0)])) as unknown as Omit<LedgerHour, 'hour'>
}

/** How many events of an app were ever stored. */
export async function storedEvents({ knex }: Database, appId: string): Promise<number> {
  const row = await knex('ledger').where('app_id', uuidToBytes(appId)).sum({ stored: 'stored' }).first<{ stored: number | string | null }>()
  return Number(row.stored ?? 0)
}

/** Those of these deliveries that the ledger has counted. */
export async function readDeliveries(db: Knex, partition: number, deliveryIds: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>()
  for (let start = 0; start < deliveryIds.length; start += LIMITS.rowsPerStatement) {
    const ids = deliveryIds.slice(start, start + LIMITS.rowsPerStatement).map(uuidToBytes)
    const rows = await db('deliveries').where({ partition }).whereIn('delivery_id', ids).select<{ delivery_id: Bytes }[]>('delivery_id')
    for (const { delivery_id } of rows) found.add(idOf(delivery_id))
  }
  return found
}

/** How many of an app's collected events stand after a position and were recorded before an instant; no more than `limit` are counted. */
export async function countEvents(db: Knex, appId: string, partition: number, { after, beforeMs, limit }: { after: number; beforeMs: number; limit: number }): Promise<number> {
  const table = 'events'
  const these = db(table)
    .where({ app_id: uuidToBytes(appId), partition })
    .where('position', '>', after)
    .where('recorded_at', '<', beforeMs)
    .whereNull('stream')
    .limit(limit)
    .select('position')
  const row = await db.from(these.as('these')).count<{ events: number | string }[]>({ events: '*' })
  return Number(row[0]?.events ?? 0)
}

export interface QuarantineFilter {
  /** Only numbers below this one: newest first. */
  readonly before?: number | undefined
  /** Only numbers above this one: oldest first. */
  readonly after?: number | undefined
  readonly code?: string | undefined
  readonly status?: 'quarantined' | Resolution['as'] | undefined
  readonly limit: number
}

/** Refused events whose bodies are still kept, newest first unless `after` is given. */
export async function readQuarantine(db: Knex, appId: string, { before, after, code, status, limit }: QuarantineFilter): Promise<QuarantinedEvent[]> {
  const query = db('quarantine').where('app_id', uuidToBytes(appId))
  if (before !== undefined) void query.where('number', '<', before)
  if (after !== undefined) void query.where('number', '>', after)
  if (code !== undefined) void query.where('code', code)
  if (status !== undefined) void (status === 'quarantined' ? query.whereNull('resolution') : query.where('resolution', status))
  const rows = await query
    .orderBy('number', after === undefined ? 'desc' : 'asc')
    .limit(Math.min(limit, LIMITS.quarantineBodiesPerApp))
    .select<QuarantineRow[]>('*')
  return rows.map(quarantinedOf)
}

/** Undefined where there is none of this number, or none any more. */
export async function readQuarantined(db: Knex, appId: string, number: number): Promise<QuarantinedEvent | undefined> {
  const row = await db('quarantine').where({ app_id: uuidToBytes(appId), number }).first<QuarantineRow | undefined>()
  return row === undefined ? undefined : quarantinedOf(row)
}

/** How many were ever refused, by reason. */
export async function readQuarantineCounts(db: Knex, appId: string): Promise<QuarantineCount[]> {
  const rows = await db('quarantine_counts')
    .where('app_id', uuidToBytes(appId))
    .orderBy('code')
    .select<{ code: string; rejected: number | string; lastAt: number | string }[]>('code', 'rejected', { lastAt: 'last_at' })
  return rows.map(({ code, rejected, lastAt }) => ({ code, rejected: Number(rejected), lastAt: Number(lastAt) }))
}

/** How many of an app were ever refused: the number of the newest in its quarantine. */
export async function sumRefused(db: Knex, appId: string): Promise<number> {
  return (await readQuarantineCounts(db, appId)).reduce((sum, { rejected }) => sum + rejected, 0)
}

type Bytes = Uint8Array | ArrayBuffer

interface QuarantineRow {
  readonly number: number | string
  readonly received_at: number | string
  readonly code: string
  readonly detail: string
  readonly body: string
  readonly via_public_key: number
  readonly altered: number
  readonly skew_ms: number | string
  readonly resolution: Resolution['as'] | null
  readonly resolved_at: number | string | null
  readonly resolved_by: Bytes | null
  readonly event_id: Bytes | null
}

function quarantinedOf(row: QuarantineRow): QuarantinedEvent {
  const { code, detail, body, resolution, resolved_at, resolved_by, event_id } = row
  return {
    ...{ number: Number(row.number), receivedAt: Number(row.received_at), code, detail, body },
    ...{ viaPublicKey: row.via_public_key === 1, altered: row.altered === 1, skewMs: Number(row.skew_ms) },
    resolved:
      resolution === null ? undefined : { as: resolution, at: Number(resolved_at), by: idOf(resolved_by!), eventId: event_id === null ? undefined : idOf(event_id) },
  }
}

function idOf(bytes: Bytes): string {
  return bytesToUuid(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes)
}

/** Forgets deliveries older than any queue could deliver again. Answers how many. */
export function pruneDeliveries({ knex }: Database, beforeMs: number): Promise<number> {
  return knex('deliveries').where('delivered_at', '<', beforeMs).delete()
}

/** Keeps the table of deliveries from growing for ever: often, so that each round is small. Answers the way to stop. */
export function keepPruning(database: Database, clock: Clock, logger: Logger): () => void {
  const timer = setInterval(() => {
    pruneDeliveries(database, clock.now() - LIMITS.deliveryKeepMs).catch((error: unknown) => logger.warn('old deliveries stay for now', { error }))
  }, LIMITS.pruneMs)
  return () => clearInterval(timer)
}
