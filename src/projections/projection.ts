// What a read model is: a name, the events it folds, its tables, and a fold that touches nothing but the state in its
// hand. Live and rebuild run the same code; the projector moves rows and checkpoint in one transaction.
import type { Knex } from 'knex'
import type { FoldEvent } from '../events/catalogue.ts'

/**
 * A build is one complete set of a projection's rows: every table leads with a `build` column, so versions stand side by
 * side. `State` is what one transaction works on. The projector calls, for each stretch of the log:
 *   start → (load → fold) per page, outside any transaction → one transaction: checkpoint compare-and-set, write, commit.
 * Loading before the transaction is safe because rows of a build and partition move only together with that checkpoint:
 * if anyone else moved them, the compare-and-set fails and the work is thrown away.
 */
export interface Projection<State = unknown, Memory = unknown> {
  readonly name: string
  /** Version of the fold's code; a higher one than the live build's asks for a rebuild. */
  readonly codeVersion: number
  /** Control partition 0, or the data partitions 1…n. */
  readonly source: 'control' | 'apps'
  readonly eventTypes: readonly string[]
  /** Tables that hold its rows, all with a leading `build` column, with what `verify` compares by. */
  readonly tables: readonly ProjectionTable[]
  /** What may be kept from one transaction to the next (ordinals, say); dropped at any failure or loss of the lease. */
  memory(): Memory
  start(memory: Memory): State
  /** Brings in prior rows that folding these events needs and `state` lacks. Reads only. */
  load?(db: Knex, build: number, state: State, events: readonly FoldEvent[]): Promise<void>
  /** Pure: same state and events, same result. Throws on a poison event before changing state for it. */
  fold(state: State, events: readonly FoldEvent[]): void
  write(trx: Knex.Transaction, build: number, state: State): Promise<void>
}

export interface ProjectionTable {
  readonly name: string
  /** Columns after `build` that identify a row, in primary-key order; the first is app_id wherever rows belong to an app. */
  readonly key: readonly string[]
}
