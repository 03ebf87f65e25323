// Recomputes an answer from the log, at the position at which the stored numbers count, and says whether they agree; on
// request with the events that make up a number, and why one event is in it or is not. It keeps nothing, so any process can
// be asked.
import { Problem } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import { type Asked, askedOf, rangeBody } from './asking.ts'
import { momentOf } from './asOf.ts'
import { differencesOf } from './differences.ts'
import type { Part, Verdict } from './fromLog/logSource.ts'
import type { TaskOptions } from './fromLog/logTask.ts'
import { needsOf } from './fromLog/needs.ts'
import type { QueryBus } from './query.ts'
import type { StatsQuestion } from './stats.ts'
import { answersFromLog, fromLog, questionsOf, resultsBody, type StatsDeps, tablesAnswer } from './statsAnswers.ts'
import { RECOUNTED_QUESTIONS } from './statsQuestions.ts'

export interface RecountRequest {
  readonly question: string
  /** As in the question's own route. */
  readonly params?: Readonly<Record<string, unknown>>
  readonly list?: { readonly of: Part; readonly cursor?: string; readonly limit?: number }
  readonly explain?: { readonly eventId: string; readonly of?: Part }
}

export interface Recount {
  readonly question: string
  readonly match: boolean
  /** Of the app's log partition: both sides count up to here. */
  readonly position: number
  /** Absent of a question that takes none. */
  readonly range?: { readonly from: string; readonly to: string; readonly timezone: string }
  /** What answered before: `tables`, or `log` (then what is checked is the answer that was kept). */
  readonly from: string
  readonly stored: Readonly<Record<string, unknown>>
  readonly recounted: Readonly<Record<string, unknown>>
  /** The first of them, at most LIMITS.recountDifferences. */
  readonly differences: readonly { readonly path: string; readonly stored: unknown; readonly recounted: unknown }[]
  readonly differing: number
  /** Events of the app that were read for it. */
  readonly scanned: number
  readonly seconds: number
  readonly events?: { readonly ids: readonly string[]; readonly nextCursor: string | null }
  readonly explanation?: Verdict & { readonly eventId: string }
}

export interface Recounts {
  /** Throws Problem `invalid_parameter`, `invalid_body` (a measure that the answer has not), `not_found` (an event to explain), `too_much_for_the_log`, `overloaded`. */
  recount(appId: string, request: RecountRequest, options?: TaskOptions): Promise<Recount>
}

export interface RecountDeps extends StatsDeps {
  readonly queries: QueryBus
}

interface Stored {
  readonly from: string
  readonly position: number
  readonly questions: readonly StatsQuestion[]
  readonly body: Readonly<Record<string, unknown>>
}

export function createRecounts(deps: RecountDeps): Recounts {
  return {
    async recount(appId, request, options = {}) {
      const startedMs = performance.now()
      const asked = askedFor(deps, appId, request)
      const { from, position, questions, body: stored } = await storedAnswer(deps, asked, options)
      refuseVisitsOf(questions[0]!, request)
      const { results, scanned } = await answersFromLog(deps, questions, position, options)
      const recounted = resultsBody(questions, results)
      const differences = differencesOf(stored, recounted)
      const { events, explanation } = await evidence(deps, asked, { question: questions[0]!, upTo: position }, request, options)
      return {
        question: asked.query.name,
        match: differences.length === 0,
        position,
        ...(asked.query.ranged ? { range: rangeBody(questions[0]!.range) } : {}),
        from,
        stored,
        recounted,
        differences: differences.slice(0, LIMITS.recountDifferences).map(({ path, left, right }) => ({ path, stored: left ?? null, recounted: right ?? null })),
        differing: differences.length,
        scanned,
        seconds: Math.round(performance.now() - startedMs) / 1_000,
        ...(events === undefined ? {} : { events }),
        ...(explanation === undefined ? {} : { explanation }),
      }
    },
  }
}

function askedFor({ log, clock }: RecountDeps, appId: string, { question, params = {} }: RecountRequest): Asked {
  const query = RECOUNTED_QUESTIONS.get(question)
  if (query === undefined) {
    throw new Problem('invalid_parameter', undefined, { errors: [{ path: 'question', detail: `is none of ${[...RECOUNTED_QUESTIONS.keys()].join(', ')}` }] })
  }
  return askedOf(query, { appId, partition: log.partitionOf(appId) }, params, clock.now())
}

/** Only where a question looks at visits is it known which event belongs to which. */
function refuseVisitsOf(question: StatsQuestion, { list, explain }: RecountRequest): void {
  if (needsOf(question).visits) return
  const parts = [['list', list?.of], ['explain', explain?.of]] as const // prettier-ignore
  const errors = parts
    .filter(([, of]) => of?.measure === 'visits')
    .map(([name]) => ({ path: `/${name}/of/measure`, detail: `must be another: the answer to ${question.name} counts no visits` }))
  if (errors.length > 0) throw new Problem('invalid_body', undefined, { errors })
}

/** From the rows as they are now, whatever is cached; where the log answers, what the bus has, which may be cached. */
async function storedAnswer(deps: RecountDeps, asked: Asked, { signal }: TaskOptions): Promise<Stored> {
  const told = asked.params['asOf'] === undefined ? await tablesAnswer(deps, asked) : undefined
  if (told !== undefined) return { from: 'tables', position: told.place.position, questions: told.questions, body: resultsBody(told.questions, told.results) }
  const { questions, place } = await questionsOf(deps, asked)
  // Absolute bounds, so that both sides are about the same instants although time goes on.
  const { from: fromText, to } = rangeBody(questions[0]!.range)
  const params = asked.query.ranged ? { ...without(asked.params, ['period']), from: fromText, to } : asked.params
  const text = asked.params['asOf']
  const { position } = typeof text === 'string' ? await momentOf(deps.log, asked.partition, text, { timezone: place.timezone, nowMs: asked.nowMs }) : place
  const { body } = await deps.queries.ask(asked.query, asked.appId, { ...params, asOf: String(position) }, signal === undefined ? {} : { signal })
  return { from: String(body['from']), position, questions, body: without(body, ['range', 'from', 'asOf']) }
}

function without(object: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
}

interface Evidence {
  readonly events: Recount['events']
  readonly explanation: Recount['explanation']
}

async function evidence(deps: RecountDeps, { appId, partition }: Asked, at: { question: StatsQuestion; upTo: number }, { list, explain }: RecountRequest, options: TaskOptions): Promise<Evidence> {
  const events = list === undefined ? undefined : await listed(deps, partition, at, list, options)
  if (explain === undefined) return { events, explanation: undefined }
  const event = await deps.log.find(appId, explain.eventId)
  if (event === undefined) throw new Problem('not_found', 'The app has no event with the id that is to be explained')
  const verdict =
    event.position > at.upTo
      ? later(event.position, at.upTo)
      : await fromLog(deps, at.question, () => deps.logAnswers.ask('explain', { ...at, position: event.position, part: explain.of }, options))
  return { events, explanation: { eventId: explain.eventId, ...verdict } }
}

function later(position: number, upTo: number): Verdict {
  return { counted: false, reasons: [{ rule: 'collected', holds: false, detail: `It came into the log at position ${position}, after position ${upTo}, up to which this answer counts.` }] }
}

async function listed(deps: RecountDeps, partition: number, at: { question: StatsQuestion; upTo: number }, { of, cursor, limit = LIMITS.pageDefault }: NonNullable<RecountRequest['list']>, options: TaskOptions): Promise<Recount['events']> {
  const after = Number(cursor ?? 0)
  const found = await fromLog(deps, at.question, () => deps.logAnswers.ask('list', { ...at, part: of, after, limit: limit + 1 }, options))
  const page = found.slice(0, limit)
  const events = await deps.log.readAt(partition, page.map(({ eventPosition }) => eventPosition))
  const ids = new Map(events.map((event) => [event.position, event.eventId]))
  return {
    ids: page.map(({ eventPosition }) => ids.get(eventPosition)!),
    nextCursor: found.length > limit ? String(page.at(-1)!.position) : null,
  }
}
