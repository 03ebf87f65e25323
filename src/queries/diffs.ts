// What changed in an answer between two moments of the log: both are computed from the log, over the same instants, so that
// whatever differs came into it in between.
import { Problem } from '../errors.ts'
import { askedOf, digest, keyOf, type RangeBody, rangeBody } from './asking.ts'
import { type Moment, momentOf } from './asOf.ts'
import type { AnswerCache } from './cache.ts'
import { differencesOf } from './differences.ts'
import type { Answer } from './query.ts'
import { answersFromLog, questionsOf, type StatsDeps } from './statsAnswers.ts'
import { STATS_QUESTIONS } from './statsQuestions.ts'

export interface DiffRequest {
  readonly question: string
  readonly a: string
  /** Absent: now. */
  readonly b?: string
  readonly params: Readonly<Record<string, unknown>>
}

export interface Change {
  readonly path: string
  readonly a: unknown
  readonly b: unknown
  /** b − a; null where they are no numbers. */
  readonly by: number | null
}

interface Compared {
  readonly range: RangeBody
  readonly changes: readonly Change[]
  readonly answers: { readonly a: object; readonly b: object }
}

export interface Diffs {
  /** Throws Problem `invalid_parameter`, `empty_range`, `too_much_for_the_log`, `overloaded`. */
  diff(appId: string, request: DiffRequest, signal?: AbortSignal): Promise<Answer>
}

export function createDiffs(deps: StatsDeps & { readonly cache: AnswerCache }): Diffs {
  const { log, clock, cache } = deps
  return {
    async diff(appId, { question, params, a: before, b: after }, signal) {
      const query = STATS_QUESTIONS.get(question)
      if (query === undefined) throw new Problem('invalid_parameter', undefined, { errors: [{ path: 'question', detail: 'is no stats question' }] })
      const partition = log.partitionOf(appId)
      const asked = askedOf(query, { appId, partition }, params, clock.now())
      const { place, questions } = await questionsOf(deps, asked)
      const about = { timezone: place.timezone, nowMs: asked.nowMs }
      const a = await momentOf(log, partition, before, { ...about, path: 'a' })
      const b = after === undefined ? undefined : await momentOf(log, partition, after, { ...about, path: 'b' })
      const key = digest(JSON.stringify(['diff', keyOf(asked, place, a), keyOf(asked, place, b)]))
      const known = await cache.get(key)
      const compare = async (): Promise<string> => {
        const json = JSON.stringify(await compared(deps, questions, a, b ?? place, signal))
        await cache.set(key, json)
        return json
      }
      const body = JSON.parse(known ?? (await compare())) as Compared
      return { body: { question, a: shown(a), b: shown(b ?? place), ...body }, etag: `"${key}"`, cached: known !== undefined }
    },
  }
}

async function compared(deps: StatsDeps, questions: Awaited<ReturnType<typeof questionsOf>>['questions'], a: Moment, b: Moment, signal: AbortSignal | undefined): Promise<Compared> {
  const [question] = questions
  const before = await answersFromLog(deps, [question!], a.position, { signal })
  const now = await answersFromLog(deps, [question!], b.position, { signal })
  const answers = { a: before.results[0]!, b: now.results[0]! }
  const changes = differencesOf(answers.a, answers.b).map(({ path, left, right }) => ({
    path,
    a: left ?? null,
    b: right ?? null,
    by: typeof left === 'number' && typeof right === 'number' ? right - left : null,
  }))
  return { range: rangeBody(question!.range), changes, answers }
}

function shown({ position, recordedAt }: Moment): { position: number; recordedAt: string | null } {
  return { position, recordedAt: recordedAt === 0 ? null : new Date(recordedAt).toISOString() }
}
