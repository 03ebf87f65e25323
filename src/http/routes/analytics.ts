// How often an event happened, and what a person did. Each route names its question; range, asOf, cache and waiting are the query bus' business.
import { Router } from 'express'
import { eventSummary } from '../../queries/eventSummary.ts'
import { userStats } from '../../queries/userStats.ts'
import { question } from '../answers.ts'
import type { KeyAuthority } from '../credentials.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUserOrKey } from '../middleware/requireKey.ts'
import { validateQuery } from '../middleware/validate.ts'
import { parametersFor } from '../questions.ts'

type AnalyticsDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'queries'>

export const eventSummaryParameters = parametersFor(eventSummary)
export const userStatsParameters = parametersFor(userStats)

export function analyticsRoutes(deps: AnalyticsDeps, authority: KeyAuthority): Router {
  const router = Router()
  /**
   * @openapi
   * /analytics/event-summary:
   *   get:
   *     operationId: eventSummary
   *     tags: [Analytics]
   *     summary: How often an event happened, to how many people, on which devices
   *     description: With an analytics token `appId` may be left out. Without `event` all events count.
   *     x-access: { app: viewer, scope: query }
   *     x-query-schema: EventSummaryParameters
   *     responses:
   *       200:
   *         description: The numbers
   *         content: { application/json: { schema: { $ref: '#/components/schemas/EventSummary' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/analytics/event-summary')
    .get(requireUserOrKey(deps, authority, 'query'), validateQuery(eventSummaryParameters), question(deps, eventSummary, 'viewer'))
    .all(otherMethods)
  /**
   * @openapi
   * /analytics/user-stats:
   *   get:
   *     operationId: userStats
   *     tags: [Analytics]
   *     summary: What one person did
   *     x-access: { app: analyst, scope: people }
   *     x-query-schema: UserStatsParameters
   *     responses:
   *       200:
   *         description: The person
   *         content: { application/json: { schema: { $ref: '#/components/schemas/UserStats' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/analytics/user-stats')
    .get(requireUserOrKey(deps, authority, 'people'), validateQuery(userStatsParameters), question(deps, userStats, 'analyst'))
    .all(otherMethods)
  return router
}
