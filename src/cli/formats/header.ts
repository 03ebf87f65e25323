// Names of columns, from the first row of CSV and TSV. A wrong header makes every row wrong, so its faults end an import.
import type { Columns } from './row.ts'
import { put } from './put.ts'

export function headerFault(names: readonly string[]): string | undefined {
  const empty = names.indexOf('')
  if (empty !== -1) return `column ${empty + 1} of the header has no name`
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  return twice === undefined ? undefined : `the header names "${twice.slice(0, 64)}" twice`
}

/** Empty cells are absent: these formats cannot tell an empty text from nothing. */
export function columnsOf(names: readonly string[], cells: readonly string[]): Columns {
  const columns: Record<string, unknown> = {}
  for (let index = 0; index < names.length; index++) {
    if (cells[index] !== '') put(columns, names[index]!, cells[index])
  }
  return columns
}
