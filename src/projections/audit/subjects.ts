// The present state of what the control plane changes, as far as the audit log tells changes by it: what a stretch of the log
// needs is read before it is folded, and what it changed is written after.
import type { Knex } from 'knex'
import type { AllowedDomain, GrantRole, MemberRole } from '../../events/organisations.ts'
import type { AppSettings } from '../../events/schemas.ts'
import { NIL_UUID, uuidToBytes } from '../../kernel/ids.ts'
import { replaceRows } from '../storage/bulkRows.ts'
import { chunks } from '../storage/rowSets.ts'
import { textOfId } from '../storage/rows.ts'
import { formatFacts } from './facts.ts'

export interface AccountSubject {
  readonly email?: string | undefined
  readonly name?: string | undefined
  /** Whether it has a Google account; which one is nobody's concern here. */
  readonly google: boolean
  readonly generation: number
}

export interface AppSubject extends AppSettings {
  readonly organisationId: string
  readonly name: string
  readonly url?: string | undefined
}

export interface KeySubject {
  readonly name: string
  readonly issuedBy: string
  /** Epoch milliseconds. */
  readonly expiresAt?: number | undefined
  readonly replacedBy?: string | undefined
  readonly revoked?: true | undefined
}

interface Kinds {
  account: AccountSubject
  organisation: { readonly name: string; readonly allowedDomains: readonly AllowedDomain[] }
  /** By organisation, then account. */
  member: { readonly role: MemberRole }
  /** By organisation, then invitation. */
  invitation: { readonly state: 'open' | 'accepted' | 'revoked'; readonly email?: string | undefined }
  app: AppSubject
  /** By app, then key. */
  key: KeySubject
  /** By app, then account. Grants end when their app changes hands, so whose it was then is whose it is. */
  grant: { readonly role: GrantRole; readonly organisationId: string }
}

export type Kind = keyof Kinds

/** What to have at hand before folding. */
export interface Wanted {
  one(kind: Kind, first: string, second?: string): void
  /** All that belongs to the first id. */
  under(kind: Kind, first: string): void
  /** All with this second id. */
  of(kind: Kind, second: string): void
}

interface SubjectRow {
  readonly kind: Kind
  readonly first_id: Uint8Array | ArrayBuffer
  readonly second_id: Uint8Array | ArrayBuffer
  readonly state: string
}

const COLUMNS = ['build', 'kind', 'first_id', 'second_id', 'state']

export class Subjects {
  /** By kind and ids; undefined: it is known that there is none. */
  private readonly states = new Map<string, object | undefined>()
  private readonly byFirst = new Map<string, Set<string>>()
  private readonly bySecond = new Map<string, Set<string>>()
  private readonly changed = new Set<string>()

  get<K extends Kind>(kind: K, first: string, second = NIL_UUID): Kinds[K] | undefined {
    return this.states.get(keyOf(kind, first, second)) as Kinds[K] | undefined
  }

  put<K extends Kind>(kind: K, [first, second = NIL_UUID]: readonly [first: string, second?: string], state: Kinds[K] | undefined): void {
    this.keep(kind, first, second, state)
    this.changed.add(keyOf(kind, first, second))
  }

  /** In the order of their ids, so that nothing hangs on the order in which they were read. */
  under<K extends Kind>(kind: K, first: string): (readonly [second: string, state: Kinds[K]])[] {
    return this.among(this.byFirst.get(`${kind} ${first}`)).map(([ids, state]) => [ids[1], state as Kinds[K]])
  }

  of<K extends Kind>(kind: K, second: string): (readonly [first: string, state: Kinds[K]])[] {
    return this.among(this.bySecond.get(`${kind} ${second}`)).map(([ids, state]) => [ids[0], state as Kinds[K]])
  }

  async load(db: Knex, build: number, want: (wanted: Wanted) => void): Promise<void> {
    const ones = new Set<string>()
    const groups = { first_id: new Map<Kind, Set<string>>(), second_id: new Map<Kind, Set<string>>() }
    want({
      one: (kind, first, second = NIL_UUID) => {
        const key = keyOf(kind, first, second)
        if (!this.states.has(key)) ones.add(key)
      },
      under: (kind, first) => add(groups.first_id, kind, first),
      of: (kind, second) => add(groups.second_id, kind, second),
    })
    for (const some of chunks([...ones])) {
      const tuples = some.map((key) => {
        const [kind, first, second] = partsOf(key)
        return [kind, uuidToBytes(first), uuidToBytes(second)]
      })
      this.take(await db('audit_subjects').where({ build }).whereIn(['kind', 'first_id', 'second_id'], tuples).select<SubjectRow[]>('*'))
    }
    for (const column of ['first_id', 'second_id'] as const) {
      for (const [kind, ids] of groups[column]) {
        for (const some of chunks([...ids])) {
          this.take(await db('audit_subjects').where({ build, kind }).whereIn(column, some.map(uuidToBytes)).select<SubjectRow[]>('*'))
        }
      }
    }
    for (const key of ones) if (!this.states.has(key)) this.states.set(key, undefined)
  }

  async write(trx: Knex.Transaction, build: number): Promise<void> {
    const kept = [...this.changed].filter((key) => this.states.get(key) !== undefined)
    const gone = [...this.changed].filter((key) => this.states.get(key) === undefined)
    for (const some of chunks(gone)) {
      const tuples = some.map(partsOf).map(([kind, first, second]) => [kind, uuidToBytes(first), uuidToBytes(second)])
      await trx('audit_subjects').where({ build }).whereIn(['kind', 'first_id', 'second_id'], tuples).delete()
    }
    const rows = kept.map((key) => {
      const [kind, first, second] = partsOf(key)
      return [build, kind, uuidToBytes(first), uuidToBytes(second), formatFacts(this.states.get(key))]
    })
    await replaceRows(trx, 'audit_subjects', COLUMNS, rows)
  }

  /** What this stretch has folded is newer than any row. */
  private take(rows: readonly SubjectRow[]): void {
    for (const { kind, first_id, second_id, state } of rows) {
      const [first, second] = [textOfId(first_id), textOfId(second_id)]
      if (!this.states.has(keyOf(kind, first, second))) this.keep(kind, first, second, JSON.parse(state) as object)
    }
  }

  private keep(kind: Kind, first: string, second: string, state: object | undefined): void {
    const key = keyOf(kind, first, second)
    this.states.set(key, state)
    add(this.byFirst, `${kind} ${first}`, key)
    add(this.bySecond, `${kind} ${second}`, key)
  }

  private among(keys: ReadonlySet<string> = new Set()): (readonly [ids: readonly [string, string], state: object])[] {
    const found: (readonly [ids: readonly [string, string], state: object])[] = []
    for (const key of [...keys].sort()) {
      const state = this.states.get(key)
      const [, first, second] = partsOf(key)
      if (state !== undefined) found.push([[first, second], state])
    }
    return found
  }
}

function keyOf(kind: Kind, first: string, second: string): string {
  return `${kind} ${first} ${second}`
}

function partsOf(key: string): [kind: Kind, first: string, second: string] {
  return key.split(' ') as [Kind, string, string]
}

function add<K>(sets: Map<K, Set<string>>, key: K, value: string): void {
  const set = sets.get(key)
  if (set === undefined) sets.set(key, new Set([value]))
  else set.add(value)
}
