// What the web read model's totals say of a range whose bounds lie on its rows: whole local days from day rows, the parts of
// days at the edges from quarters of an hour.
import { localDays } from '../kernel/calendar.ts'
import { SLOT_MS } from '../projections/eventSummary/cells.ts'
import type { Slot } from '../projections/web/entries.ts'
import { type BotFlags, readSlots, readTotals, readWebExtent, type WebSlot } from '../projections/web/read.ts'
import type { Range, Snapshot } from './query.ts'
import type { Bots } from './stats.ts'
import { cut } from './summaryTally.ts'

/** What one row adds to a range. */
export interface WebPart extends Slot {
  /** Where its time begins. */
  readonly fromMs: number
  readonly bot: 0 | 1
}

export function botFlags(bots: Bots): BotFlags {
  return bots === 'include' ? [0, 1] : [bots === 'only' ? 1 : 0]
}

/** True where a row ends: at a quarter of an hour, or where a local day begins in the midst of one. */
export function onRows(atMs: number, timezone: string): boolean {
  return atMs % SLOT_MS === 0 || localDays(timezone).at(atMs).fromMs === atMs
}

/** Whether the rows hold all of the range and nothing besides. */
export function isAligned({ fromMs, toMs, timezone }: Range): boolean {
  return onRows(fromMs, timezone) && onRows(toMs, timezone)
}

/** The first and last local day of a range of whole ones; undefined where a bound cuts a day. */
export function wholeDays(range: Range): { readonly first: number; readonly last: number } | undefined {
  const { whole, partial } = cut(range.timezone, range)
  return partial.length === 0 ? whole : undefined
}

/** The rows of an aligned range, as few as there are. In no order. */
export async function partsOf(snapshot: Snapshot, range: Range, bots: BotFlags): Promise<WebPart[]> {
  const { whole, partial } = cut(range.timezone, range)
  const zone = localDays(range.timezone)
  const parts: WebPart[] = []
  if (whole !== undefined) {
    for (const row of await readTotals(snapshot, whole.first, whole.last, bots)) parts.push({ ...row, fromMs: zone.startMs(row.day) })
  }
  for (const { day } of partial) parts.push(...(await quartersOf(snapshot, range, day, day, bots)))
  return parts
}

/** The same in quarters of an hour, between two local days, inclusive. */
export async function quartersOf(snapshot: Snapshot, { fromMs, toMs, timezone }: Range, first: number, last: number, bots: BotFlags): Promise<WebPart[]> {
  const zone = localDays(timezone)
  const startOf = ({ slot, day }: WebSlot): number => Math.max(slot * SLOT_MS, zone.startMs(day))
  const slots = await readSlots(snapshot, first, last, bots)
  return slots.map((slot) => ({ ...slot, fromMs: startOf(slot) })).filter((part) => part.fromMs >= fromMs && part.fromMs < toMs)
}

/** Of everything counted, for `period=all`. */
export async function webExtent(snapshot: Snapshot): Promise<Pick<Range, 'fromMs' | 'toMs'> | undefined> {
  const days = await readWebExtent(snapshot)
  const zone = localDays(snapshot.timezone)
  return days === undefined ? undefined : { fromMs: zone.startMs(days.first), toMs: zone.startMs(days.last + 1) }
}
