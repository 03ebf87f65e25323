// Counts and visitors of one event name (or all) over any range, exactly: whole local days from day rows, whole quarters of
// an hour at the edges from the rows of those days, and what no row is aligned to from the log.
import { localDays, type LocalDay } from '../kernel/calendar.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { DistinctSet } from '../projections/sets/distinctSet.ts'
import { addCounts, type Counts, noCounts, readPacked, readSlot, SLOT_MS, type SlotContent } from '../projections/eventSummary/cells.ts'
import type { DayRow } from '../projections/eventSummary/load.ts'
import { ALL_EVENTS, eventKey } from '../projections/eventSummary/memory.ts'
import { bytesOf } from '../projections/storage/rows.ts'
import { DEVICES } from '../projections/enrichment/userAgents.ts'
import { applyLinks } from './people.ts'
import type { Range, Snapshot } from './query.ts'
import { tallyFromLog } from './summarySliver.ts'

export type Bots = 'include' | 'exclude' | 'only'

export interface Tally {
  readonly counts: Counts
  readonly visitors: DistinctSet
}

export interface Wanted {
  readonly event: string | undefined
  readonly bots: Bots
}

type Bounds = Pick<Range, 'fromMs' | 'toMs'>

export async function tally(snapshot: Snapshot, wanted: Wanted, range: Bounds): Promise<Tally> {
  const sum: Tally = { counts: noCounts(), visitors: new DistinctSet() }
  const { whole, partial } = cut(snapshot.timezone, range)
  const bots = wanted.bots === 'include' ? [0, 1] : [wanted.bots === 'only' ? 1 : 0]
  const these = { build: snapshot.build, app_id: uuidToBytes(snapshot.appId) }
  if (whole !== undefined) {
    const rows = await snapshot
      .trx('event_summary_days')
      .where({ ...these, event_key: eventKey(wanted.event) })
      .whereBetween('day', [whole.first, whole.last])
      .whereIn('bot', bots)
      .select<DayRow[]>(...DEVICES, 'visitors')
    for (const row of rows) {
      DEVICES.forEach((device, at) => (sum.counts[at]! += Number(row[device])))
      sum.visitors.addBytes(bytesOf(row.visitors))
    }
  }
  for (const day of partial) await tallyPartOfDay(snapshot, sum, wanted.event, bots, day, range)
  await applyLinks(snapshot.trx, these, sum.visitors)
  return sum
}

/** Which local days lie wholly in a range, and which (two at most) only in part. */
export function cut(timezone: string, { fromMs, toMs }: Bounds): { whole: { first: number; last: number } | undefined; partial: LocalDay[] } {
  const zone = localDays(timezone)
  const first = zone.at(fromMs)
  const last = zone.at(toMs - 1)
  const partial = [first, last].filter((day, at) => (day.fromMs < fromMs || day.toMs > toMs) && (at === 0 || day.day !== first.day))
  const wholeFromMs = first.fromMs >= fromMs ? first.fromMs : first.toMs
  const wholeToMs = last.toMs <= toMs ? last.toMs : last.fromMs
  const whole = wholeFromMs < wholeToMs ? { first: zone.at(wholeFromMs).day, last: zone.at(wholeToMs - 1).day } : undefined
  return { whole, partial }
}

async function tallyPartOfDay(snapshot: Snapshot, sum: Tally, event: string | undefined, bots: readonly number[], day: LocalDay, range: Bounds): Promise<void> {
  const lowMs = Math.max(day.fromMs, range.fromMs)
  const highMs = Math.min(day.toMs, range.toMs)
  const between = [Math.floor(lowMs / SLOT_MS), Math.floor((highMs - 1) / SLOT_MS)] as const
  const slots = await slotsOf(snapshot, eventKey(event), bots, day, between)
  const cutSlots = new Set<number>()
  for (const content of slots) {
    // A slot's row holds no more than what lies in its day.
    const [slotFromMs, slotToMs] = [Math.max(content.slot * SLOT_MS, day.fromMs), Math.min((content.slot + 1) * SLOT_MS, day.toMs)]
    if (slotFromMs < lowMs || slotToMs > highMs) {
      cutSlots.add(content.slot)
      continue
    }
    addCounts(sum.counts, content.counts)
    sum.visitors.addAll(content.visitors)
  }
  if (cutSlots.size === 0) return
  const all = event === undefined ? slots : await slotsOf(snapshot, ALL_EVENTS, bots, day, between)
  const positions = all.filter(({ slot }) => cutSlots.has(slot)).map((content) => content.positions!)
  await tallyFromLog(snapshot, sum, positions, event, { fromMs: lowMs, toMs: highMs })
}

/** A day's quarters of an hour between two, inclusive, wherever its rows keep them. */
export async function slotsOf(
  { trx, build, appId }: Snapshot,
  key: Buffer,
  bots: readonly number[],
  day: LocalDay,
  [first, last]: readonly [number, number],
): Promise<SlotContent[]> {
  const these = { build, app_id: uuidToBytes(appId), event_key: key, day: day.day }
  const days = await trx('event_summary_days').where(these).whereIn('bot', [...bots]).select<Pick<DayRow, 'slots'>[]>('slots')
  const found: SlotContent[] = []
  for (const { slots } of days) {
    if (slots === null) continue
    for (const content of readPacked(bytesOf(slots), day.fromMs)) if (content.slot >= first && content.slot <= last) found.push(content)
  }
  if (days.every(({ slots }) => slots !== null)) return found
  const rows = await trx('event_summary_slots')
    .where(these)
    .whereIn('bot', [...bots])
    .whereBetween('slot', [first, last])
    .select<{ slot: number; content: Uint8Array | ArrayBuffer }[]>('slot', 'content')
  for (const { slot, content } of rows) found.push(readSlot(slot, bytesOf(content)))
  return found
}
