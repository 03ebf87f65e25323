// Tab-separated values as IANA registered them: a header, and no quoting, so a quote is a character like any other and a
// field can hold no tab. Files whose producer quotes tabs are CSV with another delimiter: `--format csv --delimiter tab`.
import { columnsOf, headerFault } from './header.ts'
import { lineText, type RowReader } from './row.ts'

export function tsvReader(): RowReader {
  let header: readonly string[] | undefined
  return {
    read(lines, sink) {
      for (const line of lines) {
        const text = lineText(line, sink)
        if (text === undefined || text === '') continue
        const cells = text.split('\t')
        if (header === undefined) {
          const fault = headerFault(cells)
          if (fault !== undefined) throw new Error(`line ${line.number}: ${fault}`)
          header = cells
        } else if (cells.length !== header.length) {
          sink.bad(line.number, `has ${cells.length} columns where the header has ${header.length}`)
        } else {
          sink.row(line.number, line.bytes!, columnsOf(header, cells))
        }
      }
    },
    end: () => undefined,
  }
}
