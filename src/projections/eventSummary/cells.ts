// The rows of eventSummary in memory: per event name and bot the local days, per day its quarters of an hour. A leaf counts
// what its rows (its own, its day's, and both of all events) still have to add, so that folding an event touches little.
import type { LocalDay } from '../../kernel/calendar.ts'
import { ByteReader, ByteWriter } from '../storage/byteCodec.ts'
import { DistinctSet } from '../sets/distinctSet.ts'
import { PositionRuns } from '../sets/positionRuns.ts'
import { DEVICES } from '../enrichment/userAgents.ts'

export const SLOT_MS = 900_000
/** A day with more events than this keeps its quarters of an hour in rows of their own. */
export const PACKED_EVENTS = 2_000
/** Up to this many visitors a slot lists them as differences; beyond, as a bitmap. */
const LISTED_VISITORS = 64

export type Counts = number[]

export function noCounts(): Counts {
  return [0, 0, 0, 0, 0, 0, 0, 0]
}

export function addCounts(to: Counts, more: readonly number[]): void {
  for (let device = 0; device < DEVICES.length; device++) to[device]! += more[device]!
}

export function total(counts: readonly number[]): number {
  let sum = 0
  for (const count of counts) sum += count
  return sum
}

/** A quarter of an hour, or the part of one that lies in its day. */
export class SlotCell {
  counts = noCounts()
  visitors = new DistinctSet()
  /** Only of all events. */
  positions: PositionRuns | undefined
  /** Counts that its rows do not have yet; undefined when there are none. */
  pending: Counts | undefined

  constructor(
    readonly slot: number,
    readonly day: DayCell,
  ) {
    if (day.series.all === undefined) this.positions = new PositionRuns()
  }
  /** The same quarter of an hour of all events. */
  all: SlotCell | undefined
}

export class DayCell {
  counts = noCounts()
  visitors = new DistinctSet()
  readonly slots = new Map<number, SlotCell>()
  /** True once its quarters of an hour are rows of their own. */
  spilled = false
  lastSlot: SlotCell | undefined
  /** The number of the write that last touched it. */
  touched = 0

  constructor(
    readonly series: Series,
    readonly local: LocalDay,
  ) {}

  slot(slot: number): SlotCell {
    let cell = this.slots.get(slot)
    if (cell === undefined) this.slots.set(slot, (cell = new SlotCell(slot, this)))
    return cell
  }

  packed(): Buffer | null {
    if (this.spilled) return null
    const base = Math.floor(this.local.fromMs / SLOT_MS)
    const slots = [...this.slots.values()].filter(({ counts }) => total(counts) > 0).sort((left, right) => left.slot - right.slot)
    for (const cell of slots) {
      writer.number(cell.slot - base)
      writeSlot(writer, cell)
    }
    return writer.take()
  }

  unpack(bytes: Uint8Array): void {
    for (const content of readPacked(bytes, this.local.fromMs)) this.restore(content)
  }

  restore(content: SlotContent): void {
    const cell = this.slot(content.slot)
    cell.counts = content.counts
    cell.visitors = content.visitors
    if (cell.positions !== undefined) cell.positions = content.positions
  }
}

/** One event name, bots or others: what a row's key holds besides time. */
export class Series {
  /** By day; null where a row exists that is not in memory. */
  readonly days = new Map<number, DayCell | null>()
  lastDay: DayCell | undefined

  constructor(
    readonly key: Buffer,
    readonly bot: 0 | 1,
    /** The series of all events; undefined for that one itself. */
    readonly all: Series | undefined,
    /** True when days that are not here do not exist in the tables either. */
    public complete: boolean,
  ) {}
}

export interface SlotContent {
  readonly slot: number
  readonly counts: Counts
  readonly visitors: DistinctSet
  readonly positions: PositionRuns | undefined
}

const writer = new ByteWriter()

export function slotBytes(cell: SlotCell): Buffer {
  writeSlot(writer, cell)
  return writer.take()
}

export function readSlot(slot: number, bytes: Uint8Array): SlotContent {
  return readContent(slot, new ByteReader(bytes))
}

/** The quarters of an hour that a day's row holds. */
export function readPacked(bytes: Uint8Array, dayFromMs: number): SlotContent[] {
  const reader = new ByteReader(bytes)
  const base = Math.floor(dayFromMs / SLOT_MS)
  const contents: SlotContent[] = []
  while (!reader.done) contents.push(readContent(base + reader.number(), reader))
  return contents
}

function writeSlot(to: ByteWriter, { counts, visitors, positions }: SlotCell): void {
  let mask = 0
  for (let device = 0; device < DEVICES.length; device++) if (counts[device]! > 0) mask |= 1 << device
  to.number(mask * 2 + (positions === undefined ? 0 : 1))
  for (const count of counts) if (count > 0) to.number(count)
  const { size } = visitors
  to.number(size)
  if (size > LISTED_VISITORS) {
    const bytes = visitors.toBytes()
    to.number(bytes.length)
    to.append(bytes)
  } else if (size > 0) {
    let before = 0
    for (const ordinal of visitors.values()) {
      to.number(ordinal - before)
      before = ordinal
    }
  }
  positions?.write(to)
}

function readContent(slot: number, from: ByteReader): SlotContent {
  const head = from.number()
  const counts = noCounts()
  for (let device = 0; device < DEVICES.length; device++) if (((head >> (device + 1)) & 1) === 1) counts[device] = from.number()
  const size = from.number()
  let visitors: DistinctSet
  if (size > LISTED_VISITORS) visitors = DistinctSet.fromBytes(from.take(from.number()))
  else {
    visitors = new DistinctSet()
    for (let left = size, ordinal = 0; left > 0; left--) visitors.add((ordinal += from.number()))
  }
  return { slot, counts, visitors, positions: (head & 1) === 1 ? PositionRuns.read(from) : undefined }
}
