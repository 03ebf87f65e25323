// Reads and writes the visitors of an app: the same for every read model that keeps them, each in tables of its own.
import type { Knex } from 'knex'
import type { EventCollected } from '../../events/eventCollected.ts'
import { replaceRows, type Value } from '../storage/bulkRows.ts'
import { bytesOf } from '../storage/rows.ts'
import { chunks } from '../storage/rowSets.ts'
import { CHUNK, PeopleChunk, type VisitorIndex } from './visitorIndex.ts'
import { type Identity, identityKey, identityOf, linkedIdentities } from './visitors.ts'

/** A read model's tables of identities and of people. */
export interface VisitorTables {
  readonly visitors: string
  readonly people: string
}

export const SUMMARY_VISITORS: VisitorTables = { visitors: 'event_summary_visitors', people: 'event_summary_people' }
export const WEB_VISITORS: VisitorTables = { visitors: 'web_visitors', people: 'web_people' }

export interface AppVisitors {
  readonly key: Buffer
  readonly visitors: VisitorIndex
}

type Bytes = Uint8Array | ArrayBuffer

/** What a new visitor of an app that was just met is added to. */
export async function loadLastChunk(db: Knex, build: number, tables: VisitorTables, app: AppVisitors): Promise<void> {
  const { size } = app.visitors
  if (size % CHUNK !== 0) await loadChunks(db, build, tables, app, [Math.floor(size / CHUNK)])
}

/** Ordinals of whoever these events name, and the links of those they link. */
export async function loadVisitors(db: Knex, build: number, tables: VisitorTables, app: AppVisitors, events: Iterable<EventCollected>): Promise<void> {
  const { visitors } = app
  const wanted = new Map<string, Identity>()
  const linked = new Map<string, Identity>()
  for (const data of events) {
    for (const identity of [identityOf(data), ...linkedIdentities(data)]) {
      if (identity === undefined || visitors.complete || visitors.known(identity.kind, identity.id) !== undefined) continue
      wanted.set(identityKey(identity.kind, identity.id).toString('hex'), identity)
    }
    for (const identity of linkedIdentities(data)) linked.set(`${identity.kind}${identity.id}`, identity)
  }
  for (const keys of chunks([...wanted.keys()])) {
    const rows = await db(tables.visitors)
      .where({ build, app_id: app.key })
      .whereIn('identity', keys.map((key) => Buffer.from(key, 'hex')))
      .select<{ identity: Bytes; ordinal: number }[]>('identity', 'ordinal')
    for (const row of rows) {
      const { kind, id } = wanted.get(bytesOf(row.identity).toString('hex'))!
      visitors.learn(kind, id, row.ordinal)
    }
  }
  const places = new Set<number>()
  for (const { kind, id } of linked.values()) {
    const ordinal = visitors.known(kind, id)
    if (ordinal !== undefined && !visitors.chunks.has(Math.floor(ordinal / CHUNK))) places.add(Math.floor(ordinal / CHUNK))
  }
  await loadChunks(db, build, tables, app, [...places])
}

async function loadChunks(db: Knex, build: number, tables: VisitorTables, app: AppVisitors, wanted: readonly number[]): Promise<void> {
  for (const chunk of chunks(wanted)) {
    const rows = await db(tables.people)
      .where({ build, app_id: app.key })
      .whereIn('chunk', [...chunk])
      .select<{ chunk: number; kinds: Bytes; links: Bytes }[]>('chunk', 'kinds', 'links')
    for (const row of rows) app.visitors.chunks.set(row.chunk, PeopleChunk.read(bytesOf(row.kinds), bytesOf(row.links)))
  }
}

/** Writes what is new or changed since the last write. */
export async function writeVisitors(trx: Knex.Transaction, build: number, tables: VisitorTables, { key, visitors }: AppVisitors): Promise<void> {
  const added = visitors.added.map(([identity, ordinal]): Value[] => [build, key, identity, ordinal])
  await replaceRows(trx, tables.visitors, ['build', 'app_id', 'identity', 'ordinal'], added)
  const changed = [...visitors.changedChunks].map((at): Value[] => {
    const chunk = visitors.chunks.get(at)!
    return [build, key, at, chunk.kindBytes(), chunk.linkBytes()]
  })
  await replaceRows(trx, tables.people, ['build', 'app_id', 'chunk', 'kinds', 'links'], changed)
  visitors.added = []
  visitors.changedChunks.clear()
}
