// Brings in the rows that folding a stretch of events needs and memory lacks. An app that this process has folded from its
// first event on needs nothing: what is not in memory does not exist.
import type { Knex } from 'knex'
import type { FoldEvent } from '../../events/catalogue.ts'
import type { Content } from '../../events/content.ts'
import type { EventCollected } from '../../events/eventCollected.ts'
import { bytesToUuid, uuidToBytes } from '../../kernel/ids.ts'
import { DayCell, readSlot, type Series, SLOT_MS } from './cells.ts'
import { linksAfter, watchSlots } from './inverse.ts'
import { AppCells, type State } from './memory.ts'
import { readContent } from '../visitors/links.ts'
import type { EventReader } from '../projection.ts'
import { bytesOf } from '../storage/rows.ts'
import { chunks } from '../storage/rowSets.ts'
import { DistinctSet } from '../sets/distinctSet.ts'
import { takingsOf } from '../visitors/takings.ts'
import { DEVICES, userAgent } from '../enrichment/userAgents.ts'
import { loadLastChunk, loadVisitors, SUMMARY_VISITORS } from '../visitors/visitorRows.ts'

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
  /** Contents that are taken back: their days are needed whole. */
  readonly goes: Event[]
  /** Whom identities turn out to be. */
  readonly users: string[]
}

export async function loadSummary(db: Knex, build: number, state: State, events: readonly FoldEvent[], reader: EventReader): Promise<void> {
  state.memory.open = true
  await loadApps(db, build, state, events)
  const taken = await takingsOf(events, reader)
  const links = taken === undefined ? [] : await linksAfter(state, events, taken, reader)
  const lacking = new Map<AppCells, Lacking>()
  let appId: string | undefined
  let app: AppCells | undefined
  for (const event of events) {
    if (event.appId !== appId) {
      appId = event.appId
      app = state.memory.apps.get(appId)
    }
    if (app?.partial !== true) continue
    const content = readContent(event)
    if (content !== undefined) sift(state, lacking, app, content)
    const goes = taken?.get(event.position)
    if (goes !== undefined) lackingOf(lacking, app).goes.push(eventOf(state, app, goes))
  }
  for (const { app, userId } of links) if (app.partial && userId !== undefined) lackingOf(lacking, app).users.push(userId)
  for (const [of, lacks] of lacking) await bringIn(db, build, state, of, lacks)
  state.inverse = taken === undefined ? undefined : { taken, watched: new Map(), links }
  if (state.inverse !== undefined) await watchSlots(state, events, state.inverse, reader)
}

async function bringIn(db: Knex, build: number, state: State, app: AppCells, { visitors, cells, goes, users }: Lacking): Promise<void> {
  const named = [...[...visitors, ...goes].map(({ data }) => data), ...users.map((userId) => ({ event: '', userId }))]
  if (named.length > 0) await loadVisitors(db, build, SUMMARY_VISITORS, app, named)
  if (cells.length + goes.length === 0) return
  await loadDays(db, build, state, app, [...cells, ...goes])
  await loadSlots(db, build, state, app, [...cells, ...goes])
  await loadWholeDays(db, build, state, app, goes)
}

function sift(state: State, lacking: Map<AppCells, Lacking>, app: AppCells, content: Content): void {
  const event = eventOf(state, app, content)
  const cellsHere = app.holds(event.series, event.atMs)
  const visitorsHere = app.visitors.whole
  if (cellsHere && visitorsHere) return
  const lacks = lackingOf(lacking, app)
  if (!cellsHere) lacks.cells.push(event)
  if (!visitorsHere) lacks.visitors.push(event)
}

function eventOf(state: State, app: AppCells, { data, occurredAt }: Content): Event {
  const series = app.seriesOf(data.event, userAgent(data.userAgent).bot ? 1 : 0, (key) => state.names.push({ app, key, name: data.event }))
  return { data, atMs: occurredAt, series }
}

function lackingOf(lacking: Map<AppCells, Lacking>, app: AppCells): Lacking {
  let lacks = lacking.get(app)
  if (lacks === undefined) lacking.set(app, (lacks = { visitors: [], cells: [], goes: [], users: [] }))
  return lacks
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

/** A day keeps a visitor while any of its quarters of an hour does, and its rows may be packed again: all of them are needed. */
async function loadWholeDays(db: Knex, build: number, state: State, app: AppCells, events: readonly Event[]): Promise<void> {
  const days = new Set<DayCell>()
  for (const { series, atMs } of events) for (const one of [series, series.all!]) days.add(app.day(one, atMs))
  for (const day of days) {
    if (!day.spilled) continue
    const { key, bot } = day.series
    const rows = await db('event_summary_slots')
      .where({ build, app_id: app.key, event_key: key, day: day.local.day, bot })
      .select<{ slot: number; content: Bytes }[]>('slot', 'content')
    for (const row of rows) {
      if (day.slots.has(row.slot)) continue
      day.restore(readSlot(row.slot, bytesOf(row.content)))
      state.memory.slots++
    }
  }
}
