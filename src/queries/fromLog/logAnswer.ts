// Any stats question answered straight from the log, independently of the numbers that read tables hold: one pass over the
// app's events up to a position, then the same definitions (METRICS) applied to what was read.
import type { StatsQuestion } from '../stats.ts'
import { breakdownOf } from './breakdown.ts'
import { eventSummaryOf } from './eventSummary.ts'
import { gather, type Gathered } from './gathered.ts'
import { goalOf } from './goal.ts'
import type { LogAnswer, LogAnswerOptions, LogSource } from './logSource.ts'
import { overviewOf } from './overview.ts'
import { reportOf } from './report.ts'
import { timeseriesOf } from './timeseries.ts'
import { userStatsOf } from './userStats.ts'

export { explainFromLog, listFromLog } from './evidence.ts'

export async function answerFromLog(log: LogSource, question: StatsQuestion, options: LogAnswerOptions): Promise<LogAnswer> {
  const gathered = await gather(log, question, options)
  const result = question.name === 'user-stats' ? await userStatsOf(log, gathered, question, options) : resultOf(gathered, question)
  return { result, scanned: gathered.scanned }
}

function resultOf(gathered: Gathered, question: Exclude<StatsQuestion, { readonly name: 'user-stats' }>): object {
  switch (question.name) {
    case 'event-summary':
      return eventSummaryOf(gathered, question.event)
    case 'overview':
      return overviewOf(gathered, question)
    case 'timeseries':
      return timeseriesOf(gathered, question)
    case 'breakdown':
      return breakdownOf(gathered, question)
    case 'goal':
      return goalOf(gathered, question.goal)
    case 'report':
      return reportOf(gathered, question)
  }
}
