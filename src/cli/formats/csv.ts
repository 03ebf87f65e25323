// RFC 4180: quoted fields may hold delimiters, doubled quotes and line feeds. A fault costs its own line and nothing else:
// after a quote that never ends, reading goes on at the line below the one that opened it, which is why this is not left to
// a library: those that recover at all lose everything up to the next quote.
import { columnsOf, headerFault } from './header.ts'
import type { Line } from './lines.ts'
import { lineText, type RowReader, type RowSink } from './row.ts'

const QUOTE = '"'

export interface CsvBounds {
  /** A record that spans more than these is taken for an unterminated quote. */
  readonly maxLines: number
  readonly maxBytes: number
}

export function csvReader(delimiter: string, bounds: CsvBounds): RowReader {
  return new CsvReader(delimiter, bounds)
}

class CsvReader implements RowReader {
  private header: readonly string[] | undefined
  /** Lines of a record whose quote is still open; the first is the one to blame. */
  private open: Line[] = []
  private openBytes = 0

  constructor(
    private readonly delimiter: string,
    private readonly bounds: CsvBounds,
  ) {}

  read(lines: readonly Line[], sink: RowSink): void {
    for (const line of lines) this.line(line, sink)
  }

  end(sink: RowSink): void {
    while (this.open.length > 0) this.giveUp(sink)
  }

  private line(line: Line, sink: RowSink): void {
    if (this.open.length === 0) {
      this.record([line], sink)
      return
    }
    const fits = this.open.length < this.bounds.maxLines && this.openBytes + (line.bytes?.length ?? Infinity) <= this.bounds.maxBytes
    if (!fits) {
      this.giveUp(sink)
      this.line(line, sink)
      return
    }
    this.open.push(line)
    this.openBytes += line.bytes!.length + 1
    // Only a line with a quote can end what is open: without this check each line would parse all before it again.
    if (line.bytes!.includes(QUOTE)) this.record(this.open, sink)
  }

  /** The first of the open lines is reported; those after it are read as if it had not been there. */
  private giveUp(sink: RowSink): void {
    const [first, ...rest] = this.open
    this.close()
    sink.bad(first!.number, 'has an unterminated quote')
    this.read(rest, sink)
  }

  private close(): void {
    this.open = []
    this.openBytes = 0
  }

  private record(lines: Line[], sink: RowSink): void {
    const number = lines[0]!.number
    const text = lines.length === 1 ? lineText(lines[0]!, sink) : joined(lines)
    if (text === undefined || (text === '' && lines.length === 1)) return
    const cells = splitCsv(text, this.delimiter)
    if (cells === 'open') {
      if (lines !== this.open) {
        this.open = lines
        this.openBytes = lines[0]!.bytes!.length + 1
      }
      return
    }
    this.close()
    if (typeof cells === 'string') {
      sink.bad(number, cells)
      this.read(lines.slice(1), sink)
    } else {
      this.cells(number, lines, cells, sink)
    }
  }

  private cells(number: number, lines: readonly Line[], cells: readonly string[], sink: RowSink): void {
    if (this.header === undefined) {
      const fault = headerFault(cells)
      if (fault !== undefined) throw new Error(`line ${number}: ${fault}`)
      this.header = cells
    } else if (cells.length !== this.header.length) {
      sink.bad(number, `has ${cells.length} columns where the header has ${this.header.length}`)
    } else {
      sink.row(number, lines.length === 1 ? lines[0]!.bytes! : Buffer.from(joined(lines)), columnsOf(this.header, cells))
    }
  }
}

/** The lines as they stood in the file, without the last line's end. */
function joined(lines: readonly Line[]): string {
  return lines
    .map((line, index) => line.bytes!.toString() + (index === lines.length - 1 ? '' : line.carriageReturn ? '\r\n' : '\n'))
    .join('')
}

/** The cells of a record; 'open' when a quote has not ended yet; else what is wrong in words. */
export function splitCsv(text: string, delimiter: string): string[] | string {
  if (!text.includes(QUOTE)) return text.split(delimiter)
  const cells: string[] = []
  let at = 0
  for (;;) {
    if (text[at] !== QUOTE) {
      const end = text.indexOf(delimiter, at)
      const cell = end === -1 ? text.slice(at) : text.slice(at, end)
      if (cell.includes(QUOTE)) return `has a quote inside the unquoted column ${cells.length + 1}`
      cells.push(cell)
      if (end === -1) return cells
      at = end + 1
      continue
    }
    const end = closingQuote(text, at + 1)
    if (end === -1) return 'open'
    cells.push(text.slice(at + 1, end).replaceAll('""', QUOTE))
    if (end + 1 === text.length) return cells
    if (text[end + 1] !== delimiter) return `goes on after the closing quote of column ${cells.length}`
    at = end + 2
  }
}

function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf(QUOTE, from); at !== -1; at = text.indexOf(QUOTE, at + 2)) {
    if (text[at + 1] !== QUOTE) return at
  }
  return -1
}
