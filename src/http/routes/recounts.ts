// Any number, checked on the spot: recomputed from the log, compared with what is stored, and taken apart into its events.
// With `Accept: text/event-stream` the same answer comes after events that say how far it is; it ends when its reader may no
// longer see it.
import { type Request, type Response, Router } from 'express'
import { Problem } from '../../errors.ts'
import { LIMITS } from '../../limits.ts'
import { LISTED_MEASURES } from '../../queries/fromLog/logSource.ts'
import type { RecountRequest } from '../../queries/recounts.ts'
import { RANGE_SCHEMA } from '../../queries/range.ts'
import { RECOUNTED_QUESTIONS } from '../../queries/statsQuestions.ts'
import { goneSignal } from '../answers.ts'
import { atLeast, roleOnApp } from '../../commands/roles.ts'
import { appAskedAbout, checkedAgain, isPresent, userOf } from '../caller.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUser } from '../middleware/requireUser.ts'
import { bodyOf, validateBody } from '../middleware/validate.ts'
import { asProblem } from '../problems.ts'
import { objectOf, uuid } from '../questions.ts'
import { watchReader } from '../readerWatch.ts'
import { withServedRevision } from '../servedRevision.ts'

type RecountDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'recounts' | 'definitions' | 'clock' | 'logger' | 'isAway'>

const whole = { type: 'integer', minimum: 0 } as const

const part = {
  ...objectOf(
    {
      measure: { type: 'string', enum: LISTED_MEASURES },
      value: { type: 'string', maxLength: LIMITS.metadataBytes, description: 'The row of a breakdown' },
      at: { type: 'string', maxLength: 64, description: 'The point of a timeseries, as the answer has it' },
      dimensions: { type: 'array', maxItems: LIMITS.dimensionsPerReport, items: { type: ['string', 'null'], maxLength: LIMITS.metadataBytes }, description: 'The row of a report, as the answer has it' },
    },
    ['measure'],
  ),
  description: 'Which number',
}

export const recountSchema = {
  ...objectOf(
    {
      appId: uuid,
      question: { type: 'string', enum: [...RECOUNTED_QUESTIONS.keys()] },
      params: { type: 'object', maxProperties: 20, additionalProperties: { type: ['string', 'number', 'boolean'] }, description: "As in the question's own route; of a goal or report also `definitionId` and, unless it is the one that is served, `revision`" },
      list: objectOf(
        {
          of: part,
          cursor: { type: 'string', pattern: '^\\d{1,15}$', 'x-words': '`nextCursor` of the answer before', description: '`nextCursor` of the answer before' },
          limit: { type: 'integer', minimum: 1, maximum: LIMITS.pageMax },
        },
        ['of'],
      ),
      explain: objectOf({ eventId: uuid, of: part }, ['eventId']),
    },
    ['appId', 'question'],
  ),
  example: {
    appId: '5f0c2a52-0d7e-5b1c-9c7e-2f6a3b1d4e5f',
    question: 'overview',
    params: { from: '2026-11-01', to: '2026-12-01' },
    list: { of: { measure: 'visitors' }, limit: 50 },
  },
}

const numbers = { type: 'object', additionalProperties: true } as const

export const recountAnswer = objectOf(
  {
    question: { type: 'string' },
    match: { type: 'boolean', description: 'Whether the log says what was stored' },
    position: { ...whole, description: 'Both sides count up to here' },
    range: RANGE_SCHEMA,
    from: { type: 'string', enum: ['tables', 'log'], description: 'What the stored numbers came from' },
    stored: numbers,
    recounted: numbers,
    differences: { type: 'array', maxItems: LIMITS.recountDifferences, items: objectOf({ path: { type: 'string' }, stored: {}, recounted: {} }, ['path', 'stored', 'recounted']) },
    differing: { ...whole, description: 'How many differences there are' },
    scanned: { ...whole, description: 'Events that were read' },
    seconds: { type: 'number', minimum: 0 },
    events: objectOf({ ids: { type: 'array', items: { type: 'string', format: 'uuid' } }, nextCursor: { type: ['string', 'null'] } }, ['ids', 'nextCursor']),
    explanation: objectOf(
      {
        eventId: { type: 'string', format: 'uuid' },
        counted: { type: 'boolean' },
        reasons: { type: 'array', items: objectOf({ rule: { type: 'string' }, holds: { type: 'boolean' }, detail: { type: 'string' } }, ['rule', 'holds', 'detail']) },
      },
      ['eventId', 'counted', 'reasons'],
    ),
  },
  ['question', 'match', 'position', 'from', 'stored', 'recounted', 'differences', 'differing', 'scanned', 'seconds'],
)

export function recountRoutes(deps: RecountDeps): Router {
  const router = Router()
  /**
   * @openapi
   * /recounts:
   *   post:
   *     operationId: recount
   *     tags: [Analytics]
   *     summary: Recompute an answer from the log and compare it with what is stored
   *     description: >-
   *       `list` adds the ids of the events that make up a number, `explain` says why an event is in it or is not. With
   *       `Accept: text/event-stream`, `progress` events come first, then one `result` (or `problem`).
   *     x-access: { app: analyst }
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/Recount' } } }
   *     responses:
   *       200:
   *         description: Both sides, and where they differ
   *         content:
   *           application/json: { schema: { $ref: '#/components/schemas/RecountAnswer' } }
   *           text/event-stream: { schema: { type: string } }
   */
  router
    .route('/recounts')
    .post(requireUser(deps), validateBody(recountSchema), async (req, res) => {
      const { appId, ...asked } = bodyOf(res) as RecountRequest & { appId: string }
      const app = await appAskedAbout(res, deps.keyring, appId, 'analyst')
      const request = { ...asked, params: await withServedRevision(deps, app.appId, asked.question, asked.params ?? {}) }
      const signal = goneSignal(res)
      if (req.accepts(['application/json', 'text/event-stream']) === 'text/event-stream') await streamed(deps, { req, res }, app.appId, request, signal)
      else {
        const answer = await deps.recounts.recount(app.appId, request, { signal })
        checkedAgain(res)
        res.json(answer)
      }
    })
    .all(otherMethods)
  return router
}

/** What fails before anything was read is an answer as any other; after that it is the stream's last event. */
async function streamed(deps: RecountDeps, { res }: { readonly req: Request; readonly res: Response }, appId: string, request: RecountRequest, signal: AbortSignal): Promise<void> {
  const open = (): void => {
    if (!res.headersSent) res.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' })
  }
  const send = (event: string, data: unknown): void => {
    open()
    res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }
  const onProgress = (scanned: number): void => {
    if (!res.writableNeedDrain) send('progress', { scanned })
  }
  const lost = new AbortController()
  const unwatch = watchReader({
    ...deps,
    allowed: () => maySee(deps, res, appId),
    lost: (why) => lost.abort(why === 'unsure' ? new Problem('unavailable', 'Rights cannot be checked at the moment; try again') : new Problem('unauthenticated', 'You are signed out, or the app is yours no more')),
    beat: () => {
      open()
      if (!res.writableNeedDrain) res.write(': still here\n\n')
    },
  })
  try {
    send('result', await deps.recounts.recount(appId, request, { signal: AbortSignal.any([signal, lost.signal]), onProgress }))
    res.end()
  } catch (error) {
    if (!res.headersSent || res.destroyed) throw error
    const problem = asProblem(error, deps.isAway)
    if (problem.code === 'internal') deps.logger.error('a request failed', { error: problem.cause ?? problem })
    send('problem', problem)
    res.end()
  } finally {
    unwatch()
  }
}

function maySee({ clock, keyring: { state } }: RecountDeps, res: Response, appId: string): boolean {
  const user = userOf(res)
  const app = state.app(appId)
  return isPresent(state, user, clock.now()) && app !== undefined && atLeast(roleOnApp(state, app, user.accountId), 'analyst')
}
