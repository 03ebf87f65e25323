// Puts what a stretch changed of days and their quarters of an hour into web_days and web_slots. Whether a day's quarters are
// packed into its row depends on how many events the day has and on nothing else, so the rows are the same however the log
// was cut into stretches, and whatever was taken back since.
import type { Knex } from 'knex'
import { replaceRows, type Value } from '../storage/bulkRows.ts'
import { changedBytes, type Contributions } from '../sets/countedSet.ts'
import { PACKED_EVENTS } from '../eventSummary/cells.ts'
import { bytesOf } from '../storage/rows.ts'
import { deleteAmong, type RowSet, selectAmong } from '../storage/rowSets.ts'
import type { AppChanges, DayChanges, SlotChanges } from './changes.ts'
import { addSums, isNothing, noSums, packSlots, readSlot, type Slot, slotBytes, SUMS, unpackSlots } from './entries.ts'
import type { WebApp } from './memory.ts'
import { type DayRow, SUM_COLUMNS, sumsOf } from './read.ts'

const DAY_COLUMNS = ['build', 'app_id', 'day', 'bot', ...SUM_COLUMNS, 'visitors', 'slots']
const SLOT_COLUMNS = ['build', 'app_id', 'day', 'bot', 'slot', 'content']
/** Days that are in memory at once. */
const AT_ONCE = 500

interface ChangedDay {
  readonly app: WebApp
  readonly day: number
  readonly bot: number
  readonly changes: DayChanges
  readonly contributions: Contributions
  /** The whole day. */
  readonly now: Slot
  existed: boolean
  /** Whether its quarters are rows of their own, as they are and as they are to be. */
  wasSpilled: boolean
  spilled: boolean
  /** Those that are here: all of a packed day, the changed ones of a large one. */
  slots: Map<number, Slot>
}

export async function writeTotals(trx: Knex.Transaction, build: number, apps: readonly AppChanges[]): Promise<void> {
  const days: ChangedDay[] = []
  for (const { app, days: changed, contributions } of apps) {
    for (const [dayBot, changes] of changed) {
      const now = { sums: noSums(), visitors: new Uint8Array(0) }
      const [day, bot] = [Math.floor(dayBot / 2), dayBot & 1]
      days.push({ app, day, bot, changes, contributions, now, existed: false, wasSpilled: false, spilled: false, slots: new Map() })
    }
  }
  for (let at = 0; at < days.length; at += AT_ONCE) await writeDays(trx, build, days.slice(at, at + AT_ONCE))
}

async function writeDays(trx: Knex.Transaction, build: number, days: readonly ChangedDay[]): Promise<void> {
  await readDays(trx, build, days)
  for (const day of days) {
    apply(day.now, day.changes, day.contributions)
    day.spilled = day.now.sums.events > PACKED_EVENTS
  }
  await readSpilled(trx, build, days)
  const rows: Value[][] = []
  const slotRows: Value[][] = []
  const emptied: RowSet[] = []
  const emptiedSlots: RowSet[] = []
  for (const { app, day, bot, changes, contributions, now, existed, wasSpilled, spilled, slots } of days) {
    for (const [number, slot] of changes.slots) {
      const into = slots.get(number) ?? { sums: noSums(), visitors: new Uint8Array(0) }
      apply(into, slot, contributions)
      if (isEmpty(into)) slots.delete(number)
      else slots.set(number, into)
    }
    const where = [['day', day]] as const
    const left = !isEmpty(now)
    if (left) rows.push([build, app.key, day, bot, ...SUMS.map((name) => now.sums[name]), Buffer.from(now.visitors), spilled ? null : packSlots(slots)])
    else if (existed) emptied.push({ app: app.key, where, column: 'bot', values: [bot] })
    if (spilled) for (const [number, slot] of slots) slotRows.push([build, app.key, day, bot, number, slotBytes(slot)])
    if (!wasSpilled) continue
    if (!spilled) emptiedSlots.push({ app: app.key, where, column: 'bot', values: [bot] })
    const gone = [...changes.slots.keys()].filter((number) => spilled && !slots.has(number))
    if (gone.length > 0) emptiedSlots.push({ app: app.key, where: [...where, ['bot', bot]], column: 'slot', values: gone })
  }
  await replaceRows(trx, 'web_days', DAY_COLUMNS, rows)
  await replaceRows(trx, 'web_slots', SLOT_COLUMNS, slotRows)
  await deleteAmong(trx, 'web_days', build, emptied)
  await deleteAmong(trx, 'web_slots', build, emptiedSlots)
}

function apply(to: Slot, changes: SlotChanges, contributions: Contributions): void {
  addSums(to.sums, changes.sums)
  to.visitors = changedBytes(to.visitors, contributions.of(changes.visitors))
}

function isEmpty({ sums, visitors }: Slot): boolean {
  return visitors.length === 0 && isNothing(sums)
}

type Bytes = Uint8Array | ArrayBuffer

async function readDays(trx: Knex.Transaction, build: number, days: readonly ChangedDay[]): Promise<void> {
  const wanted = new Map<string, ChangedDay>()
  const sets: RowSet[] = []
  for (const one of days) {
    if (one.app.writtenDays?.has(one.day) === false) continue
    wanted.set(keyOf(one.app.key, one), one)
    sets.push({ app: one.app.key, where: [['day', one.day]], column: 'bot', values: [one.bot] })
  }
  type Row = DayRow & { readonly app_id: Bytes }
  for (const row of await selectAmong<Row>(trx, 'web_days', build, sets, ['app_id', 'day', 'bot', 'visitors', 'slots', ...SUM_COLUMNS])) {
    const day = wanted.get(keyOf(bytesOf(row.app_id), row))!
    day.existed = true
    addSums(day.now.sums, sumsOf(row))
    day.now.visitors = bytesOf(row.visitors)
    if (row.slots == null) day.wasSpilled = true
    else day.slots = unpackSlots(bytesOf(row.slots))
  }
}

/** The changed quarters of days that are large; all of one that no longer is. */
async function readSpilled(trx: Knex.Transaction, build: number, days: readonly ChangedDay[]): Promise<void> {
  const wanted = new Map<string, ChangedDay>()
  const sets: RowSet[] = []
  for (const one of days) {
    if (!one.wasSpilled) continue
    const { app, day, bot, changes } = one
    wanted.set(keyOf(app.key, one), one)
    if (one.spilled) sets.push({ app: app.key, where: [['day', day], ['bot', bot]], column: 'slot', values: [...changes.slots.keys()] }) // prettier-ignore
    else sets.push({ app: app.key, where: [['day', day]], column: 'bot', values: [bot] }) // prettier-ignore
  }
  type Row = { readonly app_id: Bytes; readonly day: number; readonly bot: number; readonly slot: number; readonly content: Bytes }
  for (const row of await selectAmong<Row>(trx, 'web_slots', build, sets, ['app_id', 'day', 'bot', 'slot', 'content'])) {
    wanted.get(keyOf(bytesOf(row.app_id), row))!.slots.set(row.slot, readSlot(bytesOf(row.content)))
  }
}

function keyOf(app: Buffer, { day, bot }: { readonly day: number; readonly bot: number }): string {
  return `${app.toString('hex')} ${day} ${bot}`
}
