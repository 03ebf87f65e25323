// Puts what a stretch changed of dimension values into the rows of web_cells: rows are read, changed and put back many at a
// time, and an entry, or a row, that nothing is left of goes. Of large rows only what changes is written, until that is much.
import type { Knex } from 'knex'
import { replaceRows, type Value } from '../storage/bulkRows.ts'
import type { Contributions } from '../sets/countedSet.ts'
import { bytesOf } from '../storage/rows.ts'
import { deleteAmong, type RowSet, selectAmong } from '../storage/rowSets.ts'
import { insertOrReplace } from '../storage/upsert.ts'
import type { AppChanges, CellChanges } from './changes.ts'
import { loadBlockOwners } from './dictionary.ts'
import { type CellEntry, packEntries } from './entries.ts'
import type { Dimension, WebApp } from './memory.ts'
import { type CellContent, type CellPlace, changeEntry, entriesOf, packChanges, placeKey } from './pending.ts'

const KEY = ['app_id', 'dimension_key', 'day', 'block', 'bot']
const COLUMNS = ['build', ...KEY, 'content', 'pending']
/** Rows that are in memory at once. */
const AT_ONCE = 2_000
/** Of pending changes that are written by one statement. */
const STATEMENT_BYTES = 250_000
/** What is said of a row's content where only `pending` of it is put: the row is there. */
const NO_CONTENT = Buffer.alloc(0)

interface ChangedRow extends CellPlace {
  readonly app: WebApp
  readonly dimension: Dimension
  /** By index within the block; none where what is pending is to be put into the content. */
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

function ownerOf(app: WebApp, block: number): Dimension {
  const dimension = app.blockOwners.get(block)
  if (dimension === undefined) throw new Error(`block ${block} is of no dimension`)
  return dimension
}

/** In the order of the primary key. */
function rowsOf(changes: AppChanges): ChangedRow[] {
  const { app, blocks } = changes
  const rows: ChangedRow[] = []
  for (const block of blocks) {
    const dimension = ownerOf(app, block)
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
  const resting = app.largeCells.next()
  const changed = new Set(resting.length === 0 ? [] : rows.map(placeKey))
  for (const place of resting) if (!changed.has(placeKey(place))) rows.push({ app, dimension: ownerOf(app, place.block), ...place, changes: new Map() })
  return rows.sort(
    (left, right) =>
      (left.dimension === right.dimension ? 0 : left.dimension.key.compare(right.dimension.key)) || left.day - right.day || left.block - right.block || left.bot - right.bot,
  )
}

async function writeRows(trx: Knex.Transaction, build: number, rows: readonly ChangedRow[], contributions: Contributions): Promise<void> {
  const whole = await putOff(trx, build, rows, contributions)
  const held = await readHeld(trx, build, whole)
  const replaced: Value[][] = []
  const emptied: RowSet[] = []
  for (const row of whole) {
    const { app, dimension, day, bot, block } = row
    const before = held.get(rowKey(row))
    const entries = before === undefined ? new Map<number, CellEntry>() : entriesOf(before)
    for (const [index, changes] of row.changes) changeEntry(entries, index, changes, contributions.of(changes.visitors))
    const content = packEntries(entries)
    app.largeCells.wrote(row, content.length)
    if (content.length > 0) replaced.push([build, app.key, dimension.key, day, block, bot, content, null])
    else if (before !== undefined) {
      const where = [['dimension_key', dimension.key], ['day', day], ['bot', bot]] as const // prettier-ignore
      emptied.push({ app: app.key, where, column: 'block', values: [block] })
    }
  }
  await replaceRows(trx, 'web_cells', COLUMNS, replaced)
  await deleteAmong(trx, 'web_cells', build, emptied)
}

/** Writes what changes beside the content where that stays little; the other rows are to be written whole. */
async function putOff(trx: Knex.Transaction, build: number, rows: readonly ChangedRow[], contributions: Contributions): Promise<ChangedRow[]> {
  const whole: ChangedRow[] = []
  let pending: object[] = []
  let pendingBytes = 0
  const send = async (): Promise<void> => {
    await insertOrReplace(trx, 'web_cells', KEY, build, pending, ['pending'])
    pending = []
    pendingBytes = 0
  }
  for (const row of rows) {
    const { app, dimension, day, block, bot } = row
    const changes = (): Buffer => packChanges([...row.changes].map(([index, cell]) => [index, cell, contributions.of(cell.visitors)]))
    const bytes = row.changes.size === 0 ? undefined : app.largeCells.putOff(row, changes)
    if (bytes === undefined) {
      whole.push(row)
      continue
    }
    pending.push({ app_id: app.key, dimension_key: dimension.key, day, block, bot, content: NO_CONTENT, pending: bytes })
    if ((pendingBytes += bytes.length) >= STATEMENT_BYTES) await send()
  }
  await send()
  return whole
}

/** What the table holds of these rows. */
async function readHeld(trx: Knex.Transaction, build: number, rows: readonly ChangedRow[]): Promise<Map<string, CellContent>> {
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
  type Row = CellContent & { app_id: Uint8Array | ArrayBuffer; day: number; block: number; bot: number }
  const found = await selectAmong<Row>(trx, 'web_cells', build, sets, ['app_id', 'day', 'block', 'bot', 'content', 'pending'])
  return new Map(found.map((row) => [`${bytesOf(row.app_id).toString('hex')} ${placeKey(row)}`, row]))
}

function rowKey(row: ChangedRow): string {
  return `${row.app.key.toString('hex')} ${placeKey(row)}`
}
