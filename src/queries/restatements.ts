// Which closed days changed, by how much and why; and who said why, for those that were changed by hand. By how much other
// numbers changed (visitors above all, which no sum tells) is answered by the difference that each row names.
import type { Knex } from 'knex'
import { decode } from '../events/catalogue.ts'
import { Problem } from '../errors.ts'
import { DAY_MS, localDays } from '../kernel/calendar.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { type Cause, CAUSES, type Restatement, restatementOf, type RestatementRow } from '../projections/restatements/rows.ts'
import { type Correction, correctionOf } from './eventCorrections.ts'
import type { Query, Range, Snapshot } from './query.ts'
import { reasonsResult, restatementsResult } from './restatementsSchemas.ts'

interface Page {
  readonly limit?: number
  readonly cursor?: string
}

interface Change {
  readonly added: number
  readonly taken: number
}

export interface RestatedDay {
  readonly day: string
  readonly restatedOn: string
  readonly cause: Cause
  readonly events: Change
  readonly pageviews: Change
  readonly positions: { readonly first: number; readonly last: number }
  readonly diff: string
}

export type RestatementReason = Correction & { readonly day: string; readonly restatedOn: string }

const pageParams = {
  limit: { type: 'integer', minimum: 1, maximum: LIMITS.pageMax, default: LIMITS.pageDefault },
  cursor: { type: 'string', minLength: 1, maxLength: 512, description: '`nextCursor` of the answer before' },
} as const

export const restatements: Query<Page, { restatements: RestatedDay[]; nextCursor: string | null }> = {
  name: 'restatements',
  projection: 'restatements',
  ranged: true,
  params: { title: 'RestatementsParameters', type: 'object', additionalProperties: false, properties: pageParams },
  result: restatementsResult,
  extent,
  async run(snapshot, { limit = LIMITS.pageDefault, cursor }) {
    let query = inRange(snapshot, 'restatements')
    if (cursor !== undefined) query = afterRow(query, cursor)
    const order = [{ column: 'reached', order: 'desc' }, { column: 'day', order: 'desc' }, { column: 'cause' }]
    const rows = (await query.orderBy(order).limit(limit + 1).select<RestatementRow[]>('*')).map(restatementOf)
    const shown = rows.slice(0, limit)
    const last = shown.at(-1)
    const nextCursor = last === undefined || rows.length <= limit ? null : `${last.reached}.${last.day}.${CAUSES.indexOf(last.cause)}`
    return { restatements: shown.map((row) => restatedDay(snapshot, row)), nextCursor }
  },
}

export const restatementReasons: Query<Page, { reasons: RestatementReason[]; nextCursor: string | null }> = {
  name: 'restatement-reasons',
  projection: 'restatements',
  ranged: true,
  uncached: true,
  params: { title: 'RestatementReasonsParameters', type: 'object', additionalProperties: false, properties: pageParams },
  result: reasonsResult,
  extent,
  async run(snapshot, { limit = LIMITS.pageDefault, cursor }) {
    const { log, appId } = snapshot
    let query = inRange(snapshot, 'restatement_reasons')
    if (cursor !== undefined) {
      const [position, day] = numbersOf(cursor, 2) as [number, number]
      query = query.where((where) => void where.where('position', '<', position).orWhere((same) => void same.where({ position }).where('day', '<', day)))
    }
    const order = [{ column: 'position', order: 'desc' }, { column: 'day', order: 'desc' }]
    const rows = await query.orderBy(order).limit(limit + 1).select<{ day: number; position: number | string; reached: number }[]>('day', 'position', 'reached')
    const shown = rows.slice(0, limit)
    const events = await log.readAt(log.partitionOf(appId), shown.map(({ position }) => Number(position)))
    const said = new Map(events.map((event) => [event.position, correctionOf(decode(event))]))
    const reasons = shown.map(({ day, position, reached }) => ({ day: dateOf(day), restatedOn: dateOf(reached), ...said.get(Number(position))! }))
    const last = shown.at(-1)
    return { reasons, nextCursor: last === undefined || rows.length <= limit ? null : `${last.position}.${last.day}` }
  },
}

async function extent({ trx, build, appId, timezone }: Snapshot): Promise<Pick<Range, 'fromMs' | 'toMs'> | undefined> {
  const row = await trx('restatements')
    .where({ build, app_id: uuidToBytes(appId) })
    .min({ first: 'day' })
    .max({ last: 'day' })
    .first<{ first: number | null; last: number | null }>()
  if (row.first === null || row.last === null) return undefined
  const zone = localDays(timezone)
  return { fromMs: zone.startMs(row.first), toMs: zone.startMs(row.last + 1) }
}

/** Every day that lies in the range, if only in part. */
function inRange({ trx, build, appId, timezone, range }: Snapshot, table: string): Knex.QueryBuilder {
  const zone = localDays(timezone)
  return trx(table)
    .where({ build, app_id: uuidToBytes(appId) })
    .whereBetween('day', [zone.at(range!.fromMs).day, zone.at(range!.toMs - 1).day])
}

function afterRow(query: Knex.QueryBuilder, cursor: string): Knex.QueryBuilder {
  const [reached, day, cause] = numbersOf(cursor, 3) as [number, number, number]
  return query.where((where) => {
    void where
      .where('reached', '<', reached)
      .orWhere((same) => void same.where({ reached }).where('day', '<', day))
      .orWhere((same) => void same.where({ reached, day }).where('cause', '>', cause))
  })
}

function numbersOf(cursor: string, count: number): number[] {
  const parts = cursor.split('.')
  if (parts.length === count && parts.every((part) => /^-?\d{1,15}$/.test(part))) return parts.map(Number)
  throw new Problem('invalid_parameter', undefined, { errors: [{ path: 'cursor', detail: 'is not a cursor of this list' }] })
}

function restatedDay({ appId }: Snapshot, row: Restatement): RestatedDay {
  const { firstPosition: first, lastPosition: last } = row
  const asked = { appId, question: 'overview', from: dateOf(row.day), to: dateOf(row.day + 1), a: String(first - 1), b: String(last) }
  return {
    ...{ day: dateOf(row.day), restatedOn: dateOf(row.reached), cause: row.cause },
    events: { added: row.eventsAdded, taken: row.eventsTaken },
    pageviews: { added: row.pageviewsAdded, taken: row.pageviewsTaken },
    positions: { first, last },
    diff: `/analytics/diff?${new URLSearchParams(asked).toString()}`,
  }
}

function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}
