// What every format turns its input into: rows with the bytes that name them, or faults with the line they stand on. A
// fault never ends the reading: it is reported by its number and the next line is tried.
import type { ExportedEvent } from '../exportLine.ts'
import type { Line } from './lines.ts'

/** Columns of a row by name, or the fields of its JSON object. */
export type Columns = Readonly<Record<string, unknown>>

export interface RowSink {
  /** `bytes` is the row as it stands in the file, without its line end: with the number it makes the row's id. */
  row(number: number, bytes: Uint8Array, columns: Columns): void
  /** A line that `recount export` wrote: an event that was decided on long ago. */
  exported(number: number, event: ExportedEvent): void
  bad(number: number, reason: string): void
}

/** Takes lines as they arrive. `end` is called once, after the last. */
export interface RowReader {
  read(lines: readonly Line[], sink: RowSink): void
  end(sink: RowSink): void
}

/** A reader for formats in which every line stands for itself; blank lines are passed over. */
export function perLine(read: (text: string, line: Line & { bytes: Buffer }, sink: RowSink) => void): RowReader {
  return {
    read(lines, sink) {
      for (const line of lines) {
        const text = lineText(line, sink)
        if (text !== undefined && text !== '') read(text, line as Line & { bytes: Buffer }, sink)
      }
    },
    end: () => undefined,
  }
}

/** The text of a line, or undefined after its fault was reported. */
export function lineText(line: Line, sink: RowSink): string | undefined {
  if (line.bytes === undefined) {
    sink.bad(line.number, `the line is longer than ${line.maxBytes} bytes`)
    return undefined
  }
  return line.bytes.toString()
}
