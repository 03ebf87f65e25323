// An exact set of 32-bit numbers, kept and stored as a Roaring bitmap (portable format without runs, so any Roaring library
// reads it). Equal sets have equal bytes however they came about, which is what lets `verify` compare rows. In JavaScript
// rather than WASM: filled number by number, small sets are as fast and large ones much faster than roaring-wasm's, unions
// are as fast, and nobody has to free memory by hand (bench/distinctSet.ts).

const COOKIE = 12_346
const ARRAY_MAX = 4_096
const WORDS = 2_048
const BITMAP_BYTES = WORDS * 4
/** In memory a list this long gives way to a bit field: it takes as much room, and inserting into it costs more. */
const LIST_MAX = 512

/** The members that share their upper 16 bits: a sorted list while there are few, a bit field once there are many. */
interface Container {
  list: number[] | undefined
  bits: Uint32Array | undefined
  size: number
}

export class DistinctSet {
  private readonly keys: number[] = []
  private readonly containers: Container[] = []
  private lastKey = -1
  private last: Container | undefined

  get size(): number {
    let size = 0
    for (const container of this.containers) size += container.size
    return size
  }

  /** True when the number was not in the set before. */
  add(value: number): boolean {
    return insert(this.container(value >>> 16), value & 0xffff)
  }

  has(value: number): boolean {
    const at = search(this.keys, value >>> 16)
    return this.keys[at] === value >>> 16 && contains(this.containers[at]!, value & 0xffff)
  }

  delete(value: number): boolean {
    const key = value >>> 16
    const at = search(this.keys, key)
    if (this.keys[at] !== key || !remove(this.containers[at]!, value & 0xffff)) return false
    if (this.containers[at]!.size === 0) {
      this.keys.splice(at, 1)
      this.containers.splice(at, 1)
      this.lastKey = -1
    }
    return true
  }

  /** Unites another set, as its bytes, into this one: what a question over many days does. */
  addBytes(bytes: Uint8Array): void {
    readContainers(bytes, (key, size, view, offset) => {
      const target = this.container(key)
      if (size <= ARRAY_MAX) {
        const one = target.size === 0 && target.list !== undefined
        // A short list that meets an empty container is taken over as it is; everything else meets in a bit field.
        if (one) for (let i = 0; i < size; i++) target.list!.push(view.getUint16(offset + 2 * i, true))
        if (one) target.size = size
        if (one && size > LIST_MAX) bitField(target)
        if (!one) for (let i = 0, bits = bitField(target); i < size; i++) setBit(target, bits, view.getUint16(offset + 2 * i, true))
        return
      }
      const bits = bitField(target)
      // A copy, because only aligned bytes can be read as words (of a little-endian machine, as all that Node.js is built for but one).
      const words = new Uint32Array(WORDS)
      new Uint8Array(words.buffer).set(bytes.subarray(offset, offset + BITMAP_BYTES))
      for (let word = 0; word < WORDS; word++) bits[word]! |= words[word]!
      target.size = count(bits)
    })
  }

  addAll(other: DistinctSet): void {
    for (const value of other.values()) this.add(value)
  }

  /** In ascending order. */
  values(): number[] {
    const values: number[] = []
    for (let at = 0; at < this.keys.length; at++) {
      const high = this.keys[at]! * 65_536
      for (const low of members(this.containers[at]!)) values.push(high + low)
    }
    return values
  }

  static of(values: Iterable<number>): DistinctSet {
    const set = new DistinctSet()
    for (const value of values) set.add(value)
    return set
  }

  static fromBytes(bytes: Uint8Array): DistinctSet {
    const set = new DistinctSet()
    set.addBytes(bytes)
    return set
  }

  toBytes(): Buffer {
    const kept = this.keys.map((key, at) => ({ key, container: this.containers[at]! })).filter(({ container }) => container.size > 0)
    const header = 8 + 8 * kept.length
    let length = header
    for (const { container } of kept) length += container.size <= ARRAY_MAX ? 2 * container.size : BITMAP_BYTES
    const bytes = Buffer.allocUnsafe(length)
    bytes.writeUInt32LE(COOKIE, 0)
    bytes.writeUInt32LE(kept.length, 4)
    let offset = header
    kept.forEach(({ key, container }, at) => {
      bytes.writeUInt16LE(key, 8 + 4 * at)
      bytes.writeUInt16LE(container.size - 1, 10 + 4 * at)
      bytes.writeUInt32LE(offset, 8 + 4 * kept.length + 4 * at)
      if (container.size > ARRAY_MAX) {
        for (let word = 0, bits = container.bits!; word < WORDS; word++, offset += 4) bytes.writeUInt32LE(bits[word]!, offset)
      } else {
        for (const low of members(container)) {
          bytes[offset++] = low & 0xff
          bytes[offset++] = low >>> 8
        }
      }
    })
    return bytes
  }

  private container(key: number): Container {
    if (key === this.lastKey) return this.last!
    const at = search(this.keys, key)
    let container = this.containers[at]
    if (container === undefined || this.keys[at] !== key) {
      container = { list: [], bits: undefined, size: 0 }
      this.keys.splice(at, 0, key)
      this.containers.splice(at, 0, container)
    }
    this.lastKey = key
    this.last = container
    return container
  }
}

/** The bytes of the set of these numbers, which ascend and differ, without building it: what a fold does with each set that it changes. */
export function bytesOfAscending(values: Uint32Array | Int32Array): Buffer {
  const starts: number[] = []
  let length = 8
  for (let from = 0, to = 0; from < values.length; from = to) {
    const high = values[from]! >>> 16
    while (to < values.length && values[to]! >>> 16 === high) to++
    starts.push(from)
    length += 8 + (to - from <= ARRAY_MAX ? 2 * (to - from) : BITMAP_BYTES)
  }
  const bytes = Buffer.alloc(length)
  bytes.writeUInt32LE(COOKIE, 0)
  bytes.writeUInt32LE(starts.length, 4)
  let offset = 8 + 8 * starts.length
  starts.forEach((from, at) => {
    const to = starts[at + 1] ?? values.length
    bytes.writeUInt16LE(values[from]! >>> 16, 8 + 4 * at)
    bytes.writeUInt16LE(to - from - 1, 10 + 4 * at)
    bytes.writeUInt32LE(offset, 8 + 4 * starts.length + 4 * at)
    if (to - from > ARRAY_MAX) {
      for (let next = from; next < to; next++) bytes[offset + ((values[next]! & 0xffff) >>> 3)]! |= 1 << (values[next]! & 7)
      offset += BITMAP_BYTES
      return
    }
    for (let next = from; next < to; next++) {
      bytes[offset++] = values[next]! & 0xff
      bytes[offset++] = (values[next]! >>> 8) & 0xff
    }
  })
  return bytes
}

/** Goes through a set as its bytes, in ascending order, without building it. */
export function eachMemberOf(bytes: Uint8Array, visit: (value: number) => void): void {
  readContainers(bytes, (key, size, view, offset) => {
    const high = key * 65_536
    if (size <= ARRAY_MAX) {
      for (let at = offset; at < offset + 2 * size; at += 2) visit(high + view.getUint16(at, true))
      return
    }
    for (let word = 0; word < WORDS; word++) {
      for (let left = view.getInt32(offset + 4 * word, true); left !== 0; left &= left - 1) visit(high + word * 32 + (31 - Math.clz32(left & -left)))
    }
  })
}

type Visit = (key: number, size: number, view: DataView, offset: number) => void

function readContainers(bytes: Uint8Array, visit: Visit): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.byteLength < 8 || view.getUint32(0, true) !== COOKIE) throw new TypeError('not a distinct set')
  const containers = view.getUint32(4, true)
  for (let at = 0; at < containers; at++) {
    const size = view.getUint16(10 + 4 * at, true) + 1
    visit(view.getUint16(8 + 4 * at, true), size, view, view.getUint32(8 + 4 * containers + 4 * at, true))
  }
}

/** Index of the first element that is not less than `value`. */
function search(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

function insert(container: Container, low: number): boolean {
  const list = container.list
  if (list === undefined) return setBit(container, container.bits!, low)
  const length = list.length
  if (length === 0 || low > list[length - 1]!) list.push(low)
  else {
    const at = search(list, low)
    if (list[at] === low) return false
    list.splice(at, 0, low)
  }
  container.size = length + 1
  if (container.size > LIST_MAX) bitField(container)
  return true
}

function remove(container: Container, low: number): boolean {
  if (!contains(container, low)) return false
  if (container.list !== undefined) container.list.splice(search(container.list, low), 1)
  else container.bits![low >>> 5]! &= ~(1 << (low & 31))
  container.size--
  return true
}

function contains(container: Container, low: number): boolean {
  if (container.list !== undefined) return container.list[search(container.list, low)] === low
  return (container.bits![low >>> 5]! & (1 << (low & 31))) !== 0
}

function bitField(container: Container): Uint32Array {
  if (container.bits !== undefined) return container.bits
  const bits = new Uint32Array(WORDS)
  for (const low of container.list!) bits[low >>> 5]! |= 1 << (low & 31)
  container.bits = bits
  container.list = undefined
  return bits
}

function setBit(container: Container, bits: Uint32Array, low: number): boolean {
  const word = bits[low >>> 5]!
  const mask = 1 << (low & 31)
  if ((word & mask) !== 0) return false
  bits[low >>> 5] = word | mask
  container.size++
  return true
}

function members(container: Container): readonly number[] {
  if (container.list !== undefined) return container.list
  const bits = container.bits!
  const found: number[] = []
  for (let word = 0; word < WORDS; word++) {
    for (let left = bits[word]!; left !== 0; left &= left - 1) found.push(word * 32 + (31 - Math.clz32(left & -left)))
  }
  return found
}

function count(bits: Uint32Array): number {
  let size = 0
  for (let word of bits) {
    word -= (word >>> 1) & 0x55555555
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333)
    size += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
  }
  return size
}
