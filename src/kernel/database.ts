// What the rest of the program knows of a database: knex for statements that both engines share, one consistent snapshot
// for reading, and which engine it is for the few files that come in pairs.
import type { Knex } from 'knex'

export type Engine = 'sqlite' | 'mysql'

export interface Database {
  readonly engine: Engine
  /** As it was opened: whoever needs a connection of its own opens it by this. */
  readonly url: string
  /** Writes, and reads that need no snapshot. On SQLite it has one connection, so transactions queue behind each other. */
  readonly knex: Knex
  /** All statements inside see the same committed state and block nobody. Writing in it is a defect. */
  snapshot<T>(work: (trx: Knex.Transaction) => Promise<T>): Promise<T>
  close(): Promise<void>
}
