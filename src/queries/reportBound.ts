// The bound on rows of a report, the same whether tables or the log answer: an answer is whole or is none, and then says what
// makes it small enough.
import { Problem } from '../errors.ts'
import { LIMITS } from '../limits.ts'

/** Throws Problem `too_many_rows`. */
export function checkReportRows(rows: number): void {
  if (rows <= LIMITS.reportRows) return
  const most = LIMITS.reportRows.toLocaleString('en-US')
  throw new Problem('too_many_rows', `The report has more than ${most} rows in this range, and an answer holds at most ${most}. Ask for a shorter range, or revise the report: a filter, fewer dimensions or a longer interval`)
}
