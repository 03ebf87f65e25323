// The numbers of goals and reports. Each answer names the revision it counts by: the one in force once its rows are filled,
// until then the one before, and for a definition that was never filled the newest, from the log.
import { type RequestHandler, Router } from 'express'
import { sha256 } from '../../kernel/hashing.ts'
import { goal, goals } from '../../queries/goals.ts'
import type { Query } from '../../queries/query.ts'
import { report } from '../../queries/reports.ts'
import { goneSignal, question, writeAnswer } from '../answers.ts'
import { appAskedAbout } from '../caller.ts'
import type { KeyAuthority } from '../credentials.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUserOrKey } from '../middleware/requireKey.ts'
import { queryOf, type Schema, validateQuery } from '../middleware/validate.ts'
import { parametersFor, uuid } from '../questions.ts'

type GoalDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'queries' | 'definitions'>

export const goalsParameters = parametersFor(goals)
export const goalParameters = parametersFor(named(goal))
export const reportParameters = parametersFor(named(report))
export const goalAnswer = withRevision(goal.result)
export const reportAnswer = withRevision(report.result)

export function goalRoutes(deps: GoalDeps, authority: KeyAuthority): Router {
  const router = Router()
  const reader = requireUserOrKey(deps, authority, 'query')
  /**
   * @openapi
   * /analytics/goals:
   *   get:
   *     operationId: goals
   *     tags: [Analytics]
   *     summary: All goals, over whole local days
   *     x-access: { app: viewer, scope: query }
   *     x-query-schema: GoalsParameters
   *     responses:
   *       200:
   *         description: The numbers
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Goals' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router.route('/analytics/goals').get(reader, validateQuery(goalsParameters), question(deps, goals, 'viewer')).all(otherMethods)
  /**
   * @openapi
   * /analytics/goals/{definitionId}:
   *   get:
   *     operationId: goal
   *     tags: [Analytics]
   *     summary: One goal, over any range
   *     x-access: { app: viewer, scope: query }
   *     x-query-schema: GoalParameters
   *     responses:
   *       200:
   *         description: The numbers
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Goal' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router.route('/analytics/goals/:definitionId').get(reader, validateQuery(goalParameters), revisionAnswer(deps, 'goal', goal)).all(otherMethods)
  /**
   * @openapi
   * /analytics/reports/{definitionId}:
   *   get:
   *     operationId: report
   *     tags: [Analytics]
   *     summary: One report, over any range
   *     x-access: { app: viewer, scope: query }
   *     x-query-schema: ReportParameters
   *     responses:
   *       200:
   *         description: The rows
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Report' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router.route('/analytics/reports/:definitionId').get(reader, validateQuery(reportParameters), revisionAnswer(deps, 'report', report)).all(otherMethods)
  return router
}

function revisionAnswer(deps: GoalDeps, kind: 'goal' | 'report', query: Query<never, unknown>): RequestHandler {
  return async (req, res) => {
    const { appId: given, definitionId, after, ...params } = queryOf(res) as { appId?: string; definitionId: string; after?: string }
    const { appId } = await appAskedAbout(res, deps.keyring, given, 'viewer')
    const { revision, newestRevision } = await deps.definitions.served(appId, kind, definitionId)
    const signal = goneSignal(res)
    const answer = await deps.queries.ask(query, appId, { ...params, definitionId, revision }, after === undefined ? { signal } : { after, signal })
    const body = { definitionId, revision, newestRevision, ...answer.body }
    const etag = `"${sha256(answer.etag, String(newestRevision)).toString('base64url').slice(0, 22)}"`
    writeAnswer(req, res, { ...answer, body, etag })
  }
}

/** The definition is named by the path, and the revision is not the client's to choose. */
function named(query: Query<never, unknown>): Pick<Query<never, unknown>, 'params' | 'ranged' | 'stats'> {
  return { ...query, params: { ...query.params, required: ['definitionId'], properties: { definitionId: uuid } } }
}

function withRevision(result: Schema): Schema {
  const { properties, required } = result as { properties: Schema; required: readonly string[] }
  const number = { type: 'integer', minimum: 1 } as const
  const own = {
    definitionId: { type: 'string' },
    revision: { ...number, description: 'The revision that was counted by.' },
    newestRevision: { ...number, description: 'Where it is a higher one, that is being filled.' },
  }
  return { ...result, required: [...Object.keys(own), ...required], properties: { ...own, ...properties }, example: undefined }
}
