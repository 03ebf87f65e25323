// Apps: what is counted together. Changes are commands; what a list shows comes from the read model, and it shows what its
// reader has just done.
import { Router } from 'express'
import { deleteApp } from '../../commands/deleteApp.ts'
import { registerApp, type RegisterApp } from '../../commands/registerApp.ts'
import { transferApp, transferAppBody, type TransferApp } from '../../commands/transferApp.ts'
import { updateApp, updateAppBody, type UpdateApp } from '../../commands/updateApp.ts'
import { appsSeenBy, roleOnApp } from '../../commands/roles.ts'
import type { Page } from '../../queries/controlQueries.ts'
import type { Answer } from '../../queries/query.ts'
import { writeAnswer } from '../answers.ts'
import { appOf, type UserCaller, userOf } from '../caller.ts'
import type { HttpDeps } from '../deps.ts'
import { keyChanges, keyChangesSchema, workingKeysOn } from '../keyChanges.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUser } from '../middleware/requireUser.ts'
import { bodyOf, queryOf, validateBody, validateQuery } from '../middleware/validate.ts'
import { objectOf, page, uuid } from '../questions.ts'

type AppDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'bus' | 'relay' | 'control' | 'clock'>

export const listAppsParameters = objectOf(page)
export const appIdParameters = objectOf({ appId: uuid }, ['appId'])
export const appIdAnswer = objectOf({ appId: { type: 'string' } }, ['appId'])
export const transferredSchema = objectOf({ appId: { type: 'string' }, organisationId: { type: 'string' }, keys: keyChangesSchema }, ['appId', 'organisationId', 'keys'])

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
      const roles = new Map(mine.map((app) => [app.appId, roleOnApp(deps.keyring.state, app, accountId)!]))
      writeAnswer(req, res, await deps.control.apps(roles, { ...(queryOf(res) as Page), atLeast }))
    })
    .all(otherMethods)
  oneApp(router, deps)
  transfers(router, deps)
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
      writeAnswer(req, res, await shown(deps, userOf(res), (queryOf(res) as { appId: string }).appId))
    })
    .patch(user, validateQuery(appIdParameters), validateBody(updateAppBody), async (_req, res) => {
      const input = { ...(bodyOf(res) as Omit<UpdateApp, 'appId'>), appId: (queryOf(res) as { appId: string }).appId }
      const { appId } = await deps.bus.execute(updateApp, input, { actor: userOf(res).accountId })
      await deps.relay.apply(appId)
      res.json((await shown(deps, userOf(res), appId)).body)
    })
    .delete(user, validateQuery(appIdParameters), async (_req, res) => {
      const { appId } = queryOf(res) as { appId: string }
      await deps.bus.execute(deleteApp, { appId }, { actor: userOf(res).accountId })
      await deps.relay.apply(appId)
      res.status(204).end()
    })
    .all(otherMethods)
}

async function shown({ keyring, control }: AppDeps, user: UserCaller, appId: string): Promise<Answer> {
  const app = await appOf(user, keyring, appId, 'viewer')
  return control.app(appId, roleOnApp(keyring.state, app, user.accountId)!, { atLeast: app.position })
}

function transfers(router: Router, deps: AppDeps): void {
  /**
   * @openapi
   * /apps/{appId}/transfer:
   *   post:
   *     operationId: transferApp
   *     tags: [Apps]
   *     summary: Hand an app to another organisation
   *     description: |
   *       Grants on it end, and who belongs to its former organisation alone sees it no more. Its keys live on as yours.
   *     x-access: { app: owner }
   *     x-query-schema: AppIdParameters
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/TransferAppBody' } } }
   *     responses:
   *       200:
   *         description: Whose it is now, and what became of its keys
   *         content: { application/json: { schema: { $ref: '#/components/schemas/TransferredApp' } } }
   */
  router
    .route('/apps/:appId/transfer')
    .post(requireUser(deps), validateQuery(appIdParameters), validateBody(transferAppBody), async (_req, res) => {
      const { appId } = queryOf(res) as { appId: string }
      const before = workingKeysOn(deps, appId)
      const input = { ...(bodyOf(res) as Omit<TransferApp, 'appId'>), appId }
      const { organisationId } = await deps.bus.execute(transferApp, input, { actor: userOf(res).accountId })
      res.json({ appId, organisationId, keys: keyChanges(deps, before) })
    })
    .all(otherMethods)
}
