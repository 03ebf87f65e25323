// What queries read of goals and reports: the cells of one definition, or of all events, in a range of whole buckets.
import type { Knex } from 'knex'
import { uuidToBytes } from '../../kernel/ids.ts'
import { ALL } from './match.ts'
import { readNumbers } from './write.ts'
import type { NumberBag } from '../sets/numberBag.ts'
import { bytesOf } from '../storage/rows.ts'

type Bytes = Uint8Array | ArrayBuffer

/** The rows of one app in one build; a query's Snapshot is one. */
export interface DefinedRows {
  readonly trx: Knex
  readonly build: number
  readonly appId: string
}

export interface Bounds {
  readonly fromMs: number
  readonly toMs: number
}

export interface DefinedCell {
  /** Epoch milliseconds at which it starts. */
  readonly bucket: number
  readonly group: readonly (string | null)[]
  readonly events: number
  /** Counted set, for DistinctPeople.add. */
  readonly visitors: Uint8Array
  readonly numbers: ReadonlyMap<string, NumberBag>
}

/** Of one revision of a definition; in no order. */
export function readDefined(rows: DefinedRows, { definitionId, revision }: { definitionId: string; revision: number }, range: Bounds, bots: readonly (0 | 1)[]): Promise<DefinedCell[]> {
  return read(rows, { definition: uuidToBytes(definitionId), revision }, range, bots)
}

/** How many there are in a range, with bots and without, counted no further than a bound. */
export async function countDefined({ trx, build, appId }: DefinedRows, { definitionId, revision }: { definitionId: string; revision: number }, { fromMs, toMs }: Bounds, bound: number): Promise<number> {
  const cells = trx('def_cells')
    .where({ build, app_id: uuidToBytes(appId), definition: uuidToBytes(definitionId), revision })
    .where('bucket', '>=', fromMs)
    .where('bucket', '<', toMs)
    .select('bucket')
    .limit(bound)
  const row = await trx.from(cells.as('cells')).count({ cells: '*' }).first<{ cells: number | string }>()
  return Number(row.cells)
}

/** Of all events of the app, per local day. */
export function readAllDays(rows: DefinedRows, range: Bounds, bots: readonly (0 | 1)[]): Promise<DefinedCell[]> {
  return read(rows, ALL, range, bots)
}

async function read({ trx, build, appId }: DefinedRows, { definition, revision }: typeof ALL, { fromMs, toMs }: Bounds, bots: readonly (0 | 1)[]): Promise<DefinedCell[]> {
  const found = await trx('def_cells')
    .where({ build, app_id: uuidToBytes(appId), definition, revision })
    .where('bucket', '>=', fromMs)
    .where('bucket', '<', toMs)
    .whereIn('bot', [...bots])
    .select<{ bucket: number | string; group_values: string; events: number | string; visitors: Bytes; numbers: Bytes }[]>('bucket', 'group_values', 'events', 'visitors', 'numbers')
  return found.map((row) => ({
    bucket: Number(row.bucket),
    group: JSON.parse(row.group_values) as (string | null)[],
    events: Number(row.events),
    visitors: bytesOf(row.visitors),
    numbers: readNumbers(bytesOf(row.numbers)),
  }))
}

/** The starts of the first and the last local day with events; undefined where there are none. */
export async function readDefinedExtent({ trx, build, appId }: DefinedRows): Promise<{ first: number; last: number } | undefined> {
  const row = await trx('def_cells')
    .where({ build, app_id: uuidToBytes(appId), ...ALL })
    .min({ first: 'bucket' })
    .max({ last: 'bucket' })
    .first<{ first: number | string | null; last: number | string | null }>()
  return row.first === null || row.last === null ? undefined : { first: Number(row.first), last: Number(row.last) }
}
