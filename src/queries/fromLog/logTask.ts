// What can be asked of the log, as plain data that travels between threads, and who takes it.
import type { StatsQuestion } from '../stats.ts'
import { answerFromLog, explainFromLog, listFromLog } from './logAnswer.ts'
import type { ListedEvent, LogAnswer, LogSource, Part, Verdict } from './logSource.ts'

interface Bounded {
  readonly question: StatsQuestion
  readonly upTo: number
}

export interface LogTasks {
  readonly answer: Bounded
  readonly list: Bounded & { readonly part: Part; readonly after: number; readonly limit: number }
  readonly explain: Bounded & { readonly position: number; readonly part: Part | undefined }
}

export interface LogOutcomes {
  readonly answer: LogAnswer
  readonly list: readonly ListedEvent[]
  readonly explain: Verdict
}

export type LogTaskKind = keyof LogTasks
export type LogTask = { [Kind in LogTaskKind]: LogTasks[Kind] & { readonly kind: Kind } }[LogTaskKind]

export interface TaskOptions {
  readonly signal?: AbortSignal | undefined
  /** Events read so far. */
  readonly onProgress?: ((scanned: number) => void) | undefined
}

/** Answers from the log, bounded in time, in events and in how many wait. */
export interface LogAnswers {
  /** Throws LogTooLong, LogTooSlow, the signal's reason, and Problem `overloaded` and `unavailable`. */
  ask<Kind extends LogTaskKind>(kind: Kind, task: LogTasks[Kind], options?: TaskOptions): Promise<LogOutcomes[Kind]>
  close(): Promise<void>
}

/** The answer took longer than an answer from the log may. */
export class LogTooSlow extends Error {
  constructor(
    readonly boundMs: number,
    readonly scanned: number,
  ) {
    super(`an answer from the log takes longer than ${boundMs} ms`)
    this.name = 'LogTooSlow'
  }
}

export interface PerformOptions extends TaskOptions {
  readonly maxEvents?: number | undefined
}

/** In this thread. */
export async function performTask(log: LogSource, task: LogTask, options: PerformOptions): Promise<LogOutcomes[LogTaskKind]> {
  const bounds = { ...options, upTo: task.upTo }
  switch (task.kind) {
    case 'answer':
      return answerFromLog(log, task.question, bounds)
    case 'list':
      return listFromLog(log, task.question, task.part, { ...bounds, after: task.after, limit: task.limit })
    case 'explain':
      return explainFromLog(log, task.question, task.position, { ...bounds, part: task.part })
  }
}

/** Answers in the caller's own thread: for tools and tests, where nobody else has to be served meanwhile. */
export function answersHere(log: LogSource, maxEvents?: number): LogAnswers {
  return {
    ask: <Kind extends LogTaskKind>(kind: Kind, task: object, options: TaskOptions = {}) =>
      performTask(log, { ...task, kind } as LogTask, { ...options, maxEvents }) as Promise<LogOutcomes[Kind]>,
    close: () => Promise.resolve(),
  }
}
