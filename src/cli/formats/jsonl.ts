// One JSON object a line: somebody's rows, or events as `recount export` wrote them.
import { isExportLine, parseExportLine } from '../exportLine.ts'
import { type Columns, perLine, type RowReader } from './row.ts'

export function jsonlReader(): RowReader {
  return perLine((text, line, sink) => {
    if (isExportLine(text)) {
      const event = parseExportLine(text)
      if (typeof event === 'string') sink.bad(line.number, event)
      else sink.exported(line.number, event)
      return
    }
    const parsed = parseObject(text)
    if (typeof parsed === 'string') sink.bad(line.number, parsed)
    else sink.row(line.number, line.bytes, parsed)
  })
}

/** The object, or what is wrong in words. */
export function parseObject(text: string): Columns | string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return `is not JSON: ${error.message.slice(0, 120)}`
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is JSON but not an object'
  return value as Columns
}
