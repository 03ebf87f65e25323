// The log positions of a row's contents as runs of neighbours, in the order in which they were folded. With them a bound that
// no row is aligned to is answered by reading just the events of one quarter of an hour, wherever in the log they lie.
import { LIMITS } from '../../limits.ts'
import type { ByteReader, ByteWriter } from '../storage/byteCodec.ts'

export class PositionRuns {
  /** First and last position of each run, alternating. */
  private readonly bounds: number[] = []

  /** Positions come in ascending order, because that is how a log is folded. */
  add(position: number): void {
    const { bounds } = this
    if (bounds.length > 0 && bounds[bounds.length - 1] === position - 1) bounds[bounds.length - 1] = position
    else bounds.push(position, position)
  }

  /** False when it was not there. */
  delete(position: number): boolean {
    const { bounds } = this
    let low = 0
    for (let high = bounds.length / 2; low < high; ) {
      const middle = (low + high) >>> 1
      if (bounds[2 * middle + 1]! < position) low = middle + 1
      else high = middle
    }
    const at = 2 * low
    if (at >= bounds.length || bounds[at]! > position) return false
    const [first, last] = [bounds[at]!, bounds[at + 1]!]
    const rest = [...(first < position ? [first, position - 1] : []), ...(position < last ? [position + 1, last] : [])]
    bounds.splice(at, 2, ...rest)
    return true
  }

  *runs(): Generator<readonly [first: number, last: number]> {
    for (let at = 0; at < this.bounds.length; at += 2) yield [this.bounds[at]!, this.bounds[at + 1]!]
  }

  get runCount(): number {
    return this.bounds.length / 2
  }

  get size(): number {
    let size = 0
    for (const [first, last] of this.runs()) size += last - first + 1
    return size
  }

  /** Every position, in pieces that can be read at once. */
  *pieces(): Generator<number[]> {
    let piece: number[] = []
    for (const [first, last] of this.runs()) {
      for (let position = first; position <= last; position++) {
        piece.push(position)
        if (piece.length < LIMITS.readPageEvents) continue
        yield piece
        piece = []
      }
    }
    if (piece.length > 0) yield piece
  }

  write(to: ByteWriter): void {
    const { bounds } = this
    to.number(bounds.length / 2)
    let before = 0
    for (let at = 0; at < bounds.length; at += 2) {
      to.number(bounds[at]! - before)
      to.number(bounds[at + 1]! - bounds[at]!)
      before = bounds[at + 1]!
    }
  }

  static read(from: ByteReader): PositionRuns {
    const runs = new PositionRuns()
    let before = 0
    for (let left = from.number(); left > 0; left--) {
      const first = before + from.number()
      before = first + from.number()
      runs.bounds.push(first, before)
    }
    return runs
  }
}
