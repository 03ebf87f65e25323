// The values of dimensions as refs: reads in bulk what the tables know, takes in what is new in the order given, and holds
// the bound on how many values a day may have. Which values are in depends on the log alone, not on how it is cut.
import type { Knex } from 'knex'
import { bytesToUuid, uuidToBytes } from '../../kernel/ids.ts'
import { bytesOf } from '../storage/rows.ts'
import { chunks, type RowSet, selectAmong } from '../storage/rowSets.ts'
import { DistinctSet } from '../sets/distinctSet.ts'
import { DayValues, Dimension, type KnownValue, OTHER, WebApp, type WebMemory } from './memory.ts'
import { BLOCK } from './entries.ts'
import { loadLastChunk, WEB_VISITORS } from '../visitors/visitorRows.ts'
import { valueKey } from './read.ts'
import type { WantedValue } from './tally.ts'

type Bytes = Uint8Array | ArrayBuffer

/** Makes apps known: their counters and dimensions. */
export async function loadWebApps(db: Knex, build: number, memory: WebMemory, timezoneOf: (appId: string) => string, appIds: Iterable<string>): Promise<void> {
  const missing = [...new Set(appIds)].filter((id) => !memory.apps.has(id))
  for (const ids of chunks(missing)) {
    const keys = ids.map(uuidToBytes)
    const rows = await db('web_apps').where({ build }).whereIn('app_id', keys).select<{ app_id: Bytes; visitors: number; blocks: number }[]>('app_id', 'visitors', 'blocks')
    const found = new Map(rows.map((row) => [bytesToUuid(bytesOf(row.app_id)), row]))
    for (const id of ids) {
      const row = found.get(id)
      const app = new WebApp(id, timezoneOf(id), row?.visitors ?? 0, row?.blocks ?? 0, row === undefined)
      memory.apps.set(id, app)
      await loadLastChunk(db, build, WEB_VISITORS, app)
    }
    if (found.size > 0) await loadDimensions(db, build, memory, keys)
  }
}

async function loadDimensions(db: Knex, build: number, memory: WebMemory, keys: readonly Buffer[]): Promise<void> {
  const rows = await db('web_dimensions')
    .where({ build })
    .whereIn('app_id', [...keys])
    .select<{ app_id: Bytes; dimension: Bytes; next_ref: number }[]>('app_id', 'dimension', 'next_ref')
  for (const row of rows) {
    const app = memory.apps.get(bytesToUuid(bytesOf(row.app_id)))!
    const name = bytesOf(row.dimension).toString('utf8')
    app.dimensions.set(name, new Dimension(name, row.next_ref))
  }
}

/** Makes values and their days known, new ones included. Apps are known. */
export async function prepareValues(db: Knex, build: number, memory: WebMemory, wanted: readonly WantedValue[], bound: number): Promise<void> {
  await lookUp(db, build, memory, wanted)
  for (const { appId, dimension, value, day } of wanted) {
    const app = memory.apps.get(appId)!
    const of = app.dimension(dimension)
    if (of.values.get(value)?.day !== day) admit(app, of, value, day, bound)
  }
}

function admit(app: WebApp, dimension: Dimension, value: string, day: number, bound: number): void {
  const values = dimension.dayValues(day)
  let known = dimension.values.get(value)
  if (known !== undefined && values.refs.has(known.ref)) {
    remember(known, day, known.ref)
  } else if (values.known < bound) {
    known ??= app.addValue(dimension, value)
    values.refs.add(known.ref)
    values.known++
    values.changed = true
    remember(known, day, known.ref)
  } else {
    const other = dimension.values.get(OTHER) ?? app.addValue(dimension, OTHER)
    if (known !== undefined) remember(known, day, other.ref)
  }
}

function remember(known: KnownValue, day: number, as: number): void {
  known.day = day
  known.as = as
}

/** The ref under which a prepared value counts on a day. */
export function refOf(dimension: Dimension, value: string, day: number, bound: number): number {
  const known = dimension.values.get(value)
  if (known?.day === day) return known.as
  const values = dimension.days.get(day)
  if (values !== undefined) {
    if (known !== undefined && values.refs.has(known.ref)) return known.ref
    const other = values.known < bound ? undefined : dimension.values.get(OTHER)
    if (other !== undefined) return other.ref
  }
  throw new Error(`a value of ${dimension.name} on day ${day} was not prepared`)
}

/** What is wanted of one app and not in memory. */
interface Lacking {
  /** By hex of its key. */
  readonly values: Map<string, { readonly dimension: Dimension; readonly value: string }>
  readonly days: Map<Dimension, Set<number>>
}

async function lookUp(db: Knex, build: number, memory: WebMemory, wanted: readonly WantedValue[]): Promise<void> {
  const lacking = new Map<WebApp, Lacking>()
  for (const { appId, dimension, value, day } of wanted) {
    const app = memory.apps.get(appId)!
    if (app.complete) continue
    const of = app.dimension(dimension)
    const known = of.values.get(value)
    if (known?.day === day) continue
    let lacks = lacking.get(app)
    if (lacks === undefined) lacking.set(app, (lacks = { values: new Map(), days: new Map() }))
    if (known === undefined) wantValue(lacks, of, value)
    if (of.days.has(day)) continue
    if (!of.values.has(OTHER)) wantValue(lacks, of, OTHER)
    const days = lacks.days.get(of)
    if (days === undefined) lacks.days.set(of, new Set([day]))
    else days.add(day)
  }
  if (lacking.size === 0) return
  await lookUpValues(db, build, lacking)
  await lookUpDays(db, build, lacking)
}

function wantValue(lacks: Lacking, dimension: Dimension, value: string): void {
  lacks.values.set(valueKey(dimension.name, value).toString('hex'), { dimension, value })
}

async function lookUpValues(db: Knex, build: number, lacking: ReadonlyMap<WebApp, Lacking>): Promise<void> {
  const sets: RowSet[] = []
  const wanted = new Map<string, Lacking['values']>()
  for (const [app, { values }] of lacking) {
    wanted.set(app.key.toString('hex'), values)
    sets.push({ app: app.key, where: [], column: 'value_key', values: [...values.keys()].map((key) => Buffer.from(key, 'hex')) })
  }
  const rows = await selectAmong<{ app_id: Bytes; value_key: Bytes; ref: number }>(db, 'web_values', build, sets, ['app_id', 'value_key', 'ref'])
  for (const row of rows) {
    const { dimension, value } = wanted.get(bytesOf(row.app_id).toString('hex'))!.get(bytesOf(row.value_key).toString('hex'))!
    dimension.values.set(value, { ref: row.ref, day: NaN, as: -1 })
  }
}

async function lookUpDays(db: Knex, build: number, lacking: ReadonlyMap<WebApp, Lacking>): Promise<void> {
  const sets: RowSet[] = []
  const wanted = new Map<string, Dimension>()
  for (const [app, { days }] of lacking) {
    for (const [dimension, some] of days) {
      wanted.set(app.key.toString('hex') + dimension.key.toString('hex'), dimension)
      sets.push({ app: app.key, where: [['dimension_key', dimension.key]], column: 'day', values: [...some] })
    }
  }
  const columns = ['app_id', 'dimension_key', 'day', 'known', 'refs']
  type Row = { app_id: Bytes; dimension_key: Bytes; day: number; known: number; refs: Bytes }
  for (const row of await selectAmong<Row>(db, 'web_value_days', build, sets, columns)) {
    const dimension = wanted.get(bytesOf(row.app_id).toString('hex') + bytesOf(row.dimension_key).toString('hex'))!
    dimension.days.set(row.day, new DayValues(DistinctSet.fromBytes(bytesOf(row.refs)), row.known))
  }
}

/** Makes known whose blocks these are: refs of visits that are taken back come from rows, without a text. */
export async function loadBlockOwners(db: Knex, build: number, wanted: ReadonlyMap<WebApp, ReadonlySet<number>>): Promise<void> {
  const sets: RowSet[] = []
  const apps = new Map<string, { readonly app: WebApp; readonly dimensions: ReadonlyMap<string, Dimension> }>()
  for (const [app, blocks] of wanted) {
    const missing = [...blocks].filter((block) => !app.blockOwners.has(block))
    if (missing.length === 0) continue
    sets.push({ app: app.key, where: [], column: 'ref', values: missing.map((block) => block * BLOCK) })
    const dimensions = new Map([...app.dimensions.values()].map((dimension) => [dimension.key.toString('hex'), dimension]))
    apps.set(app.key.toString('hex'), { app, dimensions })
  }
  type Row = { app_id: Bytes; dimension_key: Bytes; ref: number }
  for (const row of await selectAmong<Row>(db, 'web_values', build, sets, ['app_id', 'dimension_key', 'ref'])) {
    const { app, dimensions } = apps.get(bytesOf(row.app_id).toString('hex'))!
    app.blockOwners.set(row.ref / BLOCK, dimensions.get(bytesOf(row.dimension_key).toString('hex'))!)
  }
}
