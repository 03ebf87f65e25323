// Any stats question answered straight from the log, independently of the numbers that read tables hold: one pass over the
// app's events up to a position, then the same definitions (METRICS) applied to what was read.
import type { StatsQuestion } from '../stats.ts'
import type { ExplainOptions, ListedEvent, ListOptions, LogAnswer, LogAnswerOptions, LogSource, Part, Verdict } from './logSource.ts'

export async function answerFromLog(log: LogSource, question: StatsQuestion, options: LogAnswerOptions): Promise<LogAnswer> {
  return Promise.reject(new Error(`not written: ${question.name} ${options.upTo} ${typeof log}`))
}

/**
 * Where the events stand that make up a number, by the position of the content that counts, ascending. Of visits: their
 * events; of visitors: the events with which they count.
 */
export async function listFromLog(log: LogSource, question: StatsQuestion, part: Part, options: ListOptions): Promise<ListedEvent[]> {
  return Promise.reject(new Error(`not written: ${question.name} ${part.measure} ${options.upTo} ${typeof log}`))
}

/** Why the event that was collected or corrected at this position is in a number, or is not. */
export async function explainFromLog(log: LogSource, question: StatsQuestion, position: number, options: ExplainOptions): Promise<Verdict> {
  return Promise.reject(new Error(`not written: ${question.name} ${position} ${options.upTo} ${typeof log}`))
}
