// What each person did: totals, first and last time, latest device and address, latest events. Kept per identity, with the
// links that make a user's anonymous history theirs (METRICS), so that a link that comes late rewrites nothing.
import type { Knex } from 'knex'
import type { FoldEvent } from '../../events/catalogue.ts'
import { type Content, contentOf } from '../../events/content.ts'
import { eventCollected } from '../../events/eventCollected.ts'
import { eventCorrected } from '../../events/eventCorrected.ts'
import { eventRetracted } from '../../events/eventRetracted.ts'
import { uuidToBytes } from '../../kernel/ids.ts'
import { LIMITS } from '../../limits.ts'
import { replaceRows, type Value } from '../storage/bulkRows.ts'
import { readContent } from '../visitors/links.ts'
import type { EventReader, Projection } from '../projection.ts'
import { bytesOf } from '../storage/rows.ts'
import { chunks } from '../storage/upsert.ts'
import { takingsOf } from '../visitors/takings.ts'
import { USER_AGENT_RULES } from '../enrichment/userAgents.ts'
import { afterCorrections, countAgain, sightingOf, takeOut } from './inverse.ts'
import { type AppPeople, drop, type Known, knownOf, noIdentities, touch, type UserStatsMemory, type UserStatsState } from './memory.ts'
import { addPosition, detailOf, nobody, positionBytes, see, storedPerson } from './person.ts'
import { type Identity, type IdentityKind, identityOf, linkedIdentities, USER } from '../visitors/visitors.ts'

/** 2: where a person's events stand. 3: their latest events as bytes. */
const FOLD_VERSION = 3

export const userStats: Projection<UserStatsState, UserStatsMemory> = {
  name: 'userStats',
  codeVersion: FOLD_VERSION * 1_000 + USER_AGENT_RULES,
  source: 'apps',
  cost: 3,
  eventTypes: [eventCollected.type, eventCorrected.type, eventRetracted.type],
  tables: [
    { name: 'user_stats', key: ['app_id', 'identity'] },
    { name: 'user_stats_links', key: ['app_id', 'identity'] },
  ],
  memory: () => ({ apps: new Map(), kept: 0, open: false }),
  start: (memory) => {
    // A fold that was never written left things here that the tables do not have.
    if (memory.open) drop(memory)
    return { memory, persons: [], linked: new Map(), inverse: undefined }
  },
  load,
  fold(state, events) {
    state.memory.open = true
    for (const event of events) foldOne(state, event)
    countAgain(state)
  },
  write,
}

function foldOne(state: UserStatsState, event: FoldEvent): void {
  const taken = state.inverse?.taken.get(event.position)
  if (taken !== undefined) takeOut(state, event.appId, taken)
  const content = contentOf(event)
  if (content === undefined) return
  const { data } = content
  if (typeof data.event !== 'string') throw new TypeError('an event without a name')
  const identity = identityOf(data)
  if (identity === undefined) return
  const app = state.memory.apps.get(event.appId)!
  const known = knownOf(state.memory, app, identity)
  known.person ??= nobody()
  see(known.person, sightingOf(event, content))
  addPosition(known.person, content.contentPosition)
  touch(state, app, known)
  for (const linked of linkedIdentities(data)) {
    const other = knownOf(state.memory, app, linked)
    if (other.user !== null) continue
    other.user = known.key
    state.linked.set(other, app)
  }
}

async function load(db: Knex, build: number, state: UserStatsState, events: readonly FoldEvent[], reader: EventReader): Promise<void> {
  const { memory } = state
  memory.open = true
  const taken = await takingsOf(events, reader)
  const wanted = new Map<AppPeople, Wanted[]>()
  for (const event of events) {
    let app = memory.apps.get(event.appId)
    if (app === undefined) {
      const key = uuidToBytes(event.appId)
      const first = await db('user_stats').where({ build, app_id: key }).first<object | undefined>('events')
      app = { key, complete: first === undefined, known: noIdentities() }
      memory.apps.set(event.appId, app)
    }
    if (app.complete) continue
    for (const identity of [readContent(event), taken?.get(event.position)].flatMap(identitiesOf)) {
      if (app.known[identity.kind].has(identity.id)) continue
      // Known from here on, so that their next event does not ask for them again.
      const one = { kind: identity.kind, known: knownOf(memory, app, identity) }
      const all = wanted.get(app)
      if (all === undefined) wanted.set(app, [one])
      else all.push(one)
    }
  }
  for (const [app, all] of wanted) for (const some of chunks(all)) await loadIdentities(db, build, app, some)
  state.inverse = taken === undefined ? undefined : await afterCorrections(state, events, taken, reader)
}

interface Wanted { readonly kind: IdentityKind; readonly known: Known } // prettier-ignore
type Bytes = Uint8Array | ArrayBuffer
interface LoadedPerson { readonly identity: Bytes; readonly events: number; readonly first_seen: number; readonly last_seen: number; readonly detail: Bytes; readonly positions: Bytes | null } // prettier-ignore

async function loadIdentities(db: Knex, build: number, app: AppPeople, wanted: readonly Wanted[]): Promise<void> {
  const byKey = new Map(wanted.map(({ known }) => [known.key.toString('latin1'), known]))
  const knownAs = (identity: Bytes): Known => byKey.get(bytesOf(identity).toString('latin1'))!
  const these = { build, app_id: app.key }
  const keysOf = (some: readonly Wanted[]): Buffer[] => some.map(({ known }) => known.key)
  const persons = await db('user_stats').where(these).whereIn('identity', keysOf(wanted)).select<LoadedPerson[]>('*')
  for (const row of persons) knownAs(row.identity).person = storedPerson({ ...row, detail: bytesOf(row.detail), positions: row.positions === null ? null : bytesOf(row.positions) })
  // A user is never linked to another.
  const linkable = wanted.filter(({ kind }) => kind !== USER)
  if (linkable.length === 0) return
  const links = await db('user_stats_links').where(these).whereIn('identity', keysOf(linkable)).select<{ identity: Bytes; user_identity: Bytes }[]>('*')
  for (const row of links) knownAs(row.identity).user = Buffer.from(bytesOf(row.user_identity))
}

function identitiesOf(content: Content | undefined): Identity[] {
  const identity = content === undefined ? undefined : identityOf(content.data)
  return identity === undefined ? [] : [identity, ...linkedIdentities(content!.data)]
}

async function write(trx: Knex.Transaction, build: number, { memory, persons, linked }: UserStatsState): Promise<void> {
  const rows: Value[][] = []
  for (const { app, known } of persons) {
    const person = known.person!
    known.touched = false
    if (person.events > 0) {
      rows.push([build, app.key, known.key, person.events, person.firstSeen, person.lastSeen, detailOf(person), positionBytes(person)])
      continue
    }
    known.person = null
    await trx('user_stats').where({ build, app_id: app.key, identity: known.key }).delete()
  }
  await replaceRows(trx, 'user_stats', ['build', 'app_id', 'identity', 'events', 'first_seen', 'last_seen', 'detail', 'positions'], rows)
  const links: Value[][] = []
  for (const [known, app] of linked) {
    if (known.user !== null) links.push([build, app.key, known.key, known.user])
    else await trx('user_stats_links').where({ build, app_id: app.key, identity: known.key }).delete()
  }
  await replaceRows(trx, 'user_stats_links', ['build', 'app_id', 'identity', 'user_identity'], links)
  memory.open = false
  if (memory.kept > LIMITS.userStatsKept) drop(memory)
}
