// What queries read of the web read model's numbers: totals per local day and quarter of an hour, cells of a dimension, texts
// of values, and people. Everything is exact and additive; visitors come as counted sets whose members are united here, with
// links applied, without building a set per row.
import type { Knex } from 'knex'
import { textKey } from '../../kernel/hashing.ts'
import { uuidToBytes } from '../../kernel/ids.ts'
import { bytesOf } from '../storage/rows.ts'
import { chunks } from '../storage/rowSets.ts'
import { BLOCK, eachEntry, noSums, readSlot, type Slot, SUMS, unpackSlots, type WebSums } from './entries.ts'
import { type CellContent, contentOf } from './pending.ts'

/** The rows of one app in one build; a query's Snapshot is one. */
export interface WebRows {
  readonly trx: Knex
  readonly build: number
  readonly appId: string
}

/** Which rows to take: 0 people, 1 bots. */
export type BotFlags = readonly (0 | 1)[]

export interface WebTotals extends Slot {
  readonly day: number
  readonly bot: 0 | 1
}

export interface WebSlot extends WebTotals {
  /** Number of the quarter of an hour: starts at slot * SLOT_MS, or where its day starts if that is later. */
  readonly slot: number
}

export interface WebCell {
  readonly day: number
  readonly bot: 0 | 1
  readonly ref: number
  readonly events: number
  readonly pageviews: number
  readonly visits: number
  /** Counted set, for DistinctPeople.add. */
  readonly visitors: Uint8Array
}

type Bytes = Uint8Array | ArrayBuffer

/** The first and last local day that have anything; undefined for an app without events. */
export async function readWebExtent({ trx, build, appId }: WebRows): Promise<{ readonly first: number; readonly last: number } | undefined> {
  const row = await trx('web_days')
    .where({ build, app_id: uuidToBytes(appId) })
    .min({ first: 'day' })
    .max({ last: 'day' })
    .first<{ first: number | null; last: number | null }>()
  return row.first === null || row.last === null ? undefined : { first: row.first, last: row.last }
}

const COLUMNS = { events: 'events', pageviews: 'pageviews', visits: 'visits', bounces: 'bounces', pageviewVisits: 'pageview_visits', viewsInThem: 'views_in_them', durationMs: 'duration_ms' } // prettier-ignore

/** Columns of web_days in the order of SUMS. */
export const SUM_COLUMNS: readonly string[] = SUMS.map((name) => COLUMNS[name])

/** Some drivers answer 64-bit numbers as text. */
export interface DayRow extends Readonly<Record<string, unknown>> {
  readonly day: number
  readonly bot: 0 | 1
  readonly visitors: Bytes
  readonly slots?: Bytes | null
}

export function sumsOf(row: Readonly<Record<string, unknown>>): WebSums {
  const sums = noSums()
  for (const name of SUMS) sums[name] = Number(row[COLUMNS[name]])
  return sums
}

/** One per local day from `first` to `last`, inclusive, and bot flag that has anything, by day. */
export async function readTotals({ trx, build, appId }: WebRows, first: number, last: number, bots: BotFlags): Promise<WebTotals[]> {
  const rows = await trx('web_days')
    .where({ build, app_id: uuidToBytes(appId) })
    .whereBetween('day', [first, last])
    .whereIn('bot', [...bots])
    .orderBy(['day', 'bot'])
    .select<DayRow[]>('day', 'bot', 'visitors', ...SUM_COLUMNS)
  return rows.map((row) => ({ day: row.day, bot: row.bot, sums: sumsOf(row), visitors: bytesOf(row.visitors) }))
}

/** The quarters of an hour of these days that have anything, wherever they are kept; by day, bot and time. */
export async function readSlots({ trx, build, appId }: WebRows, first: number, last: number, bots: BotFlags): Promise<WebSlot[]> {
  const these = { build, app_id: uuidToBytes(appId) }
  const days = await trx('web_days')
    .where(these)
    .whereBetween('day', [first, last])
    .whereIn('bot', [...bots])
    .select<{ day: number; bot: 0 | 1; slots: Bytes | null }[]>('day', 'bot', 'slots')
  const found: WebSlot[] = []
  for (const { day, bot, slots } of days) {
    if (slots === null) continue
    for (const [slot, content] of unpackSlots(bytesOf(slots))) found.push({ day, bot, slot, ...content })
  }
  if (days.some(({ slots }) => slots === null)) {
    const rows = await trx('web_slots')
      .where(these)
      .whereBetween('day', [first, last])
      .whereIn('bot', [...bots])
      .select<{ day: number; bot: 0 | 1; slot: number; content: Bytes }[]>('day', 'bot', 'slot', 'content')
    for (const { day, bot, slot, content } of rows) found.push({ day, bot, slot, ...readSlot(bytesOf(content)) })
  }
  return found.sort((left, right) => left.day - right.day || left.bot - right.bot || left.slot - right.slot)
}

/**
 * Every value's cells of these days, by day: one call per (value, day, bot). The visitors are handed over unread, so a caller
 * may sum first, rank, and unite only the sets of the values it shows. The bytes may be kept.
 */
export async function readCells({ trx, build, appId }: WebRows, dimension: string, first: number, last: number, bots: BotFlags, visit: (cell: WebCell) => void): Promise<void> {
  const rows = await trx('web_cells')
    .where({ build, app_id: uuidToBytes(appId), dimension_key: textKey(dimension) })
    .whereBetween('day', [first, last])
    .whereIn('bot', [...bots])
    .select<(CellContent & { day: number; bot: 0 | 1; block: number })[]>('day', 'bot', 'block', 'content', 'pending')
  for (const { day, bot, block, ...row } of rows) {
    eachEntry(contentOf(row), (index, events, pageviews, visits, visitors) => {
      visit({ day, bot, ref: block * BLOCK + index, events, pageviews, visits, visitors })
    })
  }
}

/** The texts of refs. */
export async function readValues({ trx, build, appId }: WebRows, refs: readonly number[]): Promise<Map<number, string>> {
  const texts = new Map<number, string>()
  for (const some of chunks(refs)) {
    const rows = await trx('web_values')
      .where({ build, app_id: uuidToBytes(appId) })
      .whereIn('ref', [...some])
      .select<{ ref: number; value: Bytes }[]>('ref', 'value')
    for (const { ref, value } of rows) texts.set(ref, bytesOf(value).toString('utf8'))
  }
  return texts
}

/** The ref of one value, undefined where no event ever said it: for a question about one value. */
export async function readRef({ trx, build, appId }: WebRows, dimension: string, value: string): Promise<number | undefined> {
  const row = await trx('web_values')
    .where({ build, app_id: uuidToBytes(appId), value_key: valueKey(dimension, value) })
    .first<{ ref: number } | undefined>('ref')
  return row?.ref
}

export function valueKey(dimension: string, value: string): Buffer {
  return textKey(`${dimension}\0${value}`)
}
