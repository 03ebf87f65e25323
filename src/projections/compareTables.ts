// Compares one table of two builds row by row, both sides streamed in the order of the primary key in constant memory: how
// many rows are missing, should not be or disagree, what their numbers sum to on either side, and the first ones in words.
import type { Knex } from 'knex'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import type { ProjectionTable } from './projection.ts'
import { bytesOf } from './storage/rows.ts'

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
  /** Rows on both sides. */
  readonly rows: number
  readonly onlyLeft: number
  readonly onlyRight: number
  /** Rows on both sides whose columns disagree. */
  readonly changed: number
  /** Of columns that are numbers and no part of the key, where the sides disagree. */
  readonly sums: Readonly<Record<string, Sums>>
  /** The first ones, at most LIMITS.differencesShown. */
  readonly words: readonly string[]
}

export interface Sums {
  readonly left: number
  readonly right: number
}

/** What the sides are called in words. */
export interface Words {
  readonly onlyLeft: string
  readonly onlyRight: string
  readonly changed: (left: string, right: string) => string
}

/** `left` is what readers see, `right` what the log says. */
export const VERIFYING: Words = {
  onlyLeft: 'is in the read model and should not be',
  onlyRight: 'is missing from the read model',
  changed: (left, right) => `${left} and should have ${right}`,
}

type Row = Readonly<Record<string, unknown>>

export async function compareTable(table: ProjectionTable, left: Side, right: Side, which: Which, say: Words): Promise<Difference> {
  const words: string[] = []
  const tell = (text: string): void => {
    if (words.length < LIMITS.differencesShown) words.push(`${table.name}: ${text}`)
  }
  const found = { rows: 0, onlyLeft: 0, onlyRight: 0, changed: 0 }
  const sums = new ColumnSums(table)
  const seen = stream(table, left, which)
  const expected = stream(table, right, which)
  let actual = await next(seen)
  let wanted = await next(expected)
  while (actual !== undefined || wanted !== undefined) {
    const order = actual === undefined ? 1 : wanted === undefined ? -1 : compareKeys(table, actual, wanted)
    if (order === 0) {
      const changes = changedColumns(table, actual!, wanted!)
      found.rows += 1
      if (changes.length > 0) found.changed += 1
      for (const { column, was, should } of changes) tell(`${keyWords(table, wanted!)} has ${column} ${say.changed(was, should)}`)
    } else if (order < 0) {
      found.onlyLeft += 1
      tell(`${keyWords(table, actual!)} ${say.onlyLeft}`)
    } else {
      found.onlyRight += 1
      tell(`${keyWords(table, wanted!)} ${say.onlyRight}`)
    }
    if (order <= 0) {
      sums.add('left', actual!)
      actual = await next(seen)
    }
    if (order >= 0) {
      sums.add('right', wanted!)
      wanted = await next(expected)
    }
  }
  return { ...found, sums: sums.different(), words }
}

class ColumnSums {
  private readonly sums = new Map<string, { left: number; right: number }>()
  private readonly key: ReadonlySet<string>

  constructor(private readonly table: ProjectionTable) {
    this.key = new Set(['build', ...table.key])
  }

  add(side: keyof Sums, row: Row): void {
    for (const [column, value] of Object.entries(this.table.comparable?.(row) ?? row)) {
      if (typeof value !== 'number' || this.key.has(column)) continue
      let sum = this.sums.get(column)
      if (sum === undefined) this.sums.set(column, (sum = { left: 0, right: 0 }))
      sum[side] += value
    }
  }

  different(): Record<string, Sums> {
    return Object.fromEntries([...this.sums].filter(([, { left, right }]) => left !== right))
  }
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

function changedColumns(table: ProjectionTable, actual: Row, wanted: Row): { column: string; was: string; should: string }[] {
  const left = table.comparable?.(actual) ?? actual
  const right = table.comparable?.(wanted) ?? wanted
  const changes: { column: string; was: string; should: string }[] = []
  for (const column of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (column === 'build' || plain(left[column]) === plain(right[column])) continue
    changes.push({ column, was: short(left[column]), should: short(right[column]) })
  }
  return changes
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
