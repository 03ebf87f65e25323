// The log as people browse it: an app's events, newest first, and everything that is known of one.
import { Router } from 'express'
import { browseEvents, oneEvent } from '../../queries/events.ts'
import { answerQuestion } from '../answers.ts'
import { appAskedAbout } from '../caller.ts'
import type { KeyAuthority } from '../credentials.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUserOrKey } from '../middleware/requireKey.ts'
import { queryOf, validateQuery } from '../middleware/validate.ts'
import { parametersFor } from '../questions.ts'

export const eventsParameters = parametersFor(browseEvents)
export const oneEventParameters = parametersFor(oneEvent)

export function eventRoutes(deps: Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'queries'>, authority: KeyAuthority): Router {
  const router = Router()
  const reader = requireUserOrKey(deps, authority, 'people')
  /**
   * @openapi
   * /events:
   *   get:
   *     operationId: browseEvents
   *     tags: [Events]
   *     summary: The events of an app, newest first
   *     x-access: { app: analyst, scope: people }
   *     x-query-schema: EventsParameters
   *     responses:
   *       200:
   *         description: A page of them
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Events' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/events')
    .get(reader, validateQuery(eventsParameters), async (req, res) => {
      const { appId, ...params } = queryOf(res) as { appId?: string }
      const app = await appAskedAbout(res, deps.keyring, appId, 'analyst')
      await answerQuestion(deps, { req, res }, browseEvents, app.appId, params)
    })
    .all(otherMethods)
  /**
   * @openapi
   * /events/{eventId}:
   *   get:
   *     operationId: oneEvent
   *     tags: [Events]
   *     summary: One event, its place in the log, and where it counts
   *     x-access: { app: analyst, scope: people }
   *     x-query-schema: OneEventParameters
   *     responses:
   *       200:
   *         description: The event
   *         content: { application/json: { schema: { $ref: '#/components/schemas/OneEvent' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/events/:eventId')
    .get(reader, validateQuery(oneEventParameters), async (req, res) => {
      const { appId, ...params } = queryOf(res) as { appId?: string }
      const app = await appAskedAbout(res, deps.keyring, appId, 'analyst')
      await answerQuestion(deps, { req, res }, oneEvent, app.appId, params)
    })
    .all(otherMethods)
  return router
}
