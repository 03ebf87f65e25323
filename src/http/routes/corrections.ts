// Corrections: new values for an event, or none, by the app's owner and for a stated reason. Both are facts in the log; the
// numbers follow within moments, also for days that were closed.
import { type RequestHandler, Router } from 'express'
import type { AppCommand } from '../../commands/appCommand.ts'
import { correctEvent, correctionBody } from '../../commands/correctEvent.ts'
import { retractEvent, retractionBody } from '../../commands/retractEvent.ts'
import { appOf, userOf } from '../caller.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUser } from '../middleware/requireUser.ts'
import { bodyOf, queryOf, validateBody, validateQuery } from '../middleware/validate.ts'
import { objectOf, uuid } from '../questions.ts'

type CorrectionDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'appBus'>

export const correctionParameters = objectOf({ appId: uuid, eventId: { ...uuid, description: 'As /collect answers it' } }, ['appId', 'eventId'])
export const correctedAnswer = objectOf(
  {
    eventId: { type: 'string', description: 'The event that was corrected' },
    correctionId: { type: ['string', 'null'], description: 'The fact in the log: give it to `after=` to wait until the numbers follow. Null where nothing changes' },
  },
  ['eventId', 'correctionId'],
)

export function correctionRoutes(deps: CorrectionDeps): Router {
  const router = Router()
  const user = requireUser(deps)
  /**
   * @openapi
   * /events/{eventId}/corrections:
   *   post:
   *     operationId: correctEvent
   *     tags: [Events]
   *     summary: Give an event new values
   *     description: It counts with them from now on, as if it had been collected so; what it said before stays in the log. Addresses and URLs are reduced as the app is set to; the cookieless id stays.
   *     x-access: { app: admin }
   *     x-query-schema: CorrectionParameters
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/CorrectionBody' } } }
   *     responses:
   *       201:
   *         description: Corrected
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Corrected' } } }
   *       200:
   *         description: Nothing changes by it, or this very correction was made before
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Corrected' } } }
   */
  router.route('/events/:eventId/corrections').post(user, validateQuery(correctionParameters), validateBody(correctionBody), carriesOut(deps, correctEvent)).all(otherMethods)
  /**
   * @openapi
   * /events/{eventId}/retraction:
   *   post:
   *     operationId: retractEvent
   *     tags: [Events]
   *     summary: Take an event out of all numbers; it stays in the log
   *     description: Nothing undoes it. An event that was retracted by mistake has to be collected again under another id.
   *     x-access: { app: admin }
   *     x-query-schema: CorrectionParameters
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/RetractionBody' } } }
   *     responses:
   *       201:
   *         description: Retracted
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Corrected' } } }
   *       200:
   *         description: This very retraction was made before
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Corrected' } } }
   */
  router.route('/events/:eventId/retraction').post(user, validateQuery(correctionParameters), validateBody(retractionBody), carriesOut(deps, retractEvent)).all(otherMethods)
  return router
}

function carriesOut<Input extends { eventId: string }, State>(deps: CorrectionDeps, command: AppCommand<Input, State, { eventId: string }>): RequestHandler {
  return async (_req, res) => {
    const user = userOf(res)
    const { appId, eventId } = queryOf(res) as { appId: string; eventId: string }
    const app = await appOf(user, deps.keyring, appId, 'admin')
    const { commandId, ...said } = bodyOf(res) as { commandId?: string }
    const by = { actor: user.accountId, ...(commandId === undefined ? {} : { commandId }) }
    const { eventIds, repeated } = await deps.appBus.execute(command, app.appId, { ...said, eventId } as unknown as Input, by)
    const correctionId = eventIds[0] ?? null
    res.status(correctionId === null || repeated === true ? 200 : 201).json({ eventId, correctionId })
  }
}
