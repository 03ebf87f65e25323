// What a read model is: a name, the events it folds, its tables, and a fold that touches nothing but the state in its
// hand. Live and rebuild run the same code; the projector moves rows and checkpoint in one transaction.
import type { Knex } from 'knex'
import type { FoldEvent } from '../events/catalogue.ts'
import type { Definitions } from '../events/definitions.ts'

/** What a fold may know besides events and state. */
export interface FoldContext {
  /**
   * The zone in which this build cuts the days of an app: constant for an app's whole life in a build, whatever settings
   * events say later (a change of zone is a rebuild of the app). A fold never takes the zone from AppSettingsApplied.
   */
  timezoneOf(appId: string): string
  /**
   * The definitions by which this build counts an app, as far as `Projection.defined` picks them: constant in a build like
   * the zone, whatever definition events say later (a change of what is picked is a rebuild of the app).
   */
  definitionsOf(appId: string): Definitions
}

/** The log, for what folding has to look up again: events that a correction or a late event concerns. */
export interface EventReader {
  /** Events of the unit's partition by position; `data` parses when read. Positions beyond the head are left out. */
  at(positions: readonly number[]): Promise<ReadonlyMap<number, FoldEvent>>
  /** Everything of one app up to a position, inclusive, in position order, page by page. Slow: for what is rare. */
  scan(appId: string, upTo: number): AsyncIterable<readonly FoldEvent[]>
}

/**
 * A build is one complete set of a projection's rows: every table leads with a `build` column, so versions stand side by
 * side. `State` is what one transaction works on. The projector calls, for each stretch of the log:
 *   start → (load → fold) per page, outside any transaction → one transaction: checkpoint compare-and-set, write, commit.
 * Loading before the transaction is safe because rows of a build and partition move only together with that checkpoint:
 * if anyone else moved them, the compare-and-set fails and the work is thrown away.
 *
 * An app that was rebuilt alone has its rows under its own build. The projector therefore sorts a stretch's events by the
 * build that holds their app's rows and calls start, load, fold and write once per build, all writes in the one
 * transaction: within one State all rows have the one `build` that load and write are given, and an app is in one State
 * only. Nothing in a projection needs to know which of its builds is live.
 */
export interface Projection<State = unknown, Memory = unknown> {
  readonly name: string
  /** Version of the fold's code; a higher one than the live build's asks for a rebuild. */
  readonly codeVersion: number
  /** Control partition 0, or the data partitions 1…n. */
  readonly source: 'control' | 'apps'
  /** True when rows depend on the app's time zone: a change of zone then rebuilds the app (`apps` source only). */
  readonly zoned?: boolean
  /** What of an app's definitions its rows depend on (`apps` source only); absent: nothing. A change of it rebuilds the app. */
  defined?(definitions: Definitions): Definitions
  /** What folding an event of a rebuild costs, as a multiple of reading one; for spreading work over threads. 1 where not said. */
  readonly cost?: number
  /** Only these reach the fold. `AppSettingsApplied` need not be named for the zone's sake. */
  readonly eventTypes: readonly string[]
  /** Tables that hold its rows, all with a leading `build` column, with what `verify` compares by. */
  readonly tables: readonly ProjectionTable[]
  /**
   * What may be kept from one transaction to the next (ordinals, say), one per build and partition; dropped at any failure
   * or loss of the lease, so write may move it only to what it has just written. Bounded: it lives as long as the process.
   */
  memory(): Memory
  start(memory: Memory, context: FoldContext): State
  /** Brings in prior rows that folding these events needs and `state` lacks. Reads only. */
  load?(db: Knex, build: number, state: State, events: readonly FoldEvent[], reader: EventReader): Promise<void>
  /**
   * Pure: same state and events, same result. Events come in position order; `event.data` is parsed when first read and
   * throws there when it cannot be. Whatever fold throws, the whole State is thrown away and the stretch halved until the
   * one poison event stands alone, so a fold need not undo anything.
   */
  fold(state: State, events: readonly FoldEvent[]): void
  /** Called once per State. The rows may not depend on how the log was cut into stretches: `verify` compares them. */
  write(trx: Knex.Transaction, build: number, state: State): Promise<void>
}

export interface ProjectionTable {
  readonly name: string
  /** Columns after `build` that identify a row, in primary-key order; the first is app_id wherever rows belong to an app. */
  readonly key: readonly string[]
  /** What `verify` compares of a row, where equal content may be stored as different bytes (bitmaps); absent: all columns. */
  comparable?(row: Readonly<Record<string, unknown>>): Record<string, unknown>
}
