// A set of visitors that things can be taken out of again: each member with the number of contributions that support it, so
// that a member leaves when the last of them is taken back. Equal content has equal bytes however it came about. Members
// stand before counts, as a Roaring bitmap once they are many, so that uniting sets does not read the counts.
import { ByteReader, ByteWriter } from '../storage/byteCodec.ts'
import { bytesOfAscending, eachMemberOf } from './distinctSet.ts'

/** Below this many members are listed as differences; from here on they are a bitmap. */
const BITMAP_MEMBERS = 32
const EMPTY = Buffer.alloc(0)

/** Contributions to one set that its bytes do not have yet, in any order. */
export class CountedChanges {
  private readonly made: number[] = []

  add(ordinal: number, sign: 1 | -1): void {
    this.made.push(stepOf(ordinal, sign))
  }

  get steps(): Int32Array {
    return Int32Array.from(this.made).sort()
  }
}

/** Ordinal * 2, plus 1 where a contribution is taken back. */
function stepOf(ordinal: number, sign: 1 | -1): number {
  return sign === 1 ? ordinal * 2 : ordinal * 2 + 1
}

/**
 * The same for many sets: flat arrays, because a rebuild makes a dozen per event.
 */
export class Contributions {
  private sets = new Int32Array(64)
  private steps = new Int32Array(64)
  private length = 0
  private setCount = 0
  private largest = 0
  private gathered: { readonly starts: Int32Array; readonly steps: Int32Array; readonly sorted: boolean } | undefined

  /** The number of a set that has no contributions yet. */
  newSet(): number {
    return this.setCount++
  }

  add(set: number, ordinal: number, sign: 1 | -1): void {
    if (this.length === this.sets.length) {
      this.sets = grown(this.sets)
      this.steps = grown(this.steps)
    }
    this.gathered = undefined
    if (ordinal > this.largest) this.largest = ordinal
    this.sets[this.length] = set
    this.steps[this.length++] = stepOf(ordinal, sign)
  }

  /** Those of one set, by ordinal. */
  of(set: number): Int32Array {
    const { starts, steps, sorted } = (this.gathered ??= this.gather())
    const some = steps.subarray(starts[set], starts[set + 1])
    return sorted || some.length < 2 ? some : some.sort()
  }

  /**
   * Each set's together. Where there are many, all are brought in the order of ordinals first, in time that grows with their
   * number alone; few are cheaper sorted set by set than ordinals counted.
   */
  private gather(): { readonly starts: Int32Array; readonly steps: Int32Array; readonly sorted: boolean } {
    const sorted = this.length > this.largest
    const order = sorted ? this.byOrdinal() : undefined
    const { sets, length } = this
    const starts = startsOf(sets, length, this.setCount, 0)
    const next = starts.slice()
    const steps = new Int32Array(length)
    for (let at = 0; at < length; at++) {
      const from = order === undefined ? at : order[at]!
      steps[next[sets[from]!]!++] = this.steps[from]!
    }
    return { starts, steps, sorted }
  }

  private byOrdinal(): Int32Array {
    const next = startsOf(this.steps, this.length, this.largest + 1, 1)
    const order = new Int32Array(this.length)
    for (let at = 0; at < this.length; at++) order[next[this.steps[at]! >>> 1]!++] = at
    return order
  }
}

/** Where each of so many numbers begins when the keys, shifted, stand in order. */
function startsOf(keys: Int32Array, length: number, numbers: number, shift: number): Int32Array {
  const starts = new Int32Array(numbers + 1)
  for (let at = 0; at < length; at++) starts[(keys[at]! >>> shift) + 1]!++
  for (let number = 0; number < numbers; number++) starts[number + 1]! += starts[number]!
  return starts
}

/** Ordinals and a number for each; grows and is used again, because most sets are tiny and there are very many. */
class Tally {
  ordinals = new Int32Array(256)
  counts = new Int32Array(256)
  size = 0

  push(ordinal: number, count: number): void {
    if (this.size === this.ordinals.length) {
      this.ordinals = grown(this.ordinals)
      this.counts = grown(this.counts)
    }
    this.ordinals[this.size] = ordinal
    this.counts[this.size++] = count
  }
}

function grown(numbers: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(numbers.length * 2)
  larger.set(numbers)
  return larger
}

const net = new Tally()
const held = new Tally()
const merged = new Tally()
const writer = new ByteWriter()

/** The set's bytes after contributions, by ordinal; no bytes for the empty set. Throws when more is taken back than was there. */
export function changedBytes(bytes: Uint8Array, contributions: Int32Array | CountedChanges): Buffer {
  const steps = contributions instanceof CountedChanges ? contributions.steps : contributions
  if (steps.length === 0) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  netOf(steps)
  read(bytes, held)
  merged.size = 0
  let left = 0
  let right = 0
  while (left < held.size || right < net.size) {
    const here = left < held.size ? held.ordinals[left]! : Infinity
    const there = right < net.size ? net.ordinals[right]! : Infinity
    const count = (here <= there ? held.counts[left++]! : 0) + (there <= here ? net.counts[right++]! : 0)
    if (count < 0) throw new RangeError(`visitor ${there} is supported by ${count} contributions`)
    if (count > 0) merged.push(Math.min(here, there), count)
  }
  return write(merged)
}

/** Net changes by ascending ordinal, those that cancel out left out. */
function netOf(steps: Int32Array): void {
  net.size = 0
  for (let at = 0; at < steps.length; ) {
    const ordinal = steps[at]! >>> 1
    let sum = 0
    for (; at < steps.length && steps[at]! >>> 1 === ordinal; at++) sum += 1 - 2 * (steps[at]! & 1)
    if (sum !== 0) net.push(ordinal, sum)
  }
}

/** Contributions, by ordinal, without those that cancel out: ascending, each as often as it stays. */
export function netSteps(contributions: Int32Array): Int32Array {
  netOf(contributions)
  const steps: number[] = []
  for (let at = 0; at < net.size; at++) {
    const count = net.counts[at]!
    const step = stepOf(net.ordinals[at]!, count > 0 ? 1 : -1)
    for (let left = Math.abs(count); left > 0; left--) steps.push(step)
  }
  return Int32Array.from(steps)
}

export function countedSize(bytes: Uint8Array): number {
  return bytes.length === 0 ? 0 : Math.floor(new ByteReader(bytes).number() / 2)
}

/** Members in ascending order. */
export function eachCountedMember(bytes: Uint8Array, visit: (ordinal: number) => void): void {
  if (bytes.length > 0) readMembers(new ByteReader(bytes), visit)
}

export function* countedEntries(bytes: Uint8Array): Generator<readonly [ordinal: number, count: number]> {
  const all = new Tally()
  read(bytes, all)
  for (let at = 0; at < all.size; at++) yield [all.ordinals[at]!, all.counts[at]!]
}

function read(bytes: Uint8Array, into: Tally): void {
  into.size = 0
  if (bytes.length === 0) return
  const reader = new ByteReader(bytes)
  const dense = readMembers(reader, (ordinal) => {
    into.push(ordinal, 1)
  })
  if (dense) {
    for (let at = 0; at < into.size; at++) into.counts[at] = 1 + reader.number()
    return
  }
  for (let left = reader.number(), at = -1; left > 0; left--) {
    at += 1 + reader.number()
    into.counts[at] = 2 + reader.number()
  }
}

/** Leaves the reader where the counts begin; true when there is one for each member. */
function readMembers(reader: ByteReader, visit: (ordinal: number) => void): boolean {
  const head = reader.number()
  const size = Math.floor(head / 2)
  if (size >= BITMAP_MEMBERS) eachMemberOf(reader.take(reader.number()), visit)
  else for (let left = size, ordinal = 0; left > 0; left--) visit((ordinal += reader.number()))
  return head % 2 === 1
}

function write({ ordinals, counts, size }: Tally): Buffer {
  if (size === 0) return EMPTY
  let several = 0
  for (let at = 0; at < size; at++) if (counts[at]! > 1) several++
  const dense = several * 2 > size
  writer.number(size * 2 + (dense ? 1 : 0))
  if (size >= BITMAP_MEMBERS) {
    const bitmap = bytesOfAscending(ordinals.subarray(0, size))
    writer.number(bitmap.length)
    writer.append(bitmap)
  } else for (let at = 0, before = 0; at < size; before = ordinals[at++]!) writer.number(ordinals[at]! - before)
  if (dense) {
    for (let at = 0; at < size; at++) writer.number(counts[at]! - 1)
    return writer.take()
  }
  writer.number(several)
  for (let at = 0, before = -1; at < size; at++) {
    if (counts[at] === 1) continue
    writer.number(at - before - 1)
    writer.number(counts[at]! - 2)
    before = at
  }
  return writer.take()
}
