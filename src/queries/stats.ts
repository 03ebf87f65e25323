// A stats question in one form, whoever asks it and whatever answers it: the tables, the log, a recount, a difference between
// two moments. Answers from tables and from the log are deeply equal, `from` aside.
import type { GoalSpec, ReportSpec } from '../events/definitions.ts'
import type { Filter } from '../events/filter.ts'
import type { Range } from './query.ts'

export type Bots = 'include' | 'exclude' | 'only'
export const INTERVALS = ['minute', 'hour', 'day', 'week', 'month'] as const
export type Interval = (typeof INTERVALS)[number]
export const SORTS = ['events', 'visitors', 'visits', 'pageviews'] as const
export type Sort = (typeof SORTS)[number]

/** What all of them have. */
export interface Asked {
  readonly appId: string
  readonly range: Range
  readonly bots: Bots
  /**
   * Which events count. Visits are cut before it is applied; a visit counts if any of its events passes, wherever in time,
   * and then over its whole length. The same holds for `event` and for a row of a breakdown.
   */
  readonly filter?: Filter | undefined
}

export type StatsQuestion =
  | (Asked & { readonly name: 'event-summary'; readonly event?: string | undefined })
  | (Asked & { readonly name: 'overview' })
  | (Asked & { readonly name: 'timeseries'; readonly interval: Interval; readonly event?: string | undefined })
  | (Asked & {
      readonly name: 'breakdown'
      /** One of DIMENSIONS or `metadata.<key>`. */
      readonly dimension: string
      readonly sort: Sort
      readonly limit: number
      /** How many rows come before. */
      readonly offset: number
    })
  | (Asked & { readonly name: 'goal'; readonly goal: GoalSpec })
  | (Asked & { readonly name: 'report'; readonly report: ReportSpec })
  /** Over all time: see ALL_TIME. */
  | (Asked & { readonly name: 'user-stats'; readonly userId: string })

/** The range of a question that takes none: whatever instant an event may claim. */
export const ALL_TIME = { fromMs: 0, toMs: 8_640_000_000_000_000 } as const

export interface VisitorsBy {
  readonly userId: number
  readonly anonymousId: number
  readonly cookieless: number
}

export interface OverviewResult {
  readonly visitors: number
  readonly visits: number
  readonly pageviews: number
  readonly events: number
  /** 0 to 1, null without a visit that has a pageview. */
  readonly bounceRate: number | null
  readonly visitDurationSeconds: number | null
  readonly viewsPerVisit: number | null
  /** Of the distinct visitors, by what they were known by after links were applied; sums to `visitors`. */
  readonly visitorsBy: VisitorsBy
  /** Events of bots in the range, whatever `bots` says; under a filter, those that pass it. */
  readonly botEvents: number
}

export interface TimeseriesPoint {
  /** ISO 8601 instant at which the interval starts; the first and last may reach beyond the range. */
  readonly at: string
  readonly visitors: number
  /** Visits that start in it. */
  readonly visits: number
  readonly pageviews: number
  readonly events: number
}

export interface TimeseriesResult {
  readonly interval: Interval
  readonly points: readonly TimeseriesPoint[]
}

export interface BreakdownRow {
  readonly value: string
  readonly events: number
  readonly visitors: number
  /** Visits that start in the range and hold an event with this value. */
  readonly visits: number
  readonly pageviews: number
}

export interface BreakdownResult {
  readonly dimension: string
  /** A value has a row when an event in the range has it, or a visit that starts there does (then perhaps with 0 events). */
  readonly rows: readonly BreakdownRow[]
  /** Events in the range: those of all values, and `without`. */
  readonly total: number
  /** Events that lack a value. */
  readonly without: number
  /** How many values there are. */
  readonly values: number
  readonly nextCursor: string | null
}

export interface Revenue {
  /** ISO 4217, null where the event names none. */
  readonly currency: string | null
  readonly sum: number
}

export interface GoalResult {
  readonly name: string
  /** Events that match. */
  readonly conversions: number
  /** Distinct visitors among them. */
  readonly converters: number
  /** All visitors in the range. */
  readonly visitors: number
  /** converters / visitors; null without visitors. */
  readonly conversionRate: number | null
  /** By currency, sorted; empty when the goal has no value. */
  readonly revenue: readonly Revenue[]
}

export interface ReportRow {
  /** ISO 8601 start of the interval; null when the report has none. */
  readonly at: string | null
  /** One per dimension of the report; null where the event lacks it. */
  readonly dimensions: readonly (string | null)[]
  /** One per measure of the report; null where no event has the number. */
  readonly measures: readonly (number | null)[]
}

export interface ReportResult {
  readonly name: string
  readonly interval: ReportSpec['interval']
  readonly dimensions: readonly string[]
  /** `count`, `sum(metadata.price)`, … */
  readonly measures: readonly string[]
  /** By time, then by dimensions. */
  readonly rows: readonly ReportRow[]
}
