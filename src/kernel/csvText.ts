// Writes CSV (RFC 4180) that no spreadsheet takes for formulas: text cells are quoted, and one that begins like a formula gets an
// apostrophe before it, as OWASP's page on CSV injection says. Numbers stand as they are.

/** What a formula begins with, also in full width and after blanks that some programs drop. */
const FORMULA = /^\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/

export function csvRecord(cells: readonly (string | number | null)[]): string {
  return `${cells.map(cell).join(',')}\r\n`
}

function cell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  return `"${(FORMULA.test(value) ? `'${value}` : value).replaceAll('"', '""')}"`
}
