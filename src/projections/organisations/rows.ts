// The rows of people by their ids, as one stretch of the log works on them: what the tables held, what was changed since, and
// what is gone.
import type { Knex } from 'knex'
import { uuidToBytes } from '../../kernel/ids.ts'
import { textOfId } from '../storage/rows.ts'
import { chunks, insertOrReplace } from '../storage/upsert.ts'

type Id = Uint8Array | ArrayBuffer

export interface OrganisationRow {
  readonly organisation_id: Id
  readonly name: string
  /** JSON. */
  readonly allowed_domains: string
  readonly created_at: number
  readonly updated_at: number
}

export interface AccountRow {
  readonly account_id: Id
  readonly email: string | null
  readonly name: string | null
  readonly created_at: number
  readonly last_signed_in_at: number | null
}

export interface MemberRow {
  readonly organisation_id: Id
  readonly account_id: Id
  readonly role: string
  readonly joined_at: number
}

export interface InvitationRow {
  readonly organisation_id: Id
  readonly invitation_id: Id
  readonly role: string
  /** JSON. */
  readonly apps: string
  readonly email: string | null
  readonly invited_by: Id | null
  readonly created_at: number
  readonly expires_at: number
  readonly state: string
  readonly ended_at: number | null
  readonly accepted_by: Id | null
}

export interface GrantRow {
  readonly app_id: Id
  readonly account_id: Id
  readonly role: string
  readonly granted_at: number
}

export interface OwnedAppRow {
  readonly app_id: Id
  readonly organisation_id: Id
}

/** The rows of one table whose key is made of ids. */
export class RowsById<Row extends object> {
  /** Null: there is none. */
  private readonly rows = new Map<string, Row | null>()
  private readonly changed = new Set<string>()
  private readonly table: string
  private readonly key: readonly string[]

  constructor({ name, key }: { readonly name: string; readonly key: readonly string[] }) {
    this.table = name
    this.key = key
  }

  get(...ids: string[]): Row | undefined {
    return this.rows.get(ids.join(' ')) ?? undefined
  }

  /** Those that there are, with their ids. */
  *all(): Iterable<readonly [ids: readonly string[], row: Row]> {
    for (const [key, row] of this.rows) if (row !== null) yield [key.split(' '), row]
  }

  put(row: Row): void {
    const key = this.keyOf(row)
    this.rows.set(key, row)
    this.changed.add(key)
  }

  remove(...ids: string[]): void {
    const key = ids.join(' ')
    this.rows.set(key, null)
    this.changed.add(key)
  }

  /** Brings in rows by whole keys; those that are not there are known to be missing from then on. */
  async load(db: Knex, build: number, keys: Iterable<readonly string[]>): Promise<void> {
    const missing = new Map([...keys].map((ids) => [ids.join(' '), ids] as const).filter(([key]) => !this.rows.has(key)))
    for (const some of chunks([...missing.values()])) {
      const tuples = some.map((ids) => ids.map(uuidToBytes))
      this.learn((await db(this.table).where({ build }).whereIn([...this.key], tuples)) as Row[])
    }
    for (const key of missing.keys()) if (!this.rows.has(key)) this.rows.set(key, null)
  }

  /** Brings in all rows with one of these ids in a column. */
  async loadBy(db: Knex, build: number, column: string, ids: Iterable<string>): Promise<void> {
    for (const some of chunks([...ids])) {
      this.learn((await db(this.table).where({ build }).whereIn(column, some.map(uuidToBytes))) as Row[])
    }
  }

  async write(trx: Knex.Transaction, build: number): Promise<void> {
    const gone: string[][] = []
    const put: Row[] = []
    for (const key of this.changed) {
      const row = this.rows.get(key)
      if (row === null || row === undefined) gone.push(key.split(' '))
      else put.push(row)
    }
    for (const some of chunks(gone)) {
      const tuples = some.map((ids) => ids.map(uuidToBytes))
      await trx(this.table).where({ build }).whereIn([...this.key], tuples).delete()
    }
    await insertOrReplace(trx, this.table, this.key, build, put)
  }

  // What this stretch has changed already is newer than the table.
  private learn(found: readonly Row[]): void {
    for (const row of found) {
      const key = this.keyOf(row)
      if (!this.rows.has(key)) this.rows.set(key, row)
    }
  }

  private keyOf(row: Row): string {
    return this.key.map((column) => textOfId((row as Record<string, Id>)[column]!)).join(' ')
  }
}
