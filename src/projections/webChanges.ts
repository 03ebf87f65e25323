// What the events of a stretch change, before it meets the rows: per app the sums and visitors of days, of their quarters of
// an hour, and of each value per day. Adding to it is what a rebuild's speed hangs on, so days and cells that were used last
// are kept at hand and nothing is made per event.
import type { LocalDay } from '../kernel/calendar.ts'
import { CountedChanges } from './countedSet.ts'
import { SLOT_MS } from './eventSummaryCells.ts'
import { noSums } from './webEntries.ts'
import type { WebApp } from './webMemory.ts'
import type { EventPart, VisitEventsPart, VisitPart } from './webTally.ts'

/** Of one value on one day, bots or people. */
export class CellChanges {
  events = 0
  pageviews = 0
  visits = 0
  readonly visitors = new CountedChanges()
}

export class SlotChanges {
  readonly sums = noSums()
  readonly visitors = new CountedChanges()
}

export class DayChanges extends SlotChanges {
  readonly slots = new Map<number, SlotChanges>()
  private lastNumber = NaN
  private last: SlotChanges | undefined

  slot(number: number): SlotChanges {
    if (number === this.lastNumber) return this.last!
    let slot = this.slots.get(number)
    if (slot === undefined) this.slots.set(number, (slot = new SlotChanges()))
    this.lastNumber = number
    return (this.last = slot)
  }
}

/** Of one value, by day and bot. */
export class ValueChanges {
  private lastKey = NaN
  private last: CellChanges | undefined
  readonly cells = new Map<number, CellChanges>()

  cell(dayBot: number): CellChanges {
    if (dayBot === this.lastKey) return this.last!
    let cell = this.cells.get(dayBot)
    if (cell === undefined) this.cells.set(dayBot, (cell = new CellChanges()))
    this.lastKey = dayBot
    return (this.last = cell)
  }
}

export class AppChanges {
  /** By ref. */
  readonly values = new Map<number, ValueChanges>()
  /** By day and bot: day * 2, plus 1 for bots. */
  readonly days = new Map<number, DayChanges>()
  private local: LocalDay = { day: NaN, fromMs: NaN, toMs: NaN }

  constructor(readonly app: WebApp) {}

  event({ atMs, bot, visitor, pageview, refs }: EventPart, sign: 1 | -1): void {
    const dayBot = this.dayBot(atMs, bot)
    const day = this.day(dayBot)
    const slot = day.slot(Math.floor(atMs / SLOT_MS))
    const views = pageview ? sign : 0
    day.sums.events += sign
    slot.sums.events += sign
    day.sums.pageviews += views
    slot.sums.pageviews += views
    if (visitor >= 0) {
      day.visitors.add(visitor, sign)
      slot.visitors.add(visitor, sign)
    }
    for (let at = 0; at < refs.length; at++) {
      const cell = this.value(refs[at]!).cell(dayBot)
      cell.events += sign
      cell.pageviews += views
      if (visitor >= 0) cell.visitors.add(visitor, sign)
    }
  }

  visitEvents({ day, bot, visitor, events, pageviews, refs }: VisitEventsPart, sign: 1 | -1): void {
    const dayBot = day * 2 + (bot ? 1 : 0)
    for (let at = 0; at < refs.length; at++) {
      const cell = this.value(refs[at]!).cell(dayBot)
      cell.events += sign * events
      cell.pageviews += sign * pageviews
      if (visitor >= 0) cell.visitors.add(visitor, sign)
    }
  }

  visit({ startMs, bot, pageviews, bounce, durationMs, refs }: VisitPart, sign: 1 | -1): void {
    const dayBot = this.dayBot(startMs, bot)
    const day = this.day(dayBot)
    for (const { sums } of [day, day.slot(Math.floor(startMs / SLOT_MS))]) {
      sums.visits += sign
      sums.durationMs += sign * durationMs
      if (bounce) sums.bounces += sign
      if (pageviews > 0) sums.pageviewVisits += sign
      sums.viewsInThem += sign * pageviews
    }
    for (let at = 0; at < refs.length; at++) this.value(refs[at]!).cell(dayBot).visits += sign
  }

  private dayBot(atMs: number, bot: boolean): number {
    if (!(atMs >= this.local.fromMs && atMs < this.local.toMs)) this.local = this.app.zone.at(atMs)
    return this.local.day * 2 + (bot ? 1 : 0)
  }

  private day(dayBot: number): DayChanges {
    let day = this.days.get(dayBot)
    if (day === undefined) this.days.set(dayBot, (day = new DayChanges()))
    return day
  }

  private value(ref: number): ValueChanges {
    let value = this.values.get(ref)
    if (value === undefined) this.values.set(ref, (value = new ValueChanges()))
    return value
  }
}
