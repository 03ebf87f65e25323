// The contract of a question: a parameter schema, the projection it reads, SQL over one snapshot, a result. The query bus
// adds range, asOf, cache, ETag and waiting, so that a question's file holds nothing but the question.
import type { Knex } from 'knex'
import type { Definitions } from '../events/definitions.ts'
import type { EventLog } from '../events/eventLog.ts'
import type { JsonSchema } from '../events/eventType.ts'
import type { Asked, Bots, StatsQuestion } from './stats.ts'

/** A half-open range of instants, epoch milliseconds, and the zone in which its days are local. */
export interface Range {
  readonly fromMs: number
  readonly toMs: number
  readonly timezone: string
}

/** What a question sees: one consistent snapshot of one build of its projection. */
export interface Snapshot {
  readonly trx: Knex
  /** For what rows point to; events are never changed, so what the snapshot's rows name is as old as the rows. */
  readonly log: EventLog
  readonly build: number
  readonly appId: string
  /** Zone of this build for this app: until a rebuild has switched, answers name the old zone. */
  readonly timezone: string
  readonly range: Range | undefined
  /** By which definitions the rows were folded, as far as the projection picks them. */
  readonly defined: Definitions
  /** The partition's checkpoint: everything in the log up to here is in the rows. */
  readonly position: number
  /** When the question was asked, epoch milliseconds. */
  readonly nowMs: number
}

export interface Query<Params, Result> {
  readonly name: string
  readonly projection: string
  readonly params: JsonSchema
  readonly result: JsonSchema
  /** True when it takes from, to and period. */
  readonly ranged: boolean
  /** True for what must not outlive its erasure: then the ETag follows from the content. */
  readonly uncached?: boolean
  /** Of everything counted, for `period=all`; undefined when nothing was. */
  extent?(snapshot: Snapshot): Promise<Pick<Range, 'fromMs' | 'toMs'> | undefined>
  /** Present where the log can answer it as well. The bus adds its parameters (statsParameters.ts) to `params`. */
  readonly stats?: StatsSide<Params>
  /** Throws Problem `not_found` where the question is about something that does not exist. */
  run(snapshot: Snapshot, params: Params): Promise<Result>
}

/**
 * What makes a question one that tables and log both answer. `run` is called only without filter and asOf, and only where
 * fromTables holds; `params.bots` is set by then. Its result has the keys that the log's answer has, and no range, asOf,
 * from or comparison: the bus adds them.
 */
export interface StatsSide<Params> {
  /** What `bots` means when nothing is said. */
  readonly bots: Bots
  /** The question in its one form: `asked` and what this question has besides. */
  question(params: Params, asked: Asked, snapshot: Snapshot): StatsQuestion | Promise<StatsQuestion>
  /** False where the rows cannot tell (bounds that are not aligned, a dimension that is not declared); absent: they always can. */
  fromTables?(params: Params, snapshot: Snapshot): boolean | Promise<boolean>
}

export interface AsOf {
  /** Position in the app's partition up to which the answer counts. */
  readonly position: number
  /** ISO 8601, null when nothing was counted yet. */
  readonly recordedAt: string | null
  readonly lagEvents: number
}

export interface Answer {
  /** The whole body, with range and asOf. */
  readonly body: Record<string, unknown>
  /** Strong ETag with quotes. */
  readonly etag: string
  readonly cached: boolean
}

export interface QueryBus {
  /**
   * Params as they came in the query string; checked here against the question's schema. `after` is an
   * event id to wait for, bounded by LIMITS.waitForEventMs; throws Problem `not_counted_yet`, `empty_range`,
   * `invalid_parameter`, `unavailable`; of a stats question also `too_much_for_the_log` and `overloaded`. `signal` aborts
   * when nobody waits for the answer any more.
   */
  ask(query: Query<never, unknown>, appId: string, params: Record<string, unknown>, options?: { after?: string; signal?: AbortSignal }): Promise<Answer>
}

