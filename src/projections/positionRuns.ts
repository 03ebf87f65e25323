// The log positions of a row's events as runs of neighbours, in the order in which they were folded. With them a bound that
// no row is aligned to is answered by reading just the events of one quarter of an hour, wherever in the log they lie.
import type { ByteReader, ByteWriter } from './byteCodec.ts'

export class PositionRuns {
  /** First and last position of each run, alternating. */
  private readonly bounds: number[] = []

  /** Positions come in ascending order, because that is how a log is folded. */
  add(position: number): void {
    const { bounds } = this
    if (bounds.length > 0 && bounds[bounds.length - 1] === position - 1) bounds[bounds.length - 1] = position
    else bounds.push(position, position)
  }

  *runs(): Generator<readonly [first: number, last: number]> {
    for (let at = 0; at < this.bounds.length; at += 2) yield [this.bounds[at]!, this.bounds[at + 1]!]
  }

  get size(): number {
    let size = 0
    for (const [first, last] of this.runs()) size += last - first + 1
    return size
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
