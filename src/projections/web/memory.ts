// What the tally of the web read model keeps in memory from one transaction to the next, per app: its visitors and the values
// of its dimensions. Bounded; what is dropped is read again from the tables when an event needs it.
import { localDays, type LocalDays } from '../../kernel/calendar.ts'
import { textKey } from '../../kernel/hashing.ts'
import { uuidToBytes } from '../../kernel/ids.ts'
import { LIMITS } from '../../limits.ts'
import { DistinctSet } from '../sets/distinctSet.ts'
import { VisitorIndex } from '../visitors/visitorIndex.ts'
import { BLOCK } from './entries.ts'
import { LargeRows } from './pending.ts'

/** What counts under it are the values beyond the bound of a day. */
export const OTHER = '(other)'

export interface KnownValue {
  readonly ref: number
  /** The day it was last asked for, and as what ref it counts there. */
  day: number
  as: number
}

/** The values that events of a local day have said, up to the bound. */
export class DayValues {
  changed = false

  constructor(
    readonly refs: DistinctSet,
    public known: number,
  ) {}
}

export class Dimension {
  readonly key: Buffer
  readonly values = new Map<string, KnownValue>()
  readonly days = new Map<number, DayValues>()
  /** Since the last write: values that are new. */
  added: [string, number][] = []

  constructor(
    readonly name: string,
    /** A multiple of BLOCK when its blocks are full. */
    public nextRef: number,
  ) {
    this.key = textKey(name)
  }

  dayValues(day: number): DayValues {
    let values = this.days.get(day)
    if (values === undefined) this.days.set(day, (values = new DayValues(new DistinctSet(), 0)))
    return values
  }
}

export class WebApp {
  readonly key: Buffer
  readonly zone: LocalDays
  readonly visitors: VisitorIndex
  readonly dimensions = new Map<string, Dimension>()
  /** By block of refs, as far as known. */
  readonly blockOwners = new Map<number, Dimension>()
  /** True when values and their days that are not here are not in the tables either. */
  complete: boolean
  /** Local days with rows of numbers; undefined when the tables may have others. */
  writtenDays: Set<number> | undefined
  readonly largeCells = new LargeRows()

  constructor(
    appId: string,
    timezone: string,
    visitors: number,
    public blocks: number,
    fresh: boolean,
  ) {
    this.key = uuidToBytes(appId)
    this.zone = localDays(timezone)
    this.visitors = new VisitorIndex(visitors, fresh)
    this.complete = fresh
    this.writtenDays = fresh ? new Set() : undefined
  }

  dimension(name: string): Dimension {
    let dimension = this.dimensions.get(name)
    if (dimension === undefined) this.dimensions.set(name, (dimension = new Dimension(name, 0)))
    return dimension
  }

  /** Takes a new value in. */
  addValue(dimension: Dimension, value: string): KnownValue {
    if (dimension.nextRef % BLOCK === 0) {
      this.blockOwners.set(this.blocks, dimension)
      dimension.nextRef = this.blocks++ * BLOCK
    }
    const known = { ref: dimension.nextRef++, day: NaN, as: -1 }
    dimension.values.set(value, known)
    dimension.added.push([value, known.ref])
    return known
  }
}

export interface WebMemory {
  readonly apps: Map<string, WebApp>
  /** True while something here was not written yet. */
  open: boolean
}

export function newWebMemory(): WebMemory {
  return { apps: new Map(), open: false }
}

/** After a write: keeps memory within its bounds. */
export function trimWebMemory(memory: WebMemory): void {
  if (memory.apps.size > LIMITS.webAppsKept) {
    memory.apps.clear()
    return
  }
  let visitors = 0
  let values = 0
  let pending = 0
  for (const app of memory.apps.values()) {
    visitors += app.visitors.kept
    pending += app.largeCells.bytes
    for (const dimension of app.dimensions.values()) values += dimension.values.size + dimension.days.size
  }
  if (visitors > LIMITS.webVisitorsKept) for (const app of memory.apps.values()) app.visitors.forget()
  if (pending > LIMITS.cellsPendingBytes) for (const app of memory.apps.values()) app.largeCells.forget()
  if (values <= LIMITS.webValuesKept) return
  for (const app of memory.apps.values()) {
    app.complete = false
    for (const dimension of app.dimensions.values()) {
      dimension.values.clear()
      dimension.days.clear()
    }
  }
}
