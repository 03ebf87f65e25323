// What userStats keeps in memory from one transaction to the next: the identities of each app that were looked at.
import type { Person } from './person.ts'
import { type UserStatsInverse } from './inverse.ts'
import { type Identity, identityKey } from '../visitors/visitors.ts'

export interface Known {
  readonly key: Buffer
  /** Null where the tables have no row. */
  person: Person | null
  /** The user it is linked to; null where the tables have none. */
  user: Buffer | null
  touched: boolean
}

export type KnownIdentities = readonly [Map<string, Known>, Map<string, Known>, Map<string, Known>]

export interface AppPeople {
  readonly key: Buffer
  /** True when an identity that is not here is not in the tables either. */
  readonly complete: boolean
  /** By kind, so that no name has to be put together for each event. */
  readonly known: KnownIdentities
}

export interface UserStatsMemory {
  readonly apps: Map<string, AppPeople>
  kept: number
  /** True while a fold has moved it that was not written yet. */
  open: boolean
}

export interface UserStatsState {
  readonly memory: UserStatsMemory
  /** To be written: each once. */
  readonly persons: { readonly app: AppPeople; readonly known: Known }[]
  /** Whose link is new, another one, or gone. */
  readonly linked: Map<Known, AppPeople>
  /** What corrections and retractions of the page that is loaded take back; undefined while there are none. */
  inverse: UserStatsInverse | undefined
}

export function drop(memory: UserStatsMemory): void {
  memory.apps.clear()
  memory.kept = 0
  memory.open = false
}

export function noIdentities(): KnownIdentities {
  return [new Map(), new Map(), new Map()]
}

export function knownOf(memory: UserStatsMemory, app: AppPeople, identity: Identity): Known {
  const { kind, id } = identity
  let known = app.known[kind].get(id)
  if (known === undefined) {
    known = { key: identityKey(kind, id), person: null, user: null, touched: false }
    app.known[kind].set(id, known)
    memory.kept++
  }
  return known
}

export function touch(state: UserStatsState, app: AppPeople, known: Known): void {
  if (!known.touched) state.persons.push({ app, known })
  known.touched = true
}
