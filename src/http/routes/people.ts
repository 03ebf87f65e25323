// What is known of one person: their visits and their events. Only for credentials that may read about people.
import { Router } from 'express'
import { timeline } from '../../queries/timeline.ts'
import { visits } from '../../queries/visits.ts'
import { question } from '../answers.ts'
import type { KeyAuthority } from '../credentials.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUserOrKey } from '../middleware/requireKey.ts'
import { validateQuery } from '../middleware/validate.ts'
import { parametersFor } from '../questions.ts'

export const visitsParameters = parametersFor(visits)
export const timelineParameters = parametersFor(timeline)

export function peopleRoutes(deps: Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'queries'>, authority: KeyAuthority): Router {
  const router = Router()
  const reader = requireUserOrKey(deps, authority, 'people')
  /**
   * @openapi
   * /analytics/visits:
   *   get:
   *     operationId: visits
   *     tags: [Analytics]
   *     summary: The visits of one person, newest first
   *     description: Ids that turned out to be theirs are included, and so are bots.
   *     x-access: { app: analyst, scope: people }
   *     x-query-schema: VisitsParameters
   *     responses:
   *       200:
   *         description: A page of them
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Visits' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router.route('/analytics/visits').get(reader, validateQuery(visitsParameters), question(deps, visits, 'analyst')).all(otherMethods)
  /**
   * @openapi
   * /analytics/timeline:
   *   get:
   *     operationId: timeline
   *     tags: [Analytics]
   *     summary: The events of one person, newest visit first
   *     description: Ids that turned out to be theirs are included; events that belong to no visit are not.
   *     x-access: { app: analyst, scope: people }
   *     x-query-schema: TimelineParameters
   *     responses:
   *       200:
   *         description: A page of them
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Timeline' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router.route('/analytics/timeline').get(reader, validateQuery(timelineParameters), question(deps, timeline, 'analyst')).all(otherMethods)
  return router
}
