// The runs of one client in order of time, as far as they are in memory, and which stretches of time that covers. An event
// extends a run, starts one, or joins two; a run with an event taken out is cut again.
import { VISIT_GAP_MS } from '../visitors/visitRules.ts'
import { isBefore, type Seen } from './seen.ts'
import { Visit } from './visit.ts'

const WINDOWS_KEPT = 8

export interface TimelineApp {
  readonly appId: string
  readonly key: Buffer
  /** The latest time an event of it claimed, as far as this process knows: a guess at what comes next, and no more. */
  latest: number
  /** No run without a sessionId is longer, says its row; undefined where it has none. */
  longestMs: number | undefined
}

/** Told of each run before it is changed. */
export type Touch = (timeline: Timeline, visit: Visit) => void

export class Timeline {
  /** Sorted; more than the gap lies between any two. */
  readonly visits: Visit[] = []
  /** All runs that end then or later are here. */
  from = Infinity
  /** Further stretches of time: all runs that touch one are here. */
  private windows: (readonly [from: number, to: number])[] = []
  /** Keys of rows whose runs are no more, or start elsewhere now: since the last write. */
  gone: number[] = []
  /** First positions of rows of runs that are to go: since the last write. */
  gonePieces: number[] = []
  /** By position: what the runs that a correction may cut again consist of; undefined where none does. */
  contents: Map<number, Seen> | undefined

  constructor(
    readonly app: TimelineApp,
    /** The client's key in the tables. */
    readonly key: Buffer,
    readonly bot: boolean,
    /** One visit, whatever passes between its events. */
    readonly explicit: boolean,
  ) {}

  /** Whether all runs that an event at this time can touch are here. */
  covers(at: number): boolean {
    const earliest = this.explicit ? -Infinity : at - VISIT_GAP_MS
    if (this.from <= earliest) return true
    return this.windows.some(([from, to]) => from <= earliest && at + VISIT_GAP_MS <= to)
  }

  cover(from: number, to: number): void {
    if (to === Infinity) this.from = Math.min(this.from, from)
    else {
      if (this.windows.length >= WINDOWS_KEPT) this.windows = []
      this.windows.push([from, to])
    }
  }

  /** What a row says; it may be here already, changed since or gone. */
  restore(visit: Visit): void {
    const key = visit.storedStart!
    if (this.gone.includes(key) || this.visits.some(({ storedStart }) => storedStart === key)) return
    this.visits.splice(this.place(visit.start), 0, visit)
  }

  add(seen: Seen, touch: Touch): void {
    this.contents?.set(seen.contentPosition, seen)
    const { visits } = this
    const { at } = seen
    const last = visits[visits.length - 1]
    if (last !== undefined && at >= last.start && at - last.end <= this.gap) {
      touch(this, last)
      last.add(seen)
      return
    }
    if (last === undefined || at > last.end) {
      visits.push(this.fresh(seen, touch))
      return
    }
    this.addLate(seen, touch)
  }

  /** The runs that an event at this time is part of or would become part of: at most two. */
  touching(at: number): Visit[] {
    const right = this.place(at)
    const found: Visit[] = []
    for (const visit of [this.visits[right - 1], this.visits[right]]) {
      if (visit !== undefined && visit.start - at <= this.gap && at - visit.end <= this.gap) found.push(visit)
    }
    return found
  }

  /** Takes an event out of its run, which is cut again from what else it consists of. */
  remove(contentPosition: number, at: number, touch: Touch): void {
    const { contents } = this
    const visit = this.touching(at).find(({ start, end }) => start <= at && at <= end)
    if (visit === undefined || contents?.delete(contentPosition) !== true) return
    touch(this, visit)
    this.drop(visit)
    this.gonePieces.push(...visit.pieces)
    const rest = [...contents.values()].filter((seen) => seen.at >= visit.start && seen.at <= visit.end)
    const cut: Visit[] = []
    for (const seen of rest.sort((left, right) => (isBefore(left, right) ? -1 : 1))) {
      let current = cut.at(-1)
      if (current === undefined || seen.at - current.end > this.gap) {
        current = new Visit()
        touch(this, current)
        cut.push(current)
      }
      current.add(seen)
    }
    this.visits.splice(this.place(visit.start), 0, ...cut)
  }

  private get gap(): number {
    return this.explicit ? Infinity : VISIT_GAP_MS
  }

  private addLate(seen: Seen, touch: Touch): void {
    const [left, right] = this.touching(seen.at)
    if (left === undefined) {
      this.visits.splice(this.place(seen.at), 0, this.fresh(seen, touch))
      return
    }
    touch(this, left)
    left.add(seen)
    if (right === undefined) return
    touch(this, right)
    this.drop(right)
    left.absorb(right)
  }

  private fresh(seen: Seen, touch: Touch): Visit {
    const visit = new Visit()
    touch(this, visit)
    visit.add(seen)
    return visit
  }

  private drop(visit: Visit): void {
    this.visits.splice(this.visits.indexOf(visit), 1)
    if (visit.storedStart !== undefined) this.gone.push(visit.storedStart)
    visit.dropped = true
  }

  private place(start: number): number {
    let low = 0
    let high = this.visits.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.visits[middle]!.start < start) low = middle + 1
      else high = middle
    }
    return low
  }
}
