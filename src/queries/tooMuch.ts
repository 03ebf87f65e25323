// What is told where the log holds more than one answer may read: how much there is, and what makes tables answer it.
import { Problem } from '../errors.ts'
import { metadataKey } from '../events/dimensionNames.ts'
import { storedEvents } from '../events/ledger.ts'
import type { Database } from '../kernel/database.ts'
import { LogTooLong } from './fromLog/logSource.ts'
import { LogTooSlow } from './fromLog/logTask.ts'
import type { StatsQuestion } from './stats.ts'

/** Whatever an answer from the log throws, as what the client is told. */
export async function problemOfLog(error: unknown, database: Database, question: StatsQuestion): Promise<unknown> {
  if (!(error instanceof LogTooLong) && !(error instanceof LogTooSlow)) return error
  const events = await storedEvents(database, question.appId)
  const bound = error instanceof LogTooLong ? `reads at most ${spelt(error.maxEvents)}` : `takes at most ${spelt(error.boundMs / 1_000)} seconds, in which ${spelt(error.scanned)} were read`
  return new Problem('too_much_for_the_log', `The app has ${spelt(events)} events, and an answer from the log ${bound}. ${wayOut(question)}`)
}

function wayOut(question: StatsQuestion): string {
  if (question.name === 'user-stats') return 'Ask with bots=include and without filter and asOf: tables answer that'
  const key = question.name === 'breakdown' ? metadataKey(question.dimension) : undefined
  if (key !== undefined && question.filter === undefined) return `Declare metadata.${key} as a dimension (POST /definitions): tables answer it then, from the first event on`
  if (question.filter !== undefined) return 'Define a report or a goal with this filter (POST /definitions): tables answer it then, from the first event on'
  return 'Ask for bounds at whole quarters of an hour and without asOf: tables answer that'
}

function spelt(number: number): string {
  return number.toLocaleString('en-US')
}
