// Compares one table of two builds row by row, both sides streamed in the order of the primary key, and says in words what
// differs: a row that is missing, one that should not be, or the columns that disagree.
import type { Knex } from 'knex'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import type { ProjectionTable } from './projection.ts'
import { bytesOf } from './rows.ts'

export interface Side {
  readonly db: Knex
  readonly build: number
}

export interface Which {
  /** Only this app's rows. */
  readonly appId?: string
  /** Not these apps' rows. */
  readonly excluded?: readonly string[]
}

export interface Difference {
  readonly rows: number
  readonly words: readonly string[]
}

type Row = Readonly<Record<string, unknown>>

/** `left` is what readers see, `right` what the log says. */
export async function compareTable(table: ProjectionTable, left: Side, right: Side, which: Which): Promise<Difference> {
  const words: string[] = []
  let rows = 0
  const seen = stream(table, left, which)
  const expected = stream(table, right, which)
  let actual = await next(seen)
  let wanted = await next(expected)
  while ((actual !== undefined || wanted !== undefined) && words.length < LIMITS.differencesShown) {
    const order = actual === undefined ? 1 : wanted === undefined ? -1 : compareKeys(table, actual, wanted)
    if (order < 0) {
      words.push(`${table.name}: ${keyWords(table, actual!)} is in the read model and should not be`)
      actual = await next(seen)
    } else if (order > 0) {
      words.push(`${table.name}: ${keyWords(table, wanted!)} is missing from the read model`)
      wanted = await next(expected)
    } else {
      words.push(...columnWords(table, actual!, wanted!))
      actual = await next(seen)
      wanted = await next(expected)
      rows += 1
    }
  }
  await Promise.all([seen.return(), expected.return()])
  return { rows, words }
}

async function next(rows: AsyncGenerator<Row, void>): Promise<Row | undefined> {
  const { value } = await rows.next()
  return value ?? undefined
}

async function* stream(table: ProjectionTable, { db, build }: Side, which: Which): AsyncGenerator<Row, void> {
  const columns = [...table.key]
  const excluded = new Set(which.excluded?.map((appId) => uuidToBytes(appId).toString('hex')))
  let last: Row | undefined
  for (;;) {
    let query = db(table.name).where({ build, ...(which.appId === undefined ? {} : { app_id: uuidToBytes(which.appId) }) })
    if (last !== undefined) query = query.where(afterKey(columns, last))
    const rows = await query.orderBy(columns).limit(LIMITS.rowsPerStatement).select<Row[]>('*')
    for (const row of rows) if (!excluded.has(plain(row['app_id']))) yield row
    last = rows.at(-1)
    if (rows.length < LIMITS.rowsPerStatement) return
  }
}

// (a, b) > (x, y) spelled out: MySQL does not use the index for the short form.
function afterKey(columns: readonly string[], row: Row): (where: Knex.QueryBuilder) => void {
  return (where) => {
    for (const [index, column] of columns.entries()) {
      void where.orWhere((equal) => {
        for (const before of columns.slice(0, index)) void equal.where(before, bindable(row[before]))
        void equal.where(column, '>', bindable(row[column]))
      })
    }
  }
}

function bindable(value: unknown): Knex.Value {
  return value instanceof ArrayBuffer || value instanceof Uint8Array ? bytesOf(value) : (value as Knex.Value)
}

function compareKeys({ key }: ProjectionTable, left: Row, right: Row): number {
  for (const column of key) {
    const order = compareValues(left[column], right[column])
    if (order !== 0) return order
  }
  return 0
}

/** As both engines sort: numbers by value, bytes and text (utf8mb4_bin) by their bytes. */
function compareValues(left: unknown, right: unknown): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  return Buffer.compare(sortable(left), sortable(right))
}

function sortable(value: unknown): Buffer {
  return value instanceof ArrayBuffer || value instanceof Uint8Array ? bytesOf(value) : Buffer.from(String(value))
}

function columnWords(table: ProjectionTable, actual: Row, wanted: Row): string[] {
  const left = table.comparable?.(actual) ?? actual
  const right = table.comparable?.(wanted) ?? wanted
  const words: string[] = []
  for (const column of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (column === 'build' || plain(left[column]) === plain(right[column])) continue
    const [was, should] = [short(left[column]), short(right[column])]
    words.push(`${table.name}: ${keyWords(table, wanted)} has ${column} ${was} and should have ${should}`)
  }
  return words
}

function keyWords({ key }: ProjectionTable, row: Row): string {
  return key.map((column) => `${column} ${short(row[column])}`).join(', ')
}

function short(value: unknown): string {
  const text = plain(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

function plain(value: unknown): string {
  if (value instanceof ArrayBuffer || value instanceof Uint8Array) return bytesOf(value).toString('hex')
  if (typeof value === 'object' && value !== null) return JSON.stringify(value)
  return String(value)
}
