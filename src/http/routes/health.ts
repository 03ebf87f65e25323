// Probes: alive means that the process answers, ready that it may take traffic. Status only: why it is not ready is for the
// log of whoever runs it.
import { Router } from 'express'
import { Problem } from '../../errors.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'

export const healthSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['status'],
  properties: { status: { type: 'string', enum: ['live', 'ready'] } },
} as const

export function healthRoutes(deps: Pick<HttpDeps, 'ready' | 'logger'>): Router {
  const router = Router()
  /**
   * @openapi
   * /health/live:
   *   get:
   *     operationId: live
   *     tags: [Operations]
   *     summary: Does the process answer?
   *     x-access: open
   *     responses:
   *       200: { description: It does, content: { application/json: { schema: { $ref: '#/components/schemas/Health' } } } }
   */
  router
    .route('/health/live')
    .get((_req, res) => void res.set('Cache-Control', 'no-store').json({ status: 'live' }))
    .all(otherMethods)
  /**
   * @openapi
   * /health/ready:
   *   get:
   *     operationId: ready
   *     tags: [Operations]
   *     summary: May the process take traffic?
   *     x-access: open
   *     responses:
   *       200: { description: It may, content: { application/json: { schema: { $ref: '#/components/schemas/Health' } } } }
   *       503: { description: Not now, content: { application/problem+json: { schema: { $ref: '#/components/schemas/Problem' } } } }
   */
  router
    .route('/health/ready')
    .get(async (_req, res) => {
      const { ready, faults } = await deps.ready()
      if (!ready) {
        deps.logger.warn('not ready', { faults })
        throw new Problem('not_ready')
      }
      res.set('Cache-Control', 'no-store').json({ status: 'ready' })
    })
    .all(otherMethods)
  return router
}
