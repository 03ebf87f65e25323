// Grants: what single members may do on one app beyond their role in its organisation.
import { Router } from 'express'
import { endAppGrant } from '../../commands/endAppGrant.ts'
import { grantApp, grantAppBody, type GrantApp } from '../../commands/grantApp.ts'
import type { Page } from '../../queries/controlQueries.ts'
import { grantOnApp } from '../../queries/members.ts'
import { writeAnswer } from '../answers.ts'
import { appOf, userOf } from '../caller.ts'
import type { HttpDeps } from '../deps.ts'
import { keyChanges, keyChangesSchema, type WorkingKey, workingKeysOn } from '../keyChanges.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUser } from '../middleware/requireUser.ts'
import { bodyOf, queryOf, validateBody, validateQuery } from '../middleware/validate.ts'
import { objectOf, page, uuid } from '../questions.ts'

type GrantDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'bus' | 'control' | 'clock'>

export const listGrantsParameters = objectOf({ appId: uuid, ...page }, ['appId'])
export const grantParameters = objectOf({ appId: uuid, accountId: uuid }, ['appId', 'accountId'])
export const grantedSchema = objectOf({ appId: { type: 'string' }, accountId: { type: 'string' }, role: grantOnApp.properties.role, keys: keyChangesSchema }, ['appId', 'accountId', 'role', 'keys'])
export const grantEndedSchema = objectOf({ appId: { type: 'string' }, accountId: { type: 'string' }, keys: keyChangesSchema }, ['appId', 'accountId', 'keys'])

export function grantRoutes(deps: GrantDeps): Router {
  const router = Router()
  /**
   * @openapi
   * /apps/{appId}/grants:
   *   get:
   *     operationId: listGrants
   *     tags: [Apps]
   *     summary: Who may do more on an app than their role says
   *     x-access: { app: admin }
   *     x-query-schema: ListGrantsParameters
   *     responses:
   *       200:
   *         description: The grants, in the order in which they were given
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Grants' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/apps/:appId/grants')
    .get(requireUser(deps), validateQuery(listGrantsParameters), async (req, res) => {
      const { appId, ...asked } = queryOf(res) as { appId: string } & Page
      const app = await appOf(userOf(res), deps.keyring, appId, 'admin')
      writeAnswer(req, res, await deps.control.grants(app, { ...asked, atLeast: deps.keyring.state.position }))
    })
    .all(otherMethods)
  oneGrant(router, deps)
  return router
}

function oneGrant(router: Router, deps: GrantDeps): void {
  /**
   * @openapi
   * /apps/{appId}/grants/{accountId}:
   *   put:
   *     operationId: grantApp
   *     tags: [Apps]
   *     summary: Let a member do more on one app
   *     x-access: { app: admin }
   *     x-query-schema: GrantParameters
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/GrantAppBody' } } }
   *     responses:
   *       200:
   *         description: What is granted now, and what became of their keys where that is less than before
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Granted' } } }
   *   delete:
   *     operationId: endAppGrant
   *     tags: [Apps]
   *     summary: Take a grant back
   *     x-access: { app: admin }
   *     x-query-schema: GrantParameters
   *     responses:
   *       200:
   *         description: Their role in the organisation is all they have; what became of their keys
   *         content: { application/json: { schema: { $ref: '#/components/schemas/GrantEnded' } } }
   */
  router
    .route('/apps/:appId/grants/:accountId')
    .put(requireUser(deps), validateQuery(grantParameters), validateBody(grantAppBody), async (_req, res) => {
      const whose = queryOf(res) as Whose
      const before = keysStandingOn(deps, whose)
      const input = { ...(bodyOf(res) as Pick<GrantApp, 'role'>), ...whose }
      const { appId, accountId, role } = await deps.bus.execute(grantApp, input, { actor: userOf(res).accountId })
      res.json({ appId, accountId, role, keys: keyChanges(deps, before) })
    })
    .delete(requireUser(deps), validateQuery(grantParameters), async (_req, res) => {
      const whose = queryOf(res) as Whose
      const before = keysStandingOn(deps, whose)
      const { appId, accountId } = await deps.bus.execute(endAppGrant, whose, { actor: userOf(res).accountId })
      res.json({ appId, accountId, keys: keyChanges(deps, before) })
    })
    .all(otherMethods)
}

interface Whose {
  readonly appId: string
  readonly accountId: string
}

function keysStandingOn(deps: GrantDeps, { appId, accountId }: Whose): WorkingKey[] {
  return workingKeysOn(deps, appId).filter(({ key }) => key.issuedBy === accountId)
}
