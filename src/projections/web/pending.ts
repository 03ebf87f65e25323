// What stretches changed of the large rows of web_cells and is not in their content yet. On a busy day a row has the visitors of
// every value in its block, megabytes of them: to read and to write those for each stretch would cost more than counting does,
// the more the later the day. So the changes stand beside the content, in `pending`, and are put into it when writing them out
// again and again has cost a quarter of what the content is long. Whoever reads a row reads both.
import { changedBytes, netSteps } from '../sets/countedSet.ts'
import { ByteReader, ByteWriter } from '../storage/byteCodec.ts'
import { bytesOf } from '../storage/rows.ts'
import { LIMITS } from '../../limits.ts'
import { type CellEntry, packEntries, unpackEntries } from './entries.ts'

/** What a stretch changes of one value on one day. */
export interface CellChange {
  readonly events: number
  readonly pageviews: number
  readonly visits: number
}

type Bytes = Uint8Array | ArrayBuffer

/** The columns that say what a row counts. */
export interface CellContent {
  readonly content: Bytes
  readonly pending?: Bytes | null
}

/**
 * Of the content: as changes take more than a quarter of the bytes of what they take back (a fifth, for visitors alone on both sides
 * of borders of 65,536, which a row of LIMITS.cellPendingFromBytes has of a hundred million at least), no row is left with nothing
 * while they are pending, which would be a row that counting afresh does not make.
 */
const PENDING_SHARE = 1 / 4
/** A row that so many stretches did not change rests. */
const RESTING_STRETCHES = 20
/** Of content that one stretch writes for rows that rest: of the many of a day that is over, each stretch takes a few. */
const RESTING_BYTES = 1024 * 1024
/** What a row takes in memory, about, beside what is pending of it. */
const ROW_BYTES = 200
const NOTHING = new Uint8Array(0)
const NO_BYTES = Buffer.alloc(0)

const writer = new ByteWriter()

/** Adds a change to the entry of an index; an entry that nothing is left of goes. Throws when more is taken back than was there. */
export function changeEntry(entries: Map<number, CellEntry>, index: number, change: CellChange, visitors: Int32Array): void {
  const entry = entries.get(index) ?? { events: 0, pageviews: 0, visits: 0, visitors: NOTHING }
  entry.events += change.events
  entry.pageviews += change.pageviews
  entry.visits += change.visits
  if (entry.events < 0 || entry.pageviews < 0 || entry.visits < 0) throw new RangeError('a value would count less than nothing')
  entry.visitors = changedBytes(entry.visitors, visitors)
  if (entry.events === 0 && entry.pageviews === 0 && entry.visits === 0 && entry.visitors.length === 0) entries.delete(index)
  else entries.set(index, entry)
}

/** The entries of a row, by index within the block, with what is pending. */
export function entriesOf({ content, pending }: CellContent): Map<number, CellEntry> {
  const entries = unpackEntries(bytesOf(content))
  if (pending == null) return entries
  for (const [index, { steps, ...change }] of unpackChanges(bytesOf(pending))) changeEntry(entries, index, change, Int32Array.from(steps).sort())
  return entries
}

/** The same as the bytes of a row that has nothing pending. */
export function contentOf(row: CellContent): Uint8Array {
  return row.pending == null ? bytesOf(row.content) : packEntries(entriesOf(row))
}

/** Changes of one stretch, one value after the other; those of several stretches may follow each other. */
export function packChanges(changes: Iterable<readonly [index: number, change: CellChange, visitors: Int32Array]>): Buffer {
  for (const [index, { events, pageviews, visits }, visitors] of changes) {
    const steps = netSteps(visitors)
    writer.number(index)
    for (const sum of [events, pageviews, visits]) writer.number(sum < 0 ? -2 * sum - 1 : 2 * sum)
    writer.number(steps.length)
    let before = 0
    for (const step of steps) {
      writer.number(step - before)
      before = step
    }
  }
  return writer.take()
}

/** All of a value's changes in one, by index. */
function unpackChanges(bytes: Uint8Array): Map<number, { events: number; pageviews: number; visits: number; steps: number[] }> {
  const changes = new Map<number, { events: number; pageviews: number; visits: number; steps: number[] }>()
  const reader = new ByteReader(bytes)
  const sum = (): number => {
    const number = reader.number()
    return number % 2 === 1 ? -(number + 1) / 2 : number / 2
  }
  while (!reader.done) {
    const index = reader.number()
    let change = changes.get(index)
    if (change === undefined) changes.set(index, (change = { events: 0, pageviews: 0, visits: 0, steps: [] }))
    change.events += sum()
    change.pageviews += sum()
    change.visits += sum()
    for (let left = reader.number(), step = 0; left > 0; left--) change.steps.push((step += reader.number()))
  }
  return changes
}

/** Which row of an app: a block is of one dimension only. */
export interface CellPlace {
  readonly day: number
  readonly bot: number
  readonly block: number
}

export function placeKey({ day, bot, block }: CellPlace): string {
  return `${block} ${day} ${bot}`
}

interface LargeRow {
  readonly place: CellPlace
  readonly contentBytes: number
  pending: Buffer
  /** Bytes of pending changes written since its content was. */
  written: number
  /** The stretch that changed it last. */
  touched: number
}

/** The large rows of one app that this process has written whole: what is pending of them, so that nothing of them is read. */
export class LargeRows {
  private readonly rows = new Map<string, LargeRow>()
  private pendingBytes = 0
  private stretch = 0

  /** What is held here, about. */
  get bytes(): number {
    return this.pendingBytes + this.rows.size * ROW_BYTES
  }

  /**
   * Begins a stretch. Answers the rows with something pending that have not changed for a while, so that a day that is over,
   * which questions go on reading, does not have its changes put together for each of them. Rows that were let wait by another
   * memory than this one are not known here: no index would find them.
   */
  next(): CellPlace[] {
    this.stretch++
    const resting: CellPlace[] = []
    let bytes = 0
    for (const { place, pending, touched, contentBytes } of this.rows.values()) {
      if (pending.length === 0 || touched + RESTING_STRETCHES > this.stretch) continue
      resting.push(place)
      bytes += contentBytes
      if (bytes >= RESTING_BYTES) break
    }
    return resting
  }

  /** All that is pending of a row with these changes; undefined when its content is to be written, or was not here. */
  putOff(place: CellPlace, changes: () => Buffer): Buffer | undefined {
    const row = this.rows.get(placeKey(place))
    if (row === undefined) return undefined
    const pending = Buffer.concat([row.pending, changes()])
    if (row.written + pending.length >= row.contentBytes * PENDING_SHARE) return undefined
    this.pendingBytes += pending.length - row.pending.length
    row.written += pending.length
    row.touched = this.stretch
    return (row.pending = pending)
  }

  /** After the content was written, with nothing pending; of no bytes when the row is gone. */
  wrote({ day, bot, block }: CellPlace, contentBytes: number): void {
    const key = placeKey({ day, bot, block })
    this.pendingBytes -= this.rows.get(key)?.pending.length ?? 0
    if (contentBytes < LIMITS.cellPendingFromBytes) this.rows.delete(key)
    else this.rows.set(key, { place: { day, bot, block }, contentBytes, pending: NO_BYTES, written: 0, touched: this.stretch })
  }

  forget(): void {
    this.rows.clear()
    this.pendingBytes = 0
  }
}
