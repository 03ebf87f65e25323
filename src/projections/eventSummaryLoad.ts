// Brings in the rows that folding a stretch of events needs and memory lacks. An app that this process has folded from its
// first event on needs nothing: what is not in memory does not exist.
import type { Knex } from 'knex'
import type { FoldEvent } from '../events/catalogue.ts'
import type { EventCollected } from '../events/eventCollected.ts'
import { bytesToUuid, uuidToBytes } from '../kernel/ids.ts'
import { DayCell, readSlot, type Series, SLOT_MS } from './eventSummaryCells.ts'
import { AppCells, type State } from './eventSummaryMemory.ts'
import { bytesOf } from './rows.ts'
import { chunks } from './rowSets.ts'
import { DistinctSet } from './distinctSet.ts'
import { DEVICES, userAgent } from './userAgents.ts'
import { loadLastChunk, loadVisitors, SUMMARY_VISITORS } from './visitorRows.ts'

type Bytes = Uint8Array | ArrayBuffer

interface Event {
  readonly data: EventCollected
  readonly atMs: number
  readonly series: Series
}

/** What the events of one app need that is not here. */
interface Lacking {
  readonly visitors: Event[]
  readonly cells: Event[]
}

export async function loadSummary(db: Knex, build: number, state: State, events: readonly FoldEvent[]): Promise<void> {
  state.memory.open = true
  await loadApps(db, build, state, events)
  const lacking = new Map<AppCells, Lacking>()
  let appId: string | undefined
  let app: AppCells | undefined
  for (const event of events) {
    if (event.appId !== appId) {
      appId = event.appId
      app = state.memory.apps.get(appId)
    }
    if (app?.partial !== true) continue
    const data = readable(event)
    if (data !== undefined) sift(state, lacking, app, data, event.occurredAt)
  }
  for (const [of, { visitors, cells }] of lacking) {
    if (visitors.length > 0) await loadVisitors(db, build, SUMMARY_VISITORS, of, visitors.map(({ data }) => data))
    if (cells.length === 0) continue
    await loadDays(db, build, state, of, cells)
    await loadSlots(db, build, state, of, cells)
  }
}

function sift(state: State, lacking: Map<AppCells, Lacking>, app: AppCells, data: EventCollected, atMs: number): void {
  const series = app.seriesOf(data.event, userAgent(data.userAgent).bot ? 1 : 0, (key) => state.names.push({ app, key, name: data.event }))
  const cellsHere = app.holds(series, atMs)
  const visitorsHere = app.visitors.whole
  if (cellsHere && visitorsHere) return
  let lacks = lacking.get(app)
  if (lacks === undefined) lacking.set(app, (lacks = { visitors: [], cells: [] }))
  const event = { data, atMs, series }
  if (!cellsHere) lacks.cells.push(event)
  if (!visitorsHere) lacks.visitors.push(event)
}

/** Undefined for what the fold will refuse: that is the fold's to say. */
function readable(event: FoldEvent): EventCollected | undefined {
  try {
    const data = event.data as EventCollected | null
    return typeof data?.event === 'string' ? data : undefined
  } catch {
    return undefined
  }
}

async function loadApps(db: Knex, build: number, state: State, events: readonly FoldEvent[]): Promise<void> {
  const { apps } = state.memory
  const missing = new Set<string>()
  let last: string | undefined
  for (const { appId } of events) {
    if (appId === last) continue
    last = appId
    if (!apps.has(appId)) missing.add(appId)
  }
  for (const ids of chunks([...missing])) {
    const rows = await db('event_summary_apps').where({ build }).whereIn('app_id', ids.map(uuidToBytes)).select<{ app_id: Bytes; visitors: number }[]>('app_id', 'visitors')
    const visitors = new Map(rows.map((row) => [bytesToUuid(bytesOf(row.app_id)), row.visitors]))
    for (const id of ids) {
      const app = new AppCells(id, state.context.timezoneOf(id), visitors.get(id))
      apps.set(id, app)
      await loadLastChunk(db, build, SUMMARY_VISITORS, app)
    }
  }
}

async function loadDays(db: Knex, build: number, state: State, app: AppCells, events: readonly Event[]): Promise<void> {
  const wanted = new Map<Series, Map<number, DayCell>>()
  const want = (series: Series, atMs: number): void => {
    const local = app.zone.at(atMs)
    const known = series.days.get(local.day)
    if (known != null || (known === undefined && series.complete)) return
    let days = wanted.get(series)
    if (days === undefined) wanted.set(series, (days = new Map<number, DayCell>()))
    if (!days.has(local.day)) days.set(local.day, new DayCell(series, local))
  }
  for (const { series, atMs } of events) {
    want(series, atMs)
    want(series.all!, atMs)
  }
  for (const [series, days] of wanted) {
    for (const some of chunks([...days.keys()])) {
      const rows = await db('event_summary_days')
        .where({ build, app_id: app.key, event_key: series.key, bot: series.bot })
        .whereIn('day', [...some])
        .select<DayRow[]>('*')
      for (const row of rows) restoreDay(days.get(row.day)!, row)
    }
    for (const [day, cell] of days) {
      series.days.set(day, cell)
      state.memory.slots += cell.slots.size
    }
  }
}

/** Some drivers answer 64-bit numbers as text. */
export type DayRow = Readonly<Record<(typeof DEVICES)[number], number | string>> & {
  readonly day: number
  readonly bot: number
  readonly visitors: Bytes
  readonly slots: Bytes | null
}

function restoreDay(cell: DayCell, row: DayRow): void {
  DEVICES.forEach((device, at) => (cell.counts[at] = Number(row[device])))
  cell.visitors = DistinctSet.fromBytes(bytesOf(row.visitors))
  cell.spilled = row.slots === null
  if (row.slots !== null) cell.unpack(bytesOf(row.slots))
}

async function loadSlots(db: Knex, build: number, state: State, app: AppCells, events: readonly Event[]): Promise<void> {
  const wanted = new Map<DayCell, Set<number>>()
  for (const { series, atMs } of events) {
    const slot = Math.floor(atMs / SLOT_MS)
    for (const one of [series, series.all!]) {
      const day = app.day(one, atMs)
      if (!day.spilled || day.slots.has(slot)) continue
      const slots = wanted.get(day)
      if (slots === undefined) wanted.set(day, new Set([slot]))
      else slots.add(slot)
    }
  }
  for (const [day, slots] of wanted) {
    const { key, bot } = day.series
    const rows = await db('event_summary_slots')
      .where({ build, app_id: app.key, event_key: key, day: day.local.day, bot })
      .whereIn('slot', [...slots])
      .select<{ slot: number; content: Bytes }[]>('slot', 'content')
    for (const row of rows) day.restore(readSlot(row.slot, bytesOf(row.content)))
    for (const slot of slots) day.slot(slot)
    state.memory.slots += slots.size
  }
}
