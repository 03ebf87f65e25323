// What became of everything received, read back: per app and hour, and the events that were refused. Written only by the
// append that it tells of, in the same transaction.
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'

export interface LedgerHour {
  /** Epoch milliseconds at which the hour begins. */
  readonly hour: number
  readonly stored: number
  readonly duplicate: number
  readonly rejected: number
}

export interface QuarantinedEvent {
  /** Dense per app, from 1: how many were refused up to this one. */
  readonly number: number
  readonly receivedAt: number
  readonly code: string
  readonly detail: string
  readonly body: string
}

export interface QuarantineCount {
  readonly code: string
  readonly rejected: number
  readonly lastAt: number
}

/** Hours from the one that holds `fromMs` to before `toMs` in which anything was received. */
export async function readLedger({ knex }: Database, appId: string, fromMs: number, toMs: number): Promise<LedgerHour[]> {
  const hourMs = 3_600_000
  return knex('ledger')
    .where('app_id', uuidToBytes(appId))
    .where('hour', '>=', Math.floor(fromMs / hourMs) * hourMs)
    .where('hour', '<', toMs)
    .orderBy('hour')
    .select<LedgerHour[]>('hour', 'stored', 'duplicate', 'rejected')
}

/** How many events of an app were ever stored. */
export async function storedEvents({ knex }: Database, appId: string): Promise<number> {
  const row = await knex('ledger').where('app_id', uuidToBytes(appId)).sum({ stored: 'stored' }).first<{ stored: number | string | null }>()
  return Number(row.stored ?? 0)
}

/** Refused events whose bodies are still kept, newest first. */
export async function readQuarantine(
  { knex }: Database,
  appId: string,
  { before, limit }: { before?: number; limit: number },
): Promise<QuarantinedEvent[]> {
  const query = knex('quarantine').where('app_id', uuidToBytes(appId))
  if (before !== undefined) void query.where('number', '<', before)
  return query
    .orderBy('number', 'desc')
    .limit(Math.min(limit, LIMITS.quarantineBodiesPerApp))
    .select<QuarantinedEvent[]>('number', { receivedAt: 'received_at' }, 'code', 'detail', 'body')
}

/** How many were ever refused, by reason. */
export function readQuarantineCounts({ knex }: Database, appId: string): Promise<QuarantineCount[]> {
  return knex('quarantine_counts')
    .where('app_id', uuidToBytes(appId))
    .orderBy('code')
    .select<QuarantineCount[]>('code', 'rejected', { lastAt: 'last_at' })
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
