// Numbers counted by value, from which sum, mean, smallest, largest and median follow exactly and in no order: so tables and
// log answer the same, and what was added can be taken away. Sums are decimal: 0.1 three times is 0.3, and ten prices of
// 19.99 are 199.9, because the number that counts is the one that was written down.
import { ByteReader, ByteWriter } from '../storage/byteCodec.ts'

export class NumberBag {
  private readonly counts = new Map<number, number>()
  private total = 0

  /** How many numbers there are, equal ones each. */
  get count(): number {
    return this.total
  }

  /** How many different numbers there are. */
  get size(): number {
    return this.counts.size
  }

  /** Counts may be below zero for a while: a bag may hold a difference that is still to be added to another. */
  add(value: number, times = 1): void {
    if (!Number.isFinite(value)) throw new RangeError(`${value} cannot be counted`)
    const count = (this.counts.get(value) ?? 0) + times
    if (count === 0) this.counts.delete(value)
    else this.counts.set(value, count)
    this.total += times
  }

  addAll(other: NumberBag): void {
    for (const [value, count] of other.counts) this.add(value, count)
  }

  /** 0 of an empty bag. */
  get sum(): number {
    return decimalSum(this.counts)
  }

  get mean(): number | null {
    return this.total === 0 ? null : this.sum / this.total
  }

  get min(): number | null {
    return this.extreme((value, found) => value < found)
  }

  get max(): number | null {
    return this.extreme((value, found) => value > found)
  }

  /** Of an even count the mean of the two in the middle. */
  get median(): number | null {
    if (this.total === 0) return null
    const values = Float64Array.from(this.counts.keys()).sort()
    const low = this.nth(values, Math.floor((this.total - 1) / 2))
    const high = this.nth(values, Math.floor(this.total / 2))
    return low === high ? low : decimalSum([[low, 1], [high, 1]]) / 2
  }

  /** The same bytes for the same numbers, whatever was added and taken away before. A difference has none. */
  toBytes(): Buffer {
    const writer = new ByteWriter()
    const number = Buffer.alloc(8)
    for (const value of Float64Array.from(this.counts.keys()).sort()) {
      const count = this.counts.get(value)!
      if (count < 0) throw new RangeError(`a bag of numbers lacks ${value}`)
      number.writeDoubleLE(value)
      writer.append(number)
      writer.number(count)
    }
    return writer.take()
  }

  static fromBytes(bytes: Uint8Array): NumberBag {
    const bag = new NumberBag()
    const reader = new ByteReader(bytes)
    while (!reader.done) {
      const eight = reader.take(8)
      bag.add(Buffer.from(eight.buffer, eight.byteOffset, 8).readDoubleLE(), reader.number())
    }
    return bag
  }

  private extreme(better: (value: number, found: number) => boolean): number | null {
    let found: number | null = null
    for (const value of this.counts.keys()) if (found === null || better(value, found)) found = value
    return found
  }

  private nth(sorted: Float64Array, index: number): number {
    let before = 0
    for (const value of sorted) {
      before += this.counts.get(value)!
      if (before > index) return value
    }
    throw new RangeError(`a bag of ${this.total} numbers has none at ${index}`)
  }
}

/** Beyond what a number can be it is the largest there is: JSON knows no infinity. */
function decimalSum(counts: Iterable<readonly [number, number]>): number {
  // Whole numbers add up exactly as they are until they are large; the rest goes by its digits.
  let whole = 0
  let exact = 0n
  const parts = new Map<number, bigint>()
  for (const [value, count] of counts) {
    const product = value * count
    if (Number.isInteger(value) && Math.abs(product) <= 2 ** 52) {
      whole += product
      if (Math.abs(whole) > 2 ** 52) {
        exact += BigInt(whole)
        whole = 0
      }
    } else {
      const { digits, exponent } = decimal(value)
      parts.set(exponent, (parts.get(exponent) ?? 0n) + digits * BigInt(count))
    }
  }
  exact += BigInt(whole)
  if (parts.size === 0) return bounded(Number(exact))
  const lowest = Math.min(0, ...parts.keys())
  let sum = exact * 10n ** BigInt(-lowest)
  for (const [exponent, digits] of parts) sum += digits * 10n ** BigInt(exponent - lowest)
  return bounded(Number(`${sum}e${lowest}`))
}

/** The shortest decimal that reads as this number: digits × 10^exponent. */
function decimal(value: number): { digits: bigint; exponent: number } {
  const [mantissa, exponent] = String(value).split('e') as [string, string?]
  const point = mantissa.indexOf('.')
  const decimals = point === -1 ? 0 : mantissa.length - point - 1
  return { digits: BigInt(mantissa.replace('.', '')), exponent: Number(exponent ?? 0) - decimals }
}

function bounded(sum: number): number {
  if (sum === 0) return 0
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, sum))
}
