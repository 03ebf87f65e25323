// Cuts a stream of bytes into numbered lines in constant memory: a line longer than the bound is passed on as a number
// without bytes, so that one endless line costs neither the heap nor the lines after it.

export interface Line {
  /** From 1. */
  readonly number: number
  /** Without line feed, carriage return and byte order mark; undefined when the line is longer than maxBytes. */
  readonly bytes: Buffer | undefined
  /** True when a carriage return stood before the line feed. */
  readonly carriageReturn: boolean
  readonly maxBytes: number
}

const LF = 10
const CR = 13
const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/** One array of lines for each chunk that ends at least one; the last line needs no line feed. */
export async function* readLines(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Line[], void, undefined> {
  const cutter = new LineCutter(maxBytes)
  for await (const chunk of chunks) {
    const lines = cutter.cut(chunk)
    if (lines.length > 0) yield lines
  }
  const last = cutter.end()
  if (last !== undefined) yield [last]
}

class LineCutter {
  private number = 0
  private carried: Buffer[] = []
  private carriedBytes = 0

  constructor(private readonly maxBytes: number) {}

  cut(chunk: Buffer): Line[] {
    const lines: Line[] = []
    let from = 0
    for (let to = chunk.indexOf(LF); to !== -1; to = chunk.indexOf(LF, from)) {
      lines.push(this.line(chunk.subarray(from, to)))
      from = to + 1
    }
    if (from < chunk.length) this.carry(chunk.subarray(from))
    return lines
  }

  end(): Line | undefined {
    return this.carriedBytes === 0 ? undefined : this.line(Buffer.alloc(0))
  }

  private carry(piece: Buffer): void {
    this.carriedBytes += piece.length
    // One byte more than allowed is enough to know that the line is too long, and a carriage return may be that byte.
    if (this.carriedBytes > this.maxBytes + BOM.length + 1) this.carried = []
    else this.carried.push(piece)
  }

  private line(rest: Buffer): Line {
    const length = this.carriedBytes + rest.length
    const kept = length <= this.maxBytes + BOM.length + 1
    let bytes: Buffer | undefined = this.carriedBytes === 0 ? rest : kept ? Buffer.concat([...this.carried, rest]) : undefined
    this.carried = []
    this.carriedBytes = 0
    this.number += 1
    if (this.number === 1 && bytes?.subarray(0, BOM.length).equals(BOM) === true) bytes = bytes.subarray(BOM.length)
    const carriageReturn = bytes !== undefined && bytes.length > 0 && bytes[bytes.length - 1] === CR
    if (carriageReturn) bytes = bytes!.subarray(0, -1)
    if (bytes !== undefined && bytes.length > this.maxBytes) bytes = undefined
    return { number: this.number, bytes, carriageReturn, maxBytes: this.maxBytes }
  }
}
