// GET /metrics for Prometheus: to this machine, or to whoever holds METRICS_TOKEN.
import { Router } from 'express'
import { Problem } from '../../errors.ts'
import { secretsEqual } from '../../kernel/hashing.ts'
import { type ClientAddress, isLoopback } from '../clientAddress.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { bearerOf } from '../middleware/requireUser.ts'

export function metricRoutes(deps: Pick<HttpDeps, 'config' | 'metrics'>, addressOf: ClientAddress): Router {
  const router = Router()
  /**
   * @openapi
   * /metrics:
   *   get:
   *     operationId: metrics
   *     tags: [Operations]
   *     summary: Metrics in Prometheus' text format
   *     description: To loopback addresses that ask for this machine by its own name, or with METRICS_TOKEN.
   *     x-access: metrics
   *     responses:
   *       200: { description: The metrics, content: { text/plain: { schema: { type: string } } } }
   */
  router
    .route('/metrics')
    .get(async (req, res) => {
      const given = bearerOf(req)
      const { metricsToken } = deps.config
      const named = given !== undefined && metricsToken !== undefined && secretsEqual(given, metricsToken)
      if (!named && !isLoopback(req, addressOf)) throw new Problem('unauthenticated', 'Send Authorization: Bearer <METRICS_TOKEN>')
      res.set('Cache-Control', 'no-store').type(deps.metrics.registry.contentType).send(await deps.metrics.registry.metrics())
    })
    .all(otherMethods)
  return router
}
