// Writes what a transaction adds to cells: reads the cells as they are, adds, and puts them back; a cell that nothing is left
// in goes, so that rows are the same however the log was cut into stretches.
import type { Knex } from 'knex'
import { replaceRows, type Value } from '../storage/bulkRows.ts'
import { ByteReader, ByteWriter } from '../storage/byteCodec.ts'
import { changedBytes, type Contributions } from '../sets/countedSet.ts'
import { type CellChange, DEFINED_VISITORS, type DefinedApp, type DefinedState, trimMemory } from './state.ts'
import { NumberBag } from '../sets/numberBag.ts'
import { bytesOf } from '../storage/rows.ts'
import { deleteAmong, type RowSet, selectAmong } from '../storage/rowSets.ts'
import { writeVisitors } from '../visitors/visitorRows.ts'

type Bytes = Uint8Array | ArrayBuffer

interface CellRow {
  readonly definition: Bytes
  readonly revision: number
  readonly bucket: number | string
  readonly bot: number
  readonly group_key: Bytes
  readonly events: number | string
  readonly visitors: Bytes
  readonly numbers: Bytes
}

const COLUMNS = ['build', 'app_id', 'definition', 'revision', 'bucket', 'bot', 'group_key', 'group_values', 'events', 'visitors', 'numbers']
const NOTHING = Buffer.alloc(0)

export async function writeDefined(trx: Knex.Transaction, build: number, { memory, changes, contributions }: DefinedState): Promise<void> {
  for (const [app, cells] of changes) {
    await writeCells(trx, build, app, [...cells.values()], contributions)
    await writeVisitors(trx, build, DEFINED_VISITORS, app)
    await replaceRows(trx, 'def_apps', ['build', 'app_id', 'visitors'], [[build, app.key, app.visitors.size]])
    app.fresh = false
  }
  trimMemory(memory)
}

async function writeCells(trx: Knex.Transaction, build: number, app: DefinedApp, cells: readonly CellChange[], contributions: Contributions): Promise<void> {
  const before = app.fresh ? new Map<string, CellRow>() : await readCells(trx, build, app, cells)
  const rows: Value[][] = []
  const emptied: CellChange[] = []
  for (const cell of cells) {
    const row = before.get(nameOf(cell.matcher.definition, cell.matcher.revision, cell.bucket, cell.bot, cell.groupKey))
    const events = Number(row?.events ?? 0) + cell.events
    if (events < 0) throw new RangeError(`a cell would count ${events} events`)
    const visitors = bytesOf(changedBytes(row === undefined ? NOTHING : bytesOf(row.visitors), contributions.of(cell.visitors)))
    const numbers = changedNumbers(row === undefined ? NOTHING : bytesOf(row.numbers), cell.numbers)
    const { matcher, bucket, bot, groupKey, groupValues } = cell
    if (events > 0) rows.push([build, app.key, matcher.definition, matcher.revision, bucket, bot, groupKey, groupValues, events, visitors, numbers])
    else if (row !== undefined) emptied.push(cell)
  }
  if (emptied.length > 0) await deleteAmong(trx, 'def_cells', build, rowSets(app, emptied))
  await replaceRows(trx, 'def_cells', COLUMNS, rows)
}

async function readCells(trx: Knex.Transaction, build: number, app: DefinedApp, cells: readonly CellChange[]): Promise<Map<string, CellRow>> {
  const columns = ['definition', 'revision', 'bucket', 'bot', 'group_key', 'events', 'visitors', 'numbers']
  const found = await selectAmong<CellRow>(trx, 'def_cells', build, rowSets(app, cells), columns)
  return new Map(found.map((row) => [nameOf(bytesOf(row.definition), row.revision, Number(row.bucket), row.bot, bytesOf(row.group_key)), row]))
}

function nameOf(definition: Buffer, revision: number, bucket: number, bot: number, groupKey: Buffer): string {
  return `${definition.toString('hex')} ${revision} ${bucket} ${bot} ${groupKey.toString('hex')}`
}

/** Cells that differ in their group alone stand in one condition. */
function rowSets({ key }: DefinedApp, cells: readonly CellChange[]): Iterable<RowSet> {
  const sets = new Map<string, { readonly app: Buffer; readonly where: RowSet['where']; readonly column: string; readonly values: Buffer[] }>()
  for (const { matcher: { definition, revision }, bucket, bot, groupKey } of cells) {
    const name = nameOf(definition, revision, bucket, bot, NOTHING)
    const set = sets.get(name)
    if (set !== undefined) set.values.push(groupKey)
    else sets.set(name, { app: key, where: [['definition', definition], ['revision', revision], ['bucket', bucket], ['bot', bot]], column: 'group_key', values: [groupKey] })
  }
  return sets.values()
}

function changedNumbers(bytes: Buffer, changes: ReadonlyMap<string, NumberBag>): Buffer {
  if (changes.size === 0) return bytes
  const bags = readNumbers(bytes)
  for (const [label, change] of changes) {
    const bag = bags.get(label)
    if (bag === undefined) bags.set(label, change)
    else bag.addAll(change)
  }
  const writer = new ByteWriter()
  for (const label of [...bags.keys()].sort()) {
    const content = bags.get(label)!.toBytes()
    if (content.length === 0) continue
    const text = Buffer.from(label)
    writer.number(text.length)
    writer.append(text)
    writer.number(content.length)
    writer.append(content)
  }
  return writer.take()
}

/** By label. */
export function readNumbers(bytes: Buffer): Map<string, NumberBag> {
  const bags = new Map<string, NumberBag>()
  const reader = new ByteReader(bytes)
  while (!reader.done) {
    const label = Buffer.from(reader.take(reader.number())).toString()
    bags.set(label, NumberBag.fromBytes(reader.take(reader.number())))
  }
  return bags
}
