// What the events of a stretch change, before it meets the rows: per app the sums and visitors of days, of their quarters of
// an hour, and of each value per day. Adding to it is what a rebuild's speed hangs on, so days and cells that were used last
// are kept at hand and nothing is made per event.
import type { LocalDay } from '../../kernel/calendar.ts'
import type { Contributions } from '../sets/countedSet.ts'
import { SLOT_MS } from '../eventSummary/cells.ts'
import { BLOCK, noSums } from './entries.ts'
import type { WebApp } from './memory.ts'
import type { EventPart, VisitEventsPart, VisitPart } from './tally.ts'

/** Of one value on one day, bots or people. */
export class CellChanges {
  events = 0
  pageviews = 0
  visits = 0

  /** The number of its visitors among the contributions. */
  constructor(readonly visitors: number) {}
}

export class SlotChanges {
  readonly sums = noSums()

  constructor(readonly visitors: number) {}
}

export class DayChanges extends SlotChanges {
  readonly slots = new Map<number, SlotChanges>()
  private lastNumber = NaN
  private last: SlotChanges | undefined

  slot(number: number, contributions: Contributions): SlotChanges {
    if (number === this.lastNumber) return this.last!
    let slot = this.slots.get(number)
    if (slot === undefined) this.slots.set(number, (slot = new SlotChanges(contributions.newSet())))
    this.lastNumber = number
    return (this.last = slot)
  }
}

/** Of one value, by day and bot. */
class ValueChanges {
  private lastKey = NaN
  private last: CellChanges | undefined
  private cells: Map<number, CellChanges> | undefined

  constructor(readonly ref: number) {}

  cell(dayBot: number, contributions: Contributions): CellChanges {
    return dayBot === this.lastKey ? this.last! : this.other(dayBot, contributions)
  }

  *all(): Generator<readonly [dayBot: number, cell: CellChanges]> {
    if (this.cells !== undefined) yield* this.cells
    else if (this.last !== undefined) yield [this.lastKey, this.last]
  }

  /** Most values are met on one day of a stretch only, so the map is made for the second. */
  private other(dayBot: number, contributions: Contributions): CellChanges {
    if (this.last !== undefined) this.cells ??= new Map([[this.lastKey, this.last]])
    let cell = this.cells?.get(dayBot)
    if (cell === undefined) {
      cell = new CellChanges(contributions.newSet())
      this.cells?.set(dayBot, cell)
    }
    this.lastKey = dayBot
    return (this.last = cell)
  }
}

export class AppChanges {
  /** By block and place in it, for refs in use. */
  private readonly values: ((ValueChanges | undefined)[] | undefined)[] = []
  readonly blocks = new Set<number>()
  /** Local days of which anything changes. */
  readonly daysTouched = new Set<number>()
  /** By day and bot: day * 2, plus 1 for bots. */
  readonly days = new Map<number, DayChanges>()
  private local: LocalDay = { day: NaN, fromMs: NaN, toMs: NaN }

  constructor(
    readonly app: WebApp,
    readonly contributions: Contributions,
  ) {}

  /** Every cell that changes, by block. */
  *cells(block: number): Generator<readonly [index: number, dayBot: number, cell: CellChanges]> {
    for (const value of this.values[block]!) {
      if (value !== undefined) for (const [dayBot, cell] of value.all()) yield [value.ref % BLOCK, dayBot, cell]
    }
  }

  event({ atMs, bot, visitor, pageview, refs }: EventPart, sign: 1 | -1): void {
    const { contributions } = this
    const dayBot = this.dayBot(atMs, bot)
    const day = this.day(dayBot)
    const slot = day.slot(Math.floor(atMs / SLOT_MS), contributions)
    const views = pageview ? sign : 0
    day.sums.events += sign
    slot.sums.events += sign
    day.sums.pageviews += views
    slot.sums.pageviews += views
    if (visitor >= 0) {
      contributions.add(day.visitors, visitor, sign)
      contributions.add(slot.visitors, visitor, sign)
    }
    for (let at = 0; at < refs.length; at++) {
      const cell = this.value(refs[at]!).cell(dayBot, contributions)
      cell.events += sign
      cell.pageviews += views
      if (visitor >= 0) contributions.add(cell.visitors, visitor, sign)
    }
  }

  visitEvents({ day, bot, visitor, events, pageviews, refs }: VisitEventsPart, sign: 1 | -1): void {
    const { contributions } = this
    this.daysTouched.add(day)
    const dayBot = day * 2 + (bot ? 1 : 0)
    for (let at = 0; at < refs.length; at++) {
      const cell = this.value(refs[at]!).cell(dayBot, contributions)
      cell.events += sign * events
      cell.pageviews += sign * pageviews
      if (visitor >= 0) contributions.add(cell.visitors, visitor, sign)
    }
  }

  visit({ startMs, bot, pageviews, bounce, durationMs, refs }: VisitPart, sign: 1 | -1): void {
    const dayBot = this.dayBot(startMs, bot)
    const day = this.day(dayBot)
    for (const { sums } of [day, day.slot(Math.floor(startMs / SLOT_MS), this.contributions)]) {
      sums.visits += sign
      sums.durationMs += sign * durationMs
      if (bounce) sums.bounces += sign
      if (pageviews > 0) sums.pageviewVisits += sign
      sums.viewsInThem += sign * pageviews
    }
    for (let at = 0; at < refs.length; at++) this.value(refs[at]!).cell(dayBot, this.contributions).visits += sign
  }

  private dayBot(atMs: number, bot: boolean): number {
    if (!(atMs >= this.local.fromMs && atMs < this.local.toMs)) this.local = this.app.zone.at(atMs)
    return this.local.day * 2 + (bot ? 1 : 0)
  }

  private day(dayBot: number): DayChanges {
    let day = this.days.get(dayBot)
    if (day === undefined) {
      this.daysTouched.add(Math.floor(dayBot / 2))
      this.days.set(dayBot, (day = new DayChanges(this.contributions.newSet())))
    }
    return day
  }

  private value(ref: number): ValueChanges {
    return this.values[Math.floor(ref / BLOCK)]?.[ref % BLOCK] ?? this.newValue(ref)
  }

  private newValue(ref: number): ValueChanges {
    const block = Math.floor(ref / BLOCK)
    this.blocks.add(block)
    // Without gaps, so that they stay arrays and do not become tables.
    while (this.values.length <= block) this.values.push(undefined)
    const values = (this.values[block] ??= [])
    while (values.length <= ref % BLOCK) values.push(undefined)
    return (values[ref % BLOCK] = new ValueChanges(ref))
  }
}
