// The restatement log: which closed days changed, by how much, and why. The numbers go with numbers; reasons are words of
// people about people's events, and go with those.
import { Router } from 'express'
import { restatementReasons, restatements } from '../../queries/restatements.ts'
import { question } from '../answers.ts'
import type { KeyAuthority } from '../credentials.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUserOrKey } from '../middleware/requireKey.ts'
import { validateQuery } from '../middleware/validate.ts'
import { parametersFor } from '../questions.ts'

export const restatementsParameters = parametersFor(restatements)
export const restatementReasonsParameters = parametersFor(restatementReasons)

export function restatementRoutes(deps: Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'queries'>, authority: KeyAuthority): Router {
  const router = Router()
  /**
   * @openapi
   * /analytics/restatements:
   *   get:
   *     operationId: restatements
   *     tags: [Analytics]
   *     summary: Which closed days changed, by how much and why
   *     description: The range is over the days that changed. A day is closed once the log has reached a later one.
   *     x-access: { app: viewer, scope: query }
   *     x-query-schema: RestatementsParameters
   *     responses:
   *       200:
   *         description: A page of them, changed last first
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Restatements' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/analytics/restatements')
    .get(requireUserOrKey(deps, authority, 'query'), validateQuery(restatementsParameters), question(deps, restatements, 'viewer'))
    .all(otherMethods)
  /**
   * @openapi
   * /analytics/restatements/reasons:
   *   get:
   *     operationId: restatementReasons
   *     tags: [Analytics]
   *     summary: Who corrected events of closed days, and why
   *     x-access: { app: analyst, scope: people }
   *     x-query-schema: RestatementReasonsParameters
   *     responses:
   *       200:
   *         description: A page of them, newest first
   *         content: { application/json: { schema: { $ref: '#/components/schemas/RestatementReasons' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/analytics/restatements/reasons')
    .get(requireUserOrKey(deps, authority, 'people'), validateQuery(restatementReasonsParameters), question(deps, restatementReasons, 'analyst'))
    .all(otherMethods)
  return router
}
