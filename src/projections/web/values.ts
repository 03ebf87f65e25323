// What an event says, as refs of the tally: looked up by app, local day and dimension, so that folding needs neither the
// tally nor a text of its own for a value that the day has seen before.
import { ARRIVAL_DIMENSIONS, EVENT_DIMENSIONS } from '../../events/dimensionNames.ts'
import type { EventCollected } from '../../events/eventCollected.ts'
import { arrivalValues, eventValues, metadataValue } from '../enrichment/dimensions.ts'
import type { WantedValue, WebTally } from './tally.ts'

const PAGE = EVENT_DIMENSIONS.indexOf('page')
const ARRIVAL = EVENT_DIMENSIONS.length
const ENTRY = ARRIVAL + ARRIVAL_DIMENSIONS.length
const EXIT = ENTRY + 1
const METADATA = EXIT + 1
const NAMES: readonly string[] = [...EVENT_DIMENSIONS, ...ARRIVAL_DIMENSIONS, 'entryPage', 'exitPage']
/** In the place of a ref that the tally was not asked for yet. */
const ASKED = -2

export interface Said {
  refs: readonly number[]
  /** -1 for what is no pageview, and for a pageview without a page. */
  entry: number
  exit: number
  arrival: readonly number[] | undefined
}

type DayRefs = (Map<string, number> | undefined)[]

export class AppValues {
  /** Refs kept. */
  kept = 0
  private readonly names: readonly string[]
  private readonly days = new Map<number, DayRefs>()
  private lastDay = NaN
  private lastRefs: DayRefs = []
  private wanted: WantedValue[] = []
  /** Of the event at hand: used again for each, because lists that grow take more room than they need. */
  private readonly values: (string | undefined)[] = []
  private readonly found: number[] = []
  private count = 0

  constructor(
    private readonly appId: string,
    private readonly metadataKeys: readonly string[],
  ) {
    this.names = [...NAMES, ...metadataKeys.map((key) => `metadata.${key}`)]
  }

  /** True when every ref is known; otherwise what is not is wanted, and the same question has an answer after `learn`. */
  read(data: EventCollected, day: number, pageview: boolean, arrives: boolean, said: Said): boolean {
    const days = this.day(day)
    const { values } = this
    eventValues(data, values)
    this.count = 0
    let known = true
    for (let at = 0; at < ARRIVAL; at++) {
      const value = values[at]
      if (value !== undefined && !this.push(days, at, value, day)) known = false
    }
    for (let at = 0; at < this.metadataKeys.length; at++) {
      const value = metadataValue(data, this.metadataKeys[at]!)
      if (value !== undefined && !this.push(days, METADATA + at, value, day)) known = false
    }
    said.refs = this.found.slice(0, this.count)
    const page = pageview ? values[PAGE] : undefined
    said.entry = page === undefined ? -1 : this.ref(days, ENTRY, page, day)
    said.exit = page === undefined ? -1 : this.ref(days, EXIT, page, day)
    if (said.entry === ASKED || said.exit === ASKED) known = false
    said.arrival = undefined
    if (arrives) {
      this.count = 0
      const from = arrivalValues(data)
      for (let at = 0; at < ARRIVAL_DIMENSIONS.length; at++) {
        const value = from[at]
        if (value !== undefined && !this.push(days, ARRIVAL + at, value, day)) known = false
      }
      said.arrival = this.found.slice(0, this.count)
    }
    return known
  }

  /** What the tally is to be asked for: prepare it with these, then call `learn`. */
  take(): readonly WantedValue[] {
    const { wanted } = this
    this.wanted = []
    return wanted
  }

  learn(tally: WebTally, wanted: readonly WantedValue[]): void {
    for (const { appId, dimension, value, day } of wanted) {
      const at = this.names.indexOf(dimension)
      this.day(day)[at]!.set(value, tally.ref(appId, dimension, value, day))
    }
  }

  forget(): void {
    this.days.clear()
    this.lastDay = NaN
    this.kept = 0
  }

  private push(days: DayRefs, dimension: number, value: string, day: number): boolean {
    const ref = this.ref(days, dimension, value, day)
    if (ref === ASKED) return false
    this.found[this.count++] = ref
    return true
  }

  private ref(days: DayRefs, dimension: number, value: string, day: number): number {
    const known = days[dimension]?.get(value)
    if (known !== undefined) return known
    let values = days[dimension]
    if (values === undefined) days[dimension] = values = new Map<string, number>()
    values.set(value, ASKED)
    this.kept++
    this.wanted.push({ appId: this.appId, dimension: this.names[dimension]!, value, day })
    return ASKED
  }

  private day(day: number): DayRefs {
    if (day === this.lastDay) return this.lastRefs
    let refs = this.days.get(day)
    if (refs === undefined) this.days.set(day, (refs = []))
    this.lastDay = day
    this.lastRefs = refs
    return refs
  }
}
