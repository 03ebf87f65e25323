// A run of one client's carrying events, and the visit in it: from its first interactive event on, if it has one. Knows all
// that an event, early or late, or a neighbour it grows together with can change, so neither needs an event to be read
// again; and what it comes to does not depend on the order in which events were added.
import { LIMITS } from '../../limits.ts'
import { addNumber, addToRuns, uniteRuns } from '../sets/sortedNumbers.ts'
import { isBefore, type Mark, type Seen } from './seen.ts'

export interface PageMark extends Mark {
  /** -1 when the pageview has no page. */
  readonly ref: number
}

export interface ArrivalMark extends Mark {
  readonly refs: readonly number[]
}

/** What one visitor did in it on one local day. */
export interface Part {
  readonly day: number
  readonly visitor: number
  events: number
  pageviews: number
}

const FEW_PARTS = 16

/** Equal for the same day and visitor. */
export function partKey({ day, visitor }: { readonly day: number; readonly visitor: number }): number {
  return day * 2 ** 32 + visitor + 1
}

export class Visit {
  start = Infinity
  end = -Infinity
  /** Its first interactive event, with which the visit starts. */
  first: Mark | undefined
  pageviews = 0
  /** Interactive events that are no pageviews. */
  others = 0
  entry: PageMark | undefined
  exit: PageMark | undefined
  arrival: ArrivalMark | undefined
  /** What the events of the visit say, sorted. */
  refs: number[] = []
  parts: Part[] = []
  /** Engagement before the first interactive event: in no visit, until an earlier interactive event comes. */
  leading: Seen[] = []
  /** Where its contents stand in the log: first and last of each run of neighbours. */
  runs: number[] = []
  /** Runs that were put away in rows of their own, by their first position. */
  pieces: number[] = []
  /** Of these, what has no row yet. */
  newPieces: number[][] = []
  /** The row's key, once it has a row. */
  storedStart: number | undefined
  private partsByKey: Map<number, Part> | undefined
  /** True once another has absorbed it, or it was cut. */
  dropped = false
  /** True in a transaction that has changed it. */
  touched = false

  add(seen: Seen): void {
    const { at } = seen
    if (at < this.start) this.start = at
    if (at > this.end) this.end = at
    addToRuns(this.runs, seen.contentPosition)
    if (this.runs.length > 2 * LIMITS.visitRunsKept) this.putAway()
    if (!seen.interactive) {
      if (this.first !== undefined && isBefore(this.first, seen)) this.count(seen)
      else if (this.leading.length < LIMITS.visitLeadingKept) this.leading.push(seen)
      return
    }
    this.count(seen)
    if (this.first === undefined || isBefore(seen, this.first)) {
      this.first = { at, position: seen.position }
      this.wake()
    }
    if (seen.arrival !== undefined && (this.arrival === undefined || isBefore(seen, this.arrival))) {
      this.arrival = { at, position: seen.position, refs: seen.arrival }
    }
    if (!seen.pageview) {
      this.others++
      return
    }
    this.pageviews++
    if (this.entry === undefined || isBefore(seen, this.entry)) this.entry = { at, position: seen.position, ref: seen.entry }
    if (this.exit === undefined || isBefore(this.exit, seen)) this.exit = { at, position: seen.position, ref: seen.exit }
  }

  /** Takes in a neighbour of the same client. */
  absorb(other: Visit): void {
    this.start = Math.min(this.start, other.start)
    this.end = Math.max(this.end, other.end)
    this.first = earlier(this.first, other.first)
    this.entry = earlier(this.entry, other.entry)
    this.arrival = earlier(this.arrival, other.arrival)
    if (other.exit !== undefined && (this.exit === undefined || isBefore(this.exit, other.exit))) this.exit = other.exit
    this.pageviews += other.pageviews
    this.others += other.others
    for (const ref of other.refs) this.addRef(ref)
    for (const { day, visitor, events, pageviews } of other.parts) this.addTo(day, visitor, events, pageviews)
    for (const seen of other.leading) if (this.leading.length < LIMITS.visitLeadingKept) this.leading.push(seen)
    this.wake()
    this.pieces = [...this.pieces, ...other.pieces]
    this.newPieces = [...this.newPieces, ...other.newPieces]
    this.runs = uniteRuns(this.runs, other.runs)
    if (this.runs.length > 2 * LIMITS.visitRunsKept) this.putAway()
  }

  private count({ refs, day, visitor, pageview }: Seen): void {
    for (const ref of refs) this.addRef(ref)
    this.addTo(day, visitor, 1, pageview ? 1 : 0)
  }

  private addRef(ref: number): void {
    if (this.refs.length < LIMITS.visitValuesKept) addNumber(this.refs, ref)
  }

  private addTo(day: number, visitor: number, events: number, pageviews: number): void {
    const part = this.partOf(day, visitor)
    if (part === undefined) {
      const added = { day, visitor, events, pageviews }
      this.parts.push(added)
      this.partsByKey?.set(partKey(added), added)
      return
    }
    part.events += events
    part.pageviews += pageviews
  }

  private partOf(day: number, visitor: number): Part | undefined {
    const { parts } = this
    if (parts.length <= FEW_PARTS) {
      for (let at = parts.length - 1; at >= 0; at--) if (parts[at]!.day === day && parts[at]!.visitor === visitor) return parts[at]
      return undefined
    }
    this.partsByKey ??= new Map(parts.map((part) => [partKey(part), part]))
    return this.partsByKey.get(partKey({ day, visitor }))
  }

  /** Engagement that an earlier interactive event has made part of the visit. */
  private wake(): void {
    const { first } = this
    if (first === undefined || this.leading.length === 0) return
    const still: Seen[] = []
    for (const seen of this.leading) {
      if (isBefore(first, seen)) this.count(seen)
      else still.push(seen)
    }
    this.leading = still
  }

  private putAway(): void {
    this.pieces.push(this.runs[0]!)
    this.newPieces.push(this.runs)
    this.runs = []
  }
}

function earlier<M extends Mark>(left: M | undefined, right: M | undefined): M | undefined {
  if (left === undefined || right === undefined) return left ?? right
  return isBefore(right, left) ? right : left
}
