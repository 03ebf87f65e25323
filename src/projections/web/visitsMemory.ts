// What the web projection keeps of visits from one transaction to the next, per app: the runs of clients that were met
// lately, and refs of values. Bounded; what is dropped is read again from the tables when an event needs it.
import type { EventCollected } from '../../events/eventCollected.ts'
import type { FoldContext } from '../projection.ts'
import type { Definitions } from '../../events/definitions.ts'
import { type LocalDay, localDays, type LocalDays } from '../../kernel/calendar.ts'
import { textKey } from '../../kernel/hashing.ts'
import { uuidToBytes } from '../../kernel/ids.ts'
import { LIMITS } from '../../limits.ts'
import type { Identity } from '../visitors/visitors.ts'
import type { Client } from '../visitors/visitRules.ts'
import type { Seen } from './seen.ts'
import type { WebTally } from './tally.ts'
import { Timeline, type TimelineApp } from './timeline.ts'
import { AppValues } from './values.ts'
import { type Contribution, contributionOf } from './visitParts.ts'
import type { Visit } from './visit.ts'

export class AppVisits implements TimelineApp {
  readonly key: Buffer
  readonly values: AppValues
  latest = 0
  /** True when a client that is not here is not in the tables either. */
  private complete: boolean
  private readonly zone: LocalDays
  private lastDay: LocalDay = { day: 0, fromMs: 0, toMs: 0 }
  private young = new Map<string, Timeline>()
  private old = new Map<string, Timeline>()

  constructor(
    readonly appId: string,
    timezone: string,
    definitions: Definitions,
    public longestMs: number | undefined,
    private readonly memory: Memory,
  ) {
    this.complete = longestMs === undefined
    this.key = uuidToBytes(appId)
    this.zone = localDays(timezone)
    this.values = new AppValues(appId, definitions.dimensions.map(({ spec }) => spec.key))
  }

  day(atMs: number): number {
    if (atMs < this.lastDay.fromMs || atMs >= this.lastDay.toMs) this.lastDay = this.zone.at(atMs)
    return this.lastDay.day
  }

  timeline({ key, explicit }: Client, bot: boolean): Timeline {
    let timeline = this.young.get(key)
    if (timeline !== undefined) return timeline
    timeline = this.old.get(key)
    if (timeline === undefined) {
      timeline = new Timeline(this, textKey(key), bot, explicit)
      if (this.complete) timeline.cover(-Infinity, Infinity)
    }
    this.memory.kept += 1 + timeline.visits.length
    this.young.set(key, timeline)
    return timeline
  }

  /** Two generations instead of a list of uses: drops what was not looked at since the last turn. */
  turn(): void {
    if (this.old.size > 0) this.complete = false
    this.old = this.young
    this.young = new Map()
  }
}

export interface Memory {
  readonly apps: Map<string, AppVisits>
  /** The tally's own. */
  readonly tally: unknown
  /** Visits and clients of the young generation, about. */
  kept: number
  /** True while a fold has moved it that was not written yet. */
  open: boolean
}

/** An event that was collected or corrected, with what folding it needs. */
export interface Item extends Seen {
  readonly app: AppVisits
  readonly data: EventCollected
  readonly bot: boolean
  /** Undefined for an event that is in no visit. */
  readonly timeline: Timeline | undefined
  visitor: number
}

/** What a correction or retraction takes away, and what it puts in its place. */
export interface Change {
  readonly app: AppVisits
  readonly taken: Item | undefined
  readonly put: Item | undefined
}

/** What a correction made of the link of an identity. */
export interface Relink {
  readonly app: AppVisits
  readonly identity: Identity
  readonly userId: string | undefined
}

interface Touched {
  readonly timeline: Timeline
  readonly visit: Visit
  readonly before: Contribution | undefined
  /** Rows that name further visitors, as they are. */
  readonly listed: readonly number[]
}

export class State {
  /** One for each event of the page; undefined for what counts nothing, or cannot be read: that is the fold's to say. */
  page: (Item | Change | undefined)[] = []
  relinks: Relink[] = []
  readonly touched: Touched[] = []
  /** With rows to delete. */
  readonly timelines = new Set<Timeline>()
  /** Timelines that know what their runs consist of, for this page. */
  readonly opened = new Set<Timeline>()

  constructor(
    readonly memory: Memory,
    readonly tally: WebTally,
    readonly context: FoldContext,
  ) {}

  readonly touch = (timeline: Timeline, visit: Visit): void => {
    if (visit.touched) return
    visit.touched = true
    const known = visit.storedStart !== undefined
    if (!known) this.memory.kept++
    this.timelines.add(timeline)
    const before = known ? contributionOf(visit, timeline.bot) : undefined
    this.touched.push({ timeline, visit, before, listed: known ? visitorsOf(visit).slice(1) : [] })
  }
}

/** Of a visit, lowest first; none for engagement alone. */
export function visitorsOf({ parts }: Visit): number[] {
  const visitors = new Set<number>()
  for (const { visitor } of parts) if (visitor >= 0) visitors.add(visitor)
  return [...visitors].sort((left, right) => left - right)
}

export function trim(memory: Memory): void {
  let refs = 0
  for (const { values } of memory.apps.values()) refs += values.kept
  if (refs > LIMITS.visitRefsKept) for (const { values } of memory.apps.values()) values.forget()
  if (memory.apps.size > LIMITS.summaryAppsKept) memory.apps.clear()
  if (memory.kept <= LIMITS.visitsKept / 2) return
  memory.kept = 0
  for (const app of memory.apps.values()) app.turn()
}
