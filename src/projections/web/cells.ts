// Puts what a stretch changed of dimension values into the rows of web_cells: rows are read, changed and put back many at a
// time, and an entry, or a row, that nothing is left of goes.
import type { Knex } from 'knex'
import { replaceRows, type Value } from '../storage/bulkRows.ts'
import { changedBytes, type Contributions } from '../sets/countedSet.ts'
import { bytesOf } from '../storage/rows.ts'
import { deleteAmong, type RowSet, selectAmong } from '../storage/rowSets.ts'
import type { AppChanges, CellChanges } from './changes.ts'
import { loadBlockOwners } from './dictionary.ts'
import { type CellEntry, packEntries, unpackEntries } from './entries.ts'
import type { Dimension, WebApp } from './memory.ts'

const COLUMNS = ['build', 'app_id', 'dimension_key', 'day', 'block', 'bot', 'content']
/** Rows that are in memory at once. */
const AT_ONCE = 2_000
const NOTHING = new Uint8Array(0)

interface ChangedRow {
  readonly app: WebApp
  readonly dimension: Dimension
  readonly day: number
  readonly bot: number
  readonly block: number
  /** By index within the block. */
  readonly changes: Map<number, CellChanges>
}

export async function writeCells(trx: Knex.Transaction, build: number, apps: readonly AppChanges[]): Promise<void> {
  const blocks = new Map<WebApp, ReadonlySet<number>>()
  for (const { app, blocks: some } of apps) blocks.set(app, some)
  await loadBlockOwners(trx, build, blocks)
  for (const changes of apps) {
    const rows = rowsOf(changes)
    for (let at = 0; at < rows.length; at += AT_ONCE) await writeRows(trx, build, rows.slice(at, at + AT_ONCE), changes.contributions)
  }
}

/** In the order of the primary key. */
function rowsOf(changes: AppChanges): ChangedRow[] {
  const { app, blocks } = changes
  const rows: ChangedRow[] = []
  for (const block of blocks) {
    const dimension = app.blockOwners.get(block)
    if (dimension === undefined) throw new Error(`block ${block} is of no dimension`)
    const byDay = new Map<number, ChangedRow>()
    for (const [index, dayBot, cell] of changes.cells(block)) {
      let row = byDay.get(dayBot)
      if (row === undefined) {
        row = { app, dimension, day: Math.floor(dayBot / 2), bot: dayBot & 1, block, changes: new Map<number, CellChanges>() }
        byDay.set(dayBot, row)
        rows.push(row)
      }
      row.changes.set(index, cell)
    }
  }
  return rows.sort(
    (left, right) =>
      (left.dimension === right.dimension ? 0 : left.dimension.key.compare(right.dimension.key)) || left.day - right.day || left.block - right.block || left.bot - right.bot,
  )
}

async function writeRows(trx: Knex.Transaction, build: number, rows: readonly ChangedRow[], contributions: Contributions): Promise<void> {
  const held = await readHeld(trx, build, rows)
  const replaced: Value[][] = []
  const emptied: RowSet[] = []
  for (const row of rows) {
    const { app, dimension, day, bot, block } = row
    const before = held.get(rowKey(row))
    const entries = before === undefined ? new Map<number, CellEntry>() : unpackEntries(before)
    for (const [index, changes] of row.changes) change(entries, index, changes, contributions.of(changes.visitors))
    if (entries.size > 0) replaced.push([build, app.key, dimension.key, day, block, bot, packEntries(entries)])
    else if (before !== undefined) {
      const where = [['dimension_key', dimension.key], ['day', day], ['bot', bot]] as const // prettier-ignore
      emptied.push({ app: app.key, where, column: 'block', values: [block] })
    }
  }
  await replaceRows(trx, 'web_cells', COLUMNS, replaced)
  await deleteAmong(trx, 'web_cells', build, emptied)
}

function change(entries: Map<number, CellEntry>, index: number, changes: CellChanges, visitors: Int32Array): void {
  const entry = entries.get(index) ?? { events: 0, pageviews: 0, visits: 0, visitors: NOTHING }
  entry.events += changes.events
  entry.pageviews += changes.pageviews
  entry.visits += changes.visits
  if (entry.events < 0 || entry.pageviews < 0 || entry.visits < 0) throw new RangeError('a value would count less than nothing')
  entry.visitors = changedBytes(entry.visitors, visitors)
  if (entry.events === 0 && entry.pageviews === 0 && entry.visits === 0 && entry.visitors.length === 0) entries.delete(index)
  else entries.set(index, entry)
}

/** What the table holds of these rows. */
async function readHeld(trx: Knex.Transaction, build: number, rows: readonly ChangedRow[]): Promise<Map<string, Buffer>> {
  const sets: (RowSet & { readonly values: number[] })[] = []
  let last: ChangedRow | undefined
  for (const row of rows) {
    const { app, dimension, day, block } = row
    if (app.writtenDays?.has(day) === false) continue
    if (last?.app === app && last.dimension === dimension && last.day === day) {
      if (last.block !== block) sets.at(-1)!.values.push(block)
    } else sets.push({ app: app.key, where: [['dimension_key', dimension.key], ['day', day]], column: 'block', values: [block] }) // prettier-ignore
    last = row
  }
  type Bytes = Uint8Array | ArrayBuffer
  type Row = { app_id: Bytes; day: number; block: number; bot: number; content: Bytes }
  const found = await selectAmong<Row>(trx, 'web_cells', build, sets, ['app_id', 'day', 'block', 'bot', 'content'])
  return new Map(found.map((row) => [`${bytesOf(row.app_id).toString('hex')} ${row.block} ${row.day} ${row.bot}`, bytesOf(row.content)]))
}

/** A block is of one dimension only. */
function rowKey({ app, day, bot, block }: ChangedRow): string {
  return `${app.key.toString('hex')} ${block} ${day} ${bot}`
}
