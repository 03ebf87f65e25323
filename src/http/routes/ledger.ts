// The ledger of an app: what became of everything that was received, so that "it was sent" and "it is counted" can be compared.
import { Router } from 'express'
import type { AppState } from '../../commands/keyring.ts'
import type { LedgerApp } from '../../queries/ledger.ts'
import { RANGE_PROPERTIES, type RangeParams } from '../../queries/range.ts'
import { writeAnswer } from '../answers.ts'
import { appAskedAbout } from '../caller.ts'
import type { KeyAuthority } from '../credentials.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUserOrKey } from '../middleware/requireKey.ts'
import { queryOf, validateQuery } from '../middleware/validate.ts'
import { appId, objectOf } from '../questions.ts'

export const ledgerParameters = objectOf({ appId, ...RANGE_PROPERTIES })

export function ledgerRoutes(deps: Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'ledger'>, authority: KeyAuthority): Router {
  const router = Router()
  /**
   * @openapi
   * /ledger:
   *   get:
   *     operationId: ledger
   *     tags: [Operations]
   *     summary: What became of everything that was received
   *     description: >-
   *       By hour of receipt, in UTC, and of all hours of the range, which is widened to whole ones. received = accepted + rejected -
   *       released, accepted = stored + duplicates + inFlight, recorded = projected + behind + dead. An event that is sent or delivered
   *       again moves `duplicates` at most. `reconciles` compares the sums of two counts that are kept independently of each other.
   *     x-access: { app: viewer, scope: query }
   *     x-query-schema: LedgerParameters
   *     responses:
   *       200:
   *         description: The ledger
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Ledger' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/ledger')
    .get(requireUserOrKey(deps, authority, 'query'), validateQuery(ledgerParameters), async (req, res) => {
      const { appId: asked, ...range } = queryOf(res) as RangeParams & { appId?: string }
      const app = await appAskedAbout(res, deps.keyring, asked, 'viewer')
      writeAnswer(req, res, await deps.ledger.ledger(ledgerApp(app), range))
    })
    .all(otherMethods)
  return router
}

export function ledgerApp({ appId: id, partition, settings: { timezone } }: AppState): LedgerApp {
  return { appId: id, partition, timezone }
}
