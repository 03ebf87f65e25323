// Apps: what is counted together. Changes are commands; what a list shows comes from the read model, and it shows what its
// reader has just done.
import { Router } from 'express'
import { deleteApp } from '../../commands/deleteApp.ts'
import { registerApp, type RegisterApp } from '../../commands/registerApp.ts'
import { updateApp, updateAppBody, type UpdateApp } from '../../commands/updateApp.ts'
import { appsSeenBy } from '../../commands/roles.ts'
import type { Page } from '../../queries/controlQueries.ts'
import { writeAnswer } from '../answers.ts'
import { appOf, userOf } from '../caller.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUser } from '../middleware/requireUser.ts'
import { bodyOf, queryOf, validateBody, validateQuery } from '../middleware/validate.ts'
import { objectOf, page, uuid } from '../questions.ts'

type AppDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'bus' | 'relay' | 'control'>

export const listAppsParameters = objectOf(page)
export const appIdParameters = objectOf({ appId: uuid }, ['appId'])
export const appIdAnswer = objectOf({ appId: { type: 'string' } }, ['appId'])

export function appRoutes(deps: AppDeps): Router {
  const router = Router()
  const user = requireUser(deps)
  /**
   * @openapi
   * /auth/register:
   *   post:
   *     operationId: registerApp
   *     tags: [Apps]
   *     summary: Register an app
   *     x-access: { organisation: admin }
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/RegisterApp' } } }
   *     responses:
   *       201:
   *         description: The app exists
   *         content: { application/json: { schema: { $ref: '#/components/schemas/AppId' } } }
   */
  router
    .route('/auth/register')
    .post(user, validateBody(registerApp.schema), async (_req, res) => {
      const { appId } = await deps.bus.execute(registerApp, bodyOf(res) as RegisterApp, { actor: userOf(res).accountId })
      await deps.relay.apply(appId)
      res.status(201).location(`/apps/${appId}`).json({ appId })
    })
    .all(otherMethods)
  /**
   * @openapi
   * /apps:
   *   get:
   *     operationId: listApps
   *     tags: [Apps]
   *     summary: Your apps
   *     x-access: user
   *     x-query-schema: ListAppsParameters
   *     responses:
   *       200:
   *         description: The apps
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Apps' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/apps')
    .get(user, validateQuery(listAppsParameters), async (req, res) => {
      const { accountId } = userOf(res)
      // What its reader has just done must be in the list.
      const mine = [...appsSeenBy(deps.keyring.state, accountId)]
      const atLeast = Math.max(0, ...mine.map(({ position }) => position))
      writeAnswer(req, res, await deps.control.apps(mine.map(({ appId }) => appId), { ...(queryOf(res) as Page), atLeast }))
    })
    .all(otherMethods)
  oneApp(router, deps)
  return router
}

function oneApp(router: Router, deps: AppDeps): void {
  const user = requireUser(deps)
  /**
   * @openapi
   * /apps/{appId}:
   *   get:
   *     operationId: getApp
   *     tags: [Apps]
   *     summary: One app with its settings
   *     x-access: { app: viewer }
   *     x-query-schema: AppIdParameters
   *     responses:
   *       200:
   *         description: The app
   *         content: { application/json: { schema: { $ref: '#/components/schemas/App' } } }
   *       304: { description: As the ETag in If-None-Match says }
   *   patch:
   *     operationId: updateApp
   *     tags: [Apps]
   *     summary: Change name, address or settings
   *     description: A new time zone re-cuts all of history; until that has happened, answers name the old one.
   *     x-access: { app: admin }
   *     x-query-schema: AppIdParameters
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/UpdateAppBody' } } }
   *     responses:
   *       200:
   *         description: The app as it is now
   *         content: { application/json: { schema: { $ref: '#/components/schemas/App' } } }
   *   delete:
   *     operationId: deleteApp
   *     tags: [Apps]
   *     summary: Delete an app; its keys stop working at once
   *     x-access: { app: owner }
   *     x-query-schema: AppIdParameters
   *     responses:
   *       204: { description: Gone }
   */
  router
    .route('/apps/:appId')
    .get(user, validateQuery(appIdParameters), async (req, res) => {
      const app = await appOf(userOf(res), deps.keyring, (queryOf(res) as { appId: string }).appId, 'viewer')
      writeAnswer(req, res, await deps.control.app(app.appId, { atLeast: app.position }))
    })
    .patch(user, validateQuery(appIdParameters), validateBody(updateAppBody), async (_req, res) => {
      const { accountId } = userOf(res)
      const input = { ...(bodyOf(res) as Omit<UpdateApp, 'appId'>), appId: (queryOf(res) as { appId: string }).appId }
      const { appId } = await deps.bus.execute(updateApp, input, { actor: accountId })
      await deps.relay.apply(appId)
      const atLeast = deps.keyring.state.app(appId)?.position ?? 0
      res.json((await deps.control.app(appId, { atLeast })).body)
    })
    .delete(user, validateQuery(appIdParameters), async (_req, res) => {
      const { appId } = queryOf(res) as { appId: string }
      await deps.bus.execute(deleteApp, { appId }, { actor: userOf(res).accountId })
      await deps.relay.apply(appId)
      res.status(204).end()
    })
    .all(otherMethods)
}
