// What changed in an answer between two moments of the log.
import { Router } from 'express'
import { RANGE_SCHEMA } from '../../queries/range.ts'
import { AS_OF_PROPERTY, propertiesOf } from '../../queries/statsParameters.ts'
import { STATS_QUESTIONS } from '../../queries/statsQuestions.ts'
import { goneSignal, writeAnswer } from '../answers.ts'
import { appAskedAbout } from '../caller.ts'
import type { KeyAuthority } from '../credentials.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUserOrKey } from '../middleware/requireKey.ts'
import { queryOf, validateQuery } from '../middleware/validate.ts'
import { appId, objectOf } from '../questions.ts'
import { withServedRevision } from '../servedRevision.ts'

/** Of all questions together; each is checked against its own once it is known which it is. */
function ofAnyQuestion(): Record<string, unknown> {
  const all: Record<string, unknown> = {}
  for (const query of STATS_QUESTIONS.values()) {
    for (const [name, property] of Object.entries(propertiesOf(query))) {
      if (!['asOf', 'compare', 'bots'].includes(name)) all[name] = property
    }
  }
  return { ...all, bots: { type: 'string', enum: ['include', 'exclude', 'only'], description: 'As in the question’s own route' } }
}

export const diffParameters = objectOf(
  {
    appId,
    question: { type: 'string', enum: [...STATS_QUESTIONS.keys()], example: 'overview' },
    a: { ...AS_OF_PROPERTY, description: 'The earlier moment: a position of the log (digits), or an instant as in from' },
    b: { ...AS_OF_PROPERTY, description: 'The later moment; now unless given' },
    ...ofAnyQuestion(),
  },
  ['question', 'a'],
)

const moment = objectOf({ position: { type: 'integer', minimum: 0 }, recordedAt: { type: ['string', 'null'], format: 'date-time' } }, ['position', 'recordedAt'])
const numbers = { type: 'object', additionalProperties: true } as const

export const diffAnswer = objectOf(
  {
    question: { type: 'string' },
    range: RANGE_SCHEMA,
    a: moment,
    b: moment,
    changes: {
      type: 'array',
      description: 'Where the answers part ways; rows are met by what they are about',
      items: objectOf({ path: { type: 'string' }, a: {}, b: {}, by: { type: ['number', 'null'], description: 'b − a, where both are numbers' } }, ['path', 'a', 'b', 'by']),
    },
    answers: objectOf({ a: numbers, b: numbers }, ['a', 'b']),
  },
  ['question', 'range', 'a', 'b', 'changes', 'answers'],
)

export function diffRoutes(deps: Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'diffs' | 'definitions'>, authority: KeyAuthority): Router {
  const router = Router()
  /**
   * @openapi
   * /analytics/diff:
   *   get:
   *     operationId: diff
   *     tags: [Analytics]
   *     summary: What changed in an answer between two moments of the log
   *     description: >-
   *       Takes the parameters of the question besides its own. Both answers are over the same instants, so what differs came
   *       late, was corrected or was taken back in between.
   *     x-access: { app: viewer, scope: query }
   *     x-query-schema: DiffParameters
   *     responses:
   *       200:
   *         description: Both answers, and where they differ
   *         content: { application/json: { schema: { $ref: '#/components/schemas/DiffAnswer' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/analytics/diff')
    .get(requireUserOrKey(deps, authority, 'query'), validateQuery(diffParameters), async (req, res) => {
      const { appId: given, question, a, b, ...asked } = queryOf(res) as { appId?: string; question: string; a: string; b?: string }
      const app = await appAskedAbout(res, deps.keyring, given, 'viewer')
      const params = await withServedRevision(deps, app.appId, question, asked)
      writeAnswer(req, res, await deps.diffs.diff(app.appId, { question, a, params, ...(b === undefined ? {} : { b }) }, goneSignal(res)))
    })
    .all(otherMethods)
  return router
}
