// What an answer from the log takes and gives besides the question itself: where it reads, how far, how it is stopped, and
// how the events behind a number are named.
import type { EventLog } from '../../events/eventLog.ts'

/** All that an answer needs of a log. */
export type LogSource = Pick<EventLog, 'scan' | 'readApp'>

export interface LogAnswerOptions {
  /** The answer is as known at this position of the app's partition: nothing beyond it is read. */
  readonly upTo: number
  /** Aborting throws the signal's reason, within a page. */
  readonly signal?: AbortSignal | undefined
  /** Called once a page with the number of events of the app read so far. */
  readonly onProgress?: ((scanned: number) => void) | undefined
  /** More events of the app than this up to `upTo` throw LogTooLong. Default: LIMITS.logAnswerEvents. */
  readonly maxEvents?: number | undefined
}

export interface LogAnswer {
  /** As stats.ts has it for the question, without range, asOf and from. */
  readonly result: object
  /** Events of the app that were read. */
  readonly scanned: number
}

/** The app has more events than an answer from the log reads. Declared dimensions and definitions are answered by tables. */
export class LogTooLong extends Error {
  constructor(readonly maxEvents: number) {
    super(`the app has more than ${maxEvents} events, which is more than an answer from the log reads`)
    this.name = 'LogTooLong'
  }
}

export const LISTED_MEASURES = ['events', 'pageviews', 'visitors', 'visits', 'botEvents', 'conversions', 'converters'] as const

/** Which number of an answer. `events` is also a summary's or a report's count. */
export interface Part {
  readonly measure: (typeof LISTED_MEASURES)[number]
  /** The row of a breakdown. */
  readonly value?: string | undefined
  /** The point of a timeseries or the row of a report: `at` as the answer has it. */
  readonly at?: string | undefined
  /** The row of a report: `dimensions` as the answer has them. */
  readonly dimensions?: readonly (string | null)[] | undefined
}

export interface ListOptions extends LogAnswerOptions {
  /** Only contents that stand after this position. */
  readonly after: number
  readonly limit: number
}

export interface ListedEvent {
  /** Where the content that counts stands: the collected event, or its latest correction. */
  readonly position: number
  /** Where the event was collected. */
  readonly eventPosition: number
}

export interface ExplainOptions extends LogAnswerOptions {
  /** Absent: `events` (or `conversions` of a goal). */
  readonly part?: Part | undefined
}

export interface Reason {
  /**
   * `collected`, `inForce`, `bots`, `range`, `filter`, `event`, `page`, `definitionFilter`, `value`, `interval`, `pageview`, `visitor`,
   * `user`, and of visits `visit`, `visitStart`, `visitHolds`.
   */
  readonly rule: string
  readonly holds: boolean
  /** One sentence for people. */
  readonly detail: string
}

export interface Verdict {
  /** True when every reason holds. */
  readonly counted: boolean
  readonly reasons: readonly Reason[]
}
