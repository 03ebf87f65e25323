// What eventSummary keeps in memory from one transaction to the next, per app: its series of days and its visitors. Bounded;
// what is dropped is read again from the tables when an event needs it.
import { localDays, type LocalDays } from '../../kernel/calendar.ts'
import { textKey } from '../../kernel/hashing.ts'
import { uuidToBytes } from '../../kernel/ids.ts'
import { LIMITS } from '../../limits.ts'
import { type Counts, DayCell, noCounts, Series, SLOT_MS, type SlotCell } from './cells.ts'
import type { Inverse } from './inverse.ts'
import type { FoldContext } from '../projection.ts'
import { VisitorIndex } from '../visitors/visitorIndex.ts'

/** The key of all events together. */
export const ALL_EVENTS = Buffer.alloc(16)

export function eventKey(name: string | undefined): Buffer {
  return name === undefined ? ALL_EVENTS : textKey(name)
}

export class AppCells {
  readonly key: Buffer
  readonly zone: LocalDays
  readonly visitors: VisitorIndex
  /** True when the tables may know something of this app that is not here. */
  partial: boolean
  private readonly fresh: boolean
  private readonly all: readonly [Series, Series]
  private readonly series: readonly [Map<string, Series>, Map<string, Series>] = [new Map(), new Map()]

  constructor(appId: string, timezone: string, visitors: number | undefined) {
    this.key = uuidToBytes(appId)
    this.zone = localDays(timezone)
    this.fresh = visitors === undefined
    this.partial = !this.fresh
    this.visitors = new VisitorIndex(visitors ?? 0, this.fresh)
    this.all = [new Series(ALL_EVENTS, 0, undefined, this.fresh), new Series(ALL_EVENTS, 1, undefined, this.fresh)]
  }

  /** Calls back with each name that was not known here. */
  seriesOf(name: string, bot: 0 | 1, added: (key: Buffer) => void): Series {
    let series = this.series[bot].get(name)
    if (series === undefined) {
      series = new Series(textKey(name), bot, this.all[bot], this.fresh)
      this.series[bot].set(name, series)
      added(series.key)
    }
    return series
  }

  *everySeries(): Generator<Series> {
    yield* this.all
    for (const byName of this.series) yield* byName.values()
  }

  /** Whether every row that an event of this series and time is part of is in memory. */
  holds(series: Series, atMs: number): boolean {
    const slot = Math.floor(atMs / SLOT_MS)
    const last = series.lastDay
    // A leaf that was folded into knows that of all events.
    if (last?.lastSlot?.slot === slot && atMs >= last.local.fromMs && atMs < last.local.toMs) return true
    const { day } = this.zone.at(atMs)
    return holdsSlot(series, day, slot) && holdsSlot(series.all!, day, slot)
  }

  day(series: Series, atMs: number): DayCell {
    const last = series.lastDay
    if (last !== undefined && atMs >= last.local.fromMs && atMs < last.local.toMs) return last
    const local = this.zone.at(atMs)
    let day = series.days.get(local.day)
    if (day == null) series.days.set(local.day, (day = new DayCell(series, local)))
    series.lastDay = day
    return day
  }
}

function holdsSlot(series: Series, day: number, slot: number): boolean {
  const cell = series.days.get(day)
  if (cell === undefined) return series.complete
  return cell !== null && (!cell.spilled || cell.slots.has(slot))
}

export interface Memory {
  readonly apps: Map<string, AppCells>
  /** Quarters of an hour kept, about. */
  slots: number
  /** Counts writes. */
  generation: number
  /** True while a fold has moved it that was not written yet. */
  open: boolean
}

export interface State {
  readonly memory: Memory
  readonly context: FoldContext
  /** Leaves with pending counts. */
  readonly leaves: { readonly app: AppCells; readonly leaf: SlotCell }[]
  readonly apps: Set<AppCells>
  readonly names: { readonly app: AppCells; readonly key: Buffer; readonly name: string }[]
  /** What corrections and retractions of the page that is loaded take back; undefined while there are none. */
  inverse: Inverse | undefined
}

export function newMemory(): Memory {
  return { apps: new Map(), slots: 0, generation: 0, open: false }
}

export function newState(memory: Memory, context: FoldContext): State {
  // A fold that was never written left things here that the tables do not have.
  if (memory.open) drop(memory)
  return { memory, context, leaves: [], apps: new Set(), names: [], inverse: undefined }
}

/** The quarter of an hour that an event of this name and time belongs to, known to that of all events. */
export function leafOf(state: State, app: AppCells, name: string, bot: 0 | 1, atMs: number): SlotCell {
  const series = app.seriesOf(name, bot, (key) => state.names.push({ app, key, name }))
  const day = app.day(series, atMs)
  const slot = Math.floor(atMs / SLOT_MS)
  if (day.lastSlot?.slot === slot) return day.lastSlot
  const leaf = day.slot(slot)
  if (leaf.all === undefined) {
    leaf.all = app.day(series.all!, atMs).slot(slot)
    state.memory.slots += 2
  }
  day.lastSlot = leaf
  return leaf
}

/** Counts that the leaf's rows do not have yet; the leaf will be written. */
export function pendingOf(state: State, app: AppCells, leaf: SlotCell): Counts {
  if (leaf.pending === undefined) {
    leaf.pending = noCounts()
    state.leaves.push({ app, leaf })
    state.apps.add(app)
  }
  return leaf.pending
}

export function drop(memory: Memory): void {
  memory.apps.clear()
  memory.slots = 0
  memory.open = false
}

/** After a write: keeps memory within its bounds, dropping first what that write did not touch. */
export function trim(memory: Memory): void {
  if (memory.apps.size > LIMITS.summaryAppsKept) {
    drop(memory)
    return
  }
  let visitors = 0
  for (const app of memory.apps.values()) visitors += app.visitors.kept
  if (visitors > LIMITS.summaryVisitorsKept) {
    for (const app of memory.apps.values()) {
      app.visitors.forget()
      app.partial = true
    }
  }
  if (memory.slots <= LIMITS.summarySlotsKept) return
  memory.slots = 0
  for (const app of memory.apps.values()) {
    for (const series of app.everySeries()) {
      series.lastDay = undefined
      for (const [day, cell] of series.days) {
        if (cell === null) continue
        if (cell.touched === memory.generation) memory.slots += cell.slots.size
        else series.days.set(day, null)
      }
    }
    app.partial = true
  }
}
