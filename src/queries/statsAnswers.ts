// Answers a stats question from the tables where they can tell, and from the log where they cannot, at the same position:
// what the tables stand at, or what asOf names. A comparison comes from the same source and position as what it is compared
// with.
import type { Knex } from 'knex'
import type { EventLog } from '../events/eventLog.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import { type Asked, comparisonOf, rangeBody } from './asking.ts'
import type { Moment } from './asOf.ts'
import { comparedRange } from './comparison.ts'
import type { LogAnswers, TaskOptions } from './fromLog/logTask.ts'
import { type Place, readPlace } from './place.ts'
import type { Range, Snapshot, StatsSide } from './query.ts'
import { resolveRange, wholeRange } from './range.ts'
import { ALL_TIME, type Bots, type StatsQuestion } from './stats.ts'
import { problemOfLog } from './tooMuch.ts'

export interface StatsDeps {
  readonly database: Database
  readonly log: EventLog
  readonly logAnswers: LogAnswers
  readonly clock: Clock
}

export interface StatsOutcome {
  readonly place: Place
  /** What was counted. */
  readonly moment: Moment
  readonly from: 'tables' | 'log'
  /** The question, and that of the comparison where one was asked for. */
  readonly questions: readonly StatsQuestion[]
  /** One for each question. */
  readonly results: readonly object[]
}

export async function computeStats(deps: StatsDeps, asked: Asked, moment: Moment | undefined, options: TaskOptions = {}): Promise<StatsOutcome> {
  if (moment === undefined) {
    const told = await tablesAnswer(deps, asked)
    if (told !== undefined) return { ...told, moment: told.place, from: 'tables' }
  }
  const { place, questions } = await questionsOf(deps, asked)
  const counted = moment ?? place
  const { results } = await answersFromLog(deps, questions, counted.position, options)
  return { place, moment: counted, from: 'log', questions, results }
}

/** What the rows say, all in one snapshot; undefined where they cannot tell. */
export async function tablesAnswer(deps: StatsDeps, asked: Asked): Promise<Pick<StatsOutcome, 'place' | 'questions' | 'results'> | undefined> {
  if (asked.filter !== undefined) return undefined
  return deps.database.snapshot(async (trx) => {
    const { place, snapshots, questions } = await prepared(deps, asked, trx)
    if (!(await tablesTell(asked, snapshots))) return undefined
    const results: object[] = []
    for (const snapshot of snapshots) results.push((await asked.query.run(snapshot, asked.params as never)) as object)
    return { place, questions, results }
  })
}

/** The questions in their one form, with the bounds as they are now. */
export function questionsOf(deps: StatsDeps, asked: Asked): Promise<{ place: Place; questions: readonly StatsQuestion[] }> {
  return deps.database.snapshot((trx) => prepared(deps, asked, trx))
}

/** Each question from the log, as known at a position. Progress counts the events of all of them. */
export async function answersFromLog(deps: StatsDeps, questions: readonly StatsQuestion[], upTo: number, { signal, onProgress }: TaskOptions = {}): Promise<{ results: object[]; scanned: number }> {
  const results: object[] = []
  let scanned = 0
  for (const question of questions) {
    const before = scanned
    const answer = await fromLog(deps, question, () => deps.logAnswers.ask('answer', { question, upTo }, { signal, onProgress: (now) => onProgress?.(before + now) }))
    results.push(answer.result)
    scanned += answer.scanned
  }
  return { results, scanned }
}

/** Asks the log, and tells what is too much for it in the client's words. */
export async function fromLog<T>({ database }: StatsDeps, question: StatsQuestion, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw await problemOfLog(error, database, question)
  }
}

/** The whole body but for asOf. */
export function statsBody({ query }: Asked, { from, questions, results }: StatsOutcome): Record<string, unknown> {
  return { ...resultsBody(questions, results), ...(query.ranged ? { range: rangeBody(questions[0]!.range) } : {}), from }
}

/** The numbers, with those of the comparison under their own range. */
export function resultsBody(questions: readonly StatsQuestion[], results: readonly object[]): Record<string, unknown> {
  const [, compared] = questions
  return { ...results[0], ...(compared === undefined ? {} : { comparison: { range: rangeBody(compared.range), ...results[1] } }) }
}

interface Prepared {
  readonly place: Place
  readonly snapshots: readonly Snapshot[]
  readonly questions: readonly StatsQuestion[]
}

async function prepared({ log }: StatsDeps, asked: Asked, trx: Knex): Promise<Prepared> {
  const { appId, params, filter, query } = asked
  const place = await readPlace(trx, query.projection, asked.partition, appId)
  const snapshot = snapshotOf(asked, place, trx, log)
  const range = await rangeOf(asked, snapshot)
  const compare = comparisonOf(asked)
  const ranges = compare === undefined ? [range] : [range, comparedRange(range, compare)]
  const snapshots = ranges.map((one) => ({ ...snapshot, range: one }))
  const stats = query.stats as StatsSide<unknown>
  const bots = params['bots'] as Bots
  const questions: StatsQuestion[] = []
  for (const one of snapshots) questions.push(await stats.question(params, { appId, range: one.range, bots, filter }, one))
  return { place, snapshots, questions }
}

async function tablesTell({ query, params }: Asked, snapshots: readonly Snapshot[]): Promise<boolean> {
  const stats = query.stats as StatsSide<unknown>
  if (stats.fromTables === undefined) return true
  for (const snapshot of snapshots) if (!(await stats.fromTables(params, snapshot))) return false
  return true
}

export function snapshotOf({ appId, nowMs }: Asked, place: Place, trx: Knex, log: EventLog): Snapshot {
  const { timezone, rowsBuild: build, position, defined } = place
  return { trx, log, build, appId, timezone, defined, position, nowMs, range: undefined }
}

/** The bounds of a question. */
export async function rangeOf({ query, params, nowMs }: Asked, snapshot: Snapshot): Promise<Range> {
  const { timezone } = snapshot
  if (!query.ranged) return { ...ALL_TIME, timezone }
  return resolveRange(params, timezone, nowMs) ?? wholeRange(await query.extent?.(snapshot), timezone, nowMs)
}
