// Writes what a stretch of events changed: whole rows, from memory that holds all they say. Whether a day's quarters of an
// hour are packed depends on how many events the day has and on nothing else, so the rows are the same however the log was
// cut into stretches. What no event is left of has no row.
import type { Knex } from 'knex'
import { replaceRows, type Value } from '../storage/bulkRows.ts'
import { addCounts, type DayCell, PACKED_EVENTS, type SlotCell, slotBytes, total } from './cells.ts'
import { type AppCells, type State, trim } from './memory.ts'
import { DEVICES } from '../enrichment/userAgents.ts'
import { SUMMARY_VISITORS, writeVisitors } from '../visitors/visitorRows.ts'

const DAY_COLUMNS = ['build', 'app_id', 'event_key', 'day', 'bot', 'events', ...DEVICES, 'visitors', 'slots']
const SLOT_COLUMNS = ['build', 'app_id', 'event_key', 'day', 'bot', 'slot', 'content']

interface Changed {
  readonly app: AppCells
  readonly day: DayCell
  readonly slots: Set<SlotCell>
}

interface Gone {
  readonly table: 'event_summary_days' | 'event_summary_slots'
  readonly where: Readonly<Record<string, number | Buffer>>
}

export async function writeSummary(trx: Knex.Transaction, build: number, state: State): Promise<void> {
  const { memory } = state
  memory.generation++
  const changed = rollUp(state)
  const days: Value[][] = []
  const slots: Value[][] = []
  const gone: Gone[] = []
  for (const { app, day, slots: touched } of changed.values()) {
    day.touched = memory.generation
    const key: Value[] = [build, app.key, day.series.key, day.local.day, day.series.bot]
    const events = total(day.counts)
    const where = { build, app_id: app.key, event_key: day.series.key, day: day.local.day, bot: day.series.bot }
    if (!day.spilled && events > PACKED_EVENTS) {
      day.spilled = true
      for (const slot of day.slots.values()) touched.add(slot)
    } else if (day.spilled && events <= PACKED_EVENTS) {
      // Something was taken back, so all of the day is in memory.
      day.spilled = false
      gone.push({ table: 'event_summary_slots', where })
    }
    if (events === 0) gone.push({ table: 'event_summary_days', where })
    else days.push([...key, events, ...day.counts, day.visitors.toBytes(), day.packed()])
    if (!day.spilled) continue
    for (const slot of touched) {
      if (total(slot.counts) === 0) gone.push({ table: 'event_summary_slots', where: { ...where, slot: slot.slot } })
      else slots.push([...key, slot.slot, slotBytes(slot)])
    }
  }
  for (const { table, where } of gone) await trx(table).where(where).delete()
  await replaceRows(trx, 'event_summary_days', DAY_COLUMNS, days)
  await replaceRows(trx, 'event_summary_slots', SLOT_COLUMNS, slots)
  await writeNames(trx, build, state)
  for (const app of state.apps) await writeVisitors(trx, build, SUMMARY_VISITORS, app)
  const apps = [...state.apps].map((app): Value[] => [build, app.key, app.visitors.size])
  await replaceRows(trx, 'event_summary_apps', ['build', 'app_id', 'visitors'], apps)
  memory.open = false
  trim(memory)
}

/** Adds what leaves counted to all rows they are part of; answers the days that changed, with their changed slots. */
function rollUp(state: State): Map<DayCell, Changed> {
  const changed = new Map<DayCell, Changed>()
  const add = (app: AppCells, cell: SlotCell, pending: readonly number[]): void => {
    addCounts(cell.counts, pending)
    addCounts(cell.day.counts, pending)
    const known = changed.get(cell.day)
    if (known === undefined) changed.set(cell.day, { app, day: cell.day, slots: new Set([cell]) })
    else known.slots.add(cell)
  }
  for (const { app, leaf } of state.leaves) {
    const pending = leaf.pending!
    leaf.pending = undefined
    add(app, leaf, pending)
    add(app, leaf.all!, pending)
  }
  return changed
}

async function writeNames(trx: Knex.Transaction, build: number, { names }: State): Promise<void> {
  const rows = names.map(({ app, key, name }): Value[] => [build, app.key, key, name])
  await replaceRows(trx, 'event_summary_names', ['build', 'app_id', 'event_key', 'name'], rows)
}
