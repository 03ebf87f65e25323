// What each person did: totals, first and last time, latest device and address, latest events. Kept per identity, with the
// links that make a user's anonymous history theirs (METRICS), so that a link that comes late rewrites nothing.
import type { Knex } from 'knex'
import type { FoldEvent } from '../events/catalogue.ts'
import { eventCollected, type EventCollected } from '../events/eventCollected.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { replaceRows, type Value } from './bulkRows.ts'
import type { Projection } from './projection.ts'
import { bytesOf } from './rows.ts'
import { DEVICES, namedDevice, UNKNOWN_DEVICE, USER_AGENT_RULES, userAgent } from './userAgents.ts'
import { type AgentDetails, detailOf, nobody, type Person, personOf, see } from './userStatsPerson.ts'
import { type Identity, identityKey, identityOf, linkedIdentities, USER } from './visitors.ts'

const FOLD_VERSION = 1

interface Known {
  readonly key: Buffer
  /** Null where the tables have no row. */
  person: Person | null
  /** The user it is linked to; null where the tables have none. */
  user: Buffer | null
  touched: boolean
}

interface AppPeople {
  readonly key: Buffer
  /** True when an identity that is not here is not in the tables either. */
  readonly complete: boolean
  readonly known: Map<string, Known>
}

export interface UserStatsMemory {
  readonly apps: Map<string, AppPeople>
  kept: number
  /** True while a fold has moved it that was not written yet. */
  open: boolean
}

export interface UserStatsState {
  readonly memory: UserStatsMemory
  readonly persons: { readonly app: AppPeople; readonly known: Known }[]
  readonly links: Value[][]
}

export const userStats: Projection<UserStatsState, UserStatsMemory> = {
  name: 'userStats',
  codeVersion: FOLD_VERSION * 1_000 + USER_AGENT_RULES,
  source: 'apps',
  eventTypes: [eventCollected.type],
  tables: [
    { name: 'user_stats', key: ['app_id', 'identity'] },
    { name: 'user_stats_links', key: ['app_id', 'identity'] },
  ],
  memory: () => ({ apps: new Map(), kept: 0, open: false }),
  start: (memory) => {
    // A fold that was never written left things here that the tables do not have.
    if (memory.open) drop(memory)
    return { memory, persons: [], links: [] }
  },
  load,
  fold(state, events) {
    state.memory.open = true
    for (const event of events) foldOne(state, event)
  },
  write,
}

function drop(memory: UserStatsMemory): void {
  memory.apps.clear()
  memory.kept = 0
  memory.open = false
}

function foldOne(state: UserStatsState, event: FoldEvent): void {
  const data = event.data as EventCollected | null
  if (data === null) return
  if (typeof data.event !== 'string') throw new TypeError('an event without a name')
  const identity = identityOf(data)
  if (identity === undefined) return
  const app = state.memory.apps.get(event.appId)!
  const known = knownOf(state.memory, app, identity)
  known.person ??= nobody()
  see(known.person, {
    at: event.occurredAt,
    position: event.position,
    id: event.eventId,
    event: data.event,
    url: data.url ?? null,
    agent: agentOf(data),
    ip: data.ip,
  })
  if (!known.touched) state.persons.push({ app, known })
  known.touched = true
  for (const linked of linkedIdentities(data)) {
    const other = knownOf(state.memory, app, linked)
    if (other.user !== null) continue
    other.user = known.key
    state.links.push([app.key, other.key, known.key])
  }
}

function agentOf(data: EventCollected): AgentDetails | undefined {
  if (data.userAgent === undefined && data.device === undefined) return undefined
  const { browser, os, device } = userAgent(data.userAgent)
  return { browser, os, device: DEVICES[data.device === undefined ? device : namedDevice(data.device)] ?? DEVICES[UNKNOWN_DEVICE]! }
}

function nameOf({ kind, id }: Identity): string {
  return `${kind}${id}`
}

function knownOf(memory: UserStatsMemory, app: AppPeople, identity: Identity): Known {
  const name = nameOf(identity)
  let known = app.known.get(name)
  if (known === undefined) {
    known = { key: identityKey(identity.kind, identity.id), person: null, user: null, touched: false }
    app.known.set(name, known)
    memory.kept++
  }
  return known
}

async function load(db: Knex, build: number, { memory }: UserStatsState, events: readonly FoldEvent[]): Promise<void> {
  memory.open = true
  const wanted = new Map<AppPeople, Map<string, Identity>>()
  for (const event of events) {
    let app = memory.apps.get(event.appId)
    if (app === undefined) {
      const key = uuidToBytes(event.appId)
      const first = await db('user_stats').where({ build, app_id: key }).first<object | undefined>('events')
      app = { key, complete: first === undefined, known: new Map() }
      memory.apps.set(event.appId, app)
    }
    if (app.complete) continue
    for (const identity of identitiesOf(event)) {
      if (app.known.has(nameOf(identity))) continue
      let identities = wanted.get(app)
      if (identities === undefined) wanted.set(app, (identities = new Map<string, Identity>()))
      identities.set(identityKey(identity.kind, identity.id).toString('hex'), identity)
    }
  }
  for (const [app, identities] of wanted) {
    const keys = [...identities.keys()]
    for (let at = 0; at < keys.length; at += LIMITS.rowsPerStatement) {
      await loadIdentities(db, build, memory, app, keys.slice(at, at + LIMITS.rowsPerStatement).map((key) => [key, identities.get(key)!]))
    }
  }
}

type Bytes = Uint8Array | ArrayBuffer
interface LoadedPerson { readonly identity: Bytes; readonly events: number; readonly first_seen: number; readonly last_seen: number; readonly detail: Bytes } // prettier-ignore

async function loadIdentities(db: Knex, build: number, memory: UserStatsMemory, app: AppPeople, wanted: readonly (readonly [string, Identity])[]): Promise<void> {
  const byKey = new Map<string, Known>()
  for (const [key, identity] of wanted) byKey.set(key, knownOf(memory, app, identity))
  const keys = wanted.map(([key]) => Buffer.from(key, 'hex'))
  const these = { build, app_id: app.key }
  const persons = await db('user_stats').where(these).whereIn('identity', keys).select<LoadedPerson[]>('*')
  for (const row of persons) byKey.get(bytesOf(row.identity).toString('hex'))!.person = personOf({ ...row, detail: bytesOf(row.detail) })
  // A user is never linked to another.
  const linkable = wanted.filter(([, { kind }]) => kind !== USER).map(([key]) => Buffer.from(key, 'hex'))
  if (linkable.length === 0) return
  const links = await db('user_stats_links').where(these).whereIn('identity', linkable).select<{ identity: Bytes; user_identity: Bytes }[]>('*')
  for (const row of links) byKey.get(bytesOf(row.identity).toString('hex'))!.user = bytesOf(row.user_identity)
}

/** None for what the fold will refuse: that is the fold's to say. */
function identitiesOf(event: FoldEvent): Identity[] {
  let data: EventCollected | null
  try {
    data = event.data as EventCollected | null
  } catch {
    return []
  }
  const identity = data === null ? undefined : identityOf(data)
  return identity === undefined ? [] : [identity, ...linkedIdentities(data!)]
}

async function write(trx: Knex.Transaction, build: number, { memory, persons, links }: UserStatsState): Promise<void> {
  const rows = persons.map(({ app, known }): Value[] => {
    const person = known.person!
    known.touched = false
    return [build, app.key, known.key, person.events, person.firstSeen, person.lastSeen, detailOf(person)]
  })
  await replaceRows(trx, 'user_stats', ['build', 'app_id', 'identity', 'events', 'first_seen', 'last_seen', 'detail'], rows)
  const linked = links.map((link): Value[] => [build, ...link])
  await replaceRows(trx, 'user_stats_links', ['build', 'app_id', 'identity', 'user_identity'], linked)
  memory.open = false
  if (memory.kept > LIMITS.userStatsKept) drop(memory)
}
