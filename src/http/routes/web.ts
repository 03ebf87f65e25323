// The numbers of a site: overview, time series, breakdowns, who is here now. Each route names its question; range, bots,
// filter, comparison, asOf, cache and waiting are the query bus' business.
import { Router } from 'express'
import { breakdown } from '../../queries/breakdown.ts'
import { live } from '../../queries/live.ts'
import { overview } from '../../queries/overview.ts'
import { timeseries } from '../../queries/timeseries.ts'
import { question } from '../answers.ts'
import type { KeyAuthority } from '../credentials.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUserOrKey } from '../middleware/requireKey.ts'
import { validateQuery } from '../middleware/validate.ts'
import { parametersFor } from '../questions.ts'

export const overviewParameters = parametersFor(overview)
export const timeseriesParameters = parametersFor(timeseries)
export const breakdownParameters = parametersFor(breakdown)
export const liveParameters = parametersFor(live)

export function webRoutes(deps: Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'queries'>, authority: KeyAuthority): Router {
  const router = Router()
  const reader = requireUserOrKey(deps, authority, 'query')
  /**
   * @openapi
   * /analytics/overview:
   *   get:
   *     operationId: overview
   *     tags: [Analytics]
   *     summary: Visitors, visits, pageviews, bounce rate, visit duration
   *     description: Bots are left out unless `bots` says otherwise. With an analytics token `appId` may be left out.
   *     x-access: { app: viewer, scope: query }
   *     x-query-schema: OverviewParameters
   *     responses:
   *       200:
   *         description: The numbers
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Overview' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router.route('/analytics/overview').get(reader, validateQuery(overviewParameters), question(deps, overview, 'viewer')).all(otherMethods)
  /**
   * @openapi
   * /analytics/timeseries:
   *   get:
   *     operationId: timeseries
   *     tags: [Analytics]
   *     summary: The same by minute, hour, day, week or month, local to the app
   *     description: Empty intervals are included. Bots are left out unless `bots` says otherwise.
   *     x-access: { app: viewer, scope: query }
   *     x-query-schema: TimeseriesParameters
   *     responses:
   *       200:
   *         description: The points
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Timeseries' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router.route('/analytics/timeseries').get(reader, validateQuery(timeseriesParameters), question(deps, timeseries, 'viewer')).all(otherMethods)
  /**
   * @openapi
   * /analytics/breakdown:
   *   get:
   *     operationId: breakdown
   *     tags: [Analytics]
   *     summary: A range by page, source, country, metadata and more
   *     description: Most first, a page at a time. Bots are left out unless `bots` says otherwise.
   *     x-access: { app: viewer, scope: query }
   *     x-query-schema: BreakdownParameters
   *     responses:
   *       200:
   *         description: A page of the rows
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Breakdown' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router.route('/analytics/breakdown').get(reader, validateQuery(breakdownParameters), question(deps, breakdown, 'viewer')).all(otherMethods)
  /**
   * @openapi
   * /analytics/live:
   *   get:
   *     operationId: liveVisitors
   *     tags: [Analytics]
   *     summary: Who is here now, and minute by minute for half an hour
   *     description: Exact and never cached; bots are left out.
   *     x-access: { app: viewer, scope: query }
   *     x-query-schema: LiveParameters
   *     responses:
   *       200:
   *         description: The numbers
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Live' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router.route('/analytics/live').get(reader, validateQuery(liveParameters), question(deps, live, 'viewer')).all(otherMethods)
  return router
}
