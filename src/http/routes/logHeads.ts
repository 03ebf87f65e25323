// The heads of the append chain, to be published by whoever runs the installation: positions tell how much all organisations
// together collect, so nobody else reads them here.
import { Router } from 'express'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireOperator } from '../middleware/requireUser.ts'
import { NO_PARAMETERS, validateQuery } from '../middleware/validate.ts'

export const logHeadsAnswer = {
  type: 'object',
  additionalProperties: false,
  required: ['at', 'partitions', 'line'],
  properties: {
    at: { type: 'string', format: 'date-time', description: 'What they cover was stored by then' },
    partitions: {
      type: 'array',
      description: 'Those that hold anything',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['partition', 'position', 'hash'],
        properties: {
          partition: { type: 'integer', minimum: 0 },
          position: { type: 'integer', minimum: 1 },
          hash: { type: 'string', pattern: '^[0-9a-f]{64}$', description: 'Of the append chain up to this position' },
        },
      },
    },
    line: { type: 'string', description: 'The same as one line, as `recount heads` prints it and `recount verify --heads` reads it' },
  },
} as const

export function logHeadRoutes(deps: Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'control' | 'clock'>): Router {
  const router = Router()
  /**
   * @openapi
   * /log/heads:
   *   get:
   *     operationId: logHeads
   *     tags: [Operations]
   *     summary: Where the log ends and the hash of the append chain there, to publish
   *     description: >
   *       Kept where nobody who can write the log can change it, it proves later (`recount verify --heads`) that what was stored by
   *       then was not rewritten.
   *     x-access: operator
   *     responses:
   *       200: { description: The heads, content: { application/json: { schema: { $ref: '#/components/schemas/LogHeads' } } } }
   */
  router
    .route('/log/heads')
    .get(requireOperator(deps), validateQuery(NO_PARAMETERS), async (_req, res) => {
      res.set('Cache-Control', 'no-store').json(await deps.control.logHeads(deps.clock.now()))
    })
    .all(otherMethods)
  return router
}
