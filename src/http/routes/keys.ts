// Keys of an app: issue, list, rotate, revoke. The secrets are in the answer that makes them and nowhere else: the log and
// every list hold a hash and a hint.
import { Router } from 'express'
import type { KeySecret } from '../../commands/commandBus.ts'
import { issueApiKey, type IssueApiKey } from '../../commands/issueApiKey.ts'
import { revokeApiKey, type RevokeApiKey } from '../../commands/revokeApiKey.ts'
import { rotateApiKey, type RotateApiKey } from '../../commands/rotateApiKey.ts'
import { createWriteKey } from '../../commands/writeKey.ts'
import { Problem } from '../../errors.ts'
import type { Page } from '../../queries/controlQueries.ts'
import { writeAnswer } from '../answers.ts'
import { appOf, userOf } from '../caller.ts'
import type { HttpDeps } from '../deps.ts'
import { presentScopesOf } from '../keyChanges.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUser } from '../middleware/requireUser.ts'
import { bodyOf, queryOf, validateBody, validateQuery } from '../middleware/validate.ts'
import { objectOf, page, uuid } from '../questions.ts'

type KeyDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'bus' | 'control' | 'clock'>

export const issuedKeySchema = objectOf(
  {
    keyId: { type: 'string' },
    token: { type: 'string', description: 'The analytics token, for servers; shown once' },
    writeKey: { type: 'string', description: 'The public write key, for browsers; shown once' },
    endsAt: { type: 'string', format: 'date-time', description: 'When the key it replaces stops working' },
  },
  ['keyId', 'token', 'writeKey'],
)
export const revokedKeySchema = objectOf({ keyId: { type: 'string' }, revoked: { const: true } }, ['keyId', 'revoked'])

export const listKeysParameters = objectOf({ appId: uuid, ...page }, ['appId'])

export function keyRoutes(deps: KeyDeps): Router {
  const router = Router()
  /**
   * @openapi
   * /auth/api-key:
   *   post:
   *     operationId: issueApiKey
   *     tags: [Keys]
   *     summary: Issue a key
   *     x-access: { app: analyst }
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/IssueApiKey' } } }
   *     responses:
   *       201:
   *         description: The key, shown once
   *         content: { application/json: { schema: { $ref: '#/components/schemas/IssuedKey' } } }
   *   get:
   *     operationId: listApiKeys
   *     tags: [Keys]
   *     summary: The keys of an app, masked
   *     x-access: { app: analyst }
   *     x-query-schema: ListKeysParameters
   *     responses:
   *       200:
   *         description: The keys
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Keys' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/auth/api-key')
    .get(requireUser(deps), validateQuery(listKeysParameters), async (req, res) => {
      const { appId, ...asked } = queryOf(res) as { appId: string } & Page
      const app = await appOf(userOf(res), deps.keyring, appId, 'analyst')
      writeAnswer(req, res, await deps.control.keys(app.appId, presentScopesOf(deps, app.appId), { ...asked, atLeast: deps.keyring.state.position }))
    })
    .post(requireUser(deps), validateBody(issueApiKey.schema), async (_req, res) => {
      const secret = createWriteKey()
      const input = bodyOf(res) as IssueApiKey
      const { keyId } = await deps.bus.execute(issueApiKey, input, { actor: userOf(res).accountId, secret: logged(secret) })
      res.status(201).set('Cache-Control', 'no-store').json({ keyId, token: tokenOf(deps, keyId), writeKey: secret.writeKey })
    })
    .all(otherMethods)
  rotations(router, deps)
  return router
}

function rotations(router: Router, deps: KeyDeps): void {
  /**
   * @openapi
   * /auth/regenerate:
   *   post:
   *     operationId: rotateApiKey
   *     tags: [Keys]
   *     summary: Replace a key by a new one; the old one works on for an overlap
   *     x-access: { app: analyst }
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/RotateApiKey' } } }
   *     responses:
   *       201:
   *         description: The new key, shown once
   *         content: { application/json: { schema: { $ref: '#/components/schemas/IssuedKey' } } }
   */
  router
    .route('/auth/regenerate')
    .post(requireUser(deps), validateBody(rotateApiKey.schema), async (_req, res) => {
      const secret = createWriteKey()
      const input = bodyOf(res) as RotateApiKey
      const { keyId, endsAt } = await deps.bus.execute(rotateApiKey, input, { actor: userOf(res).accountId, secret: logged(secret) })
      res.status(201).set('Cache-Control', 'no-store').json({ keyId, token: tokenOf(deps, keyId), writeKey: secret.writeKey, endsAt: new Date(endsAt).toISOString() })
    })
    .all(otherMethods)
  /**
   * @openapi
   * /auth/revoke:
   *   post:
   *     operationId: revokeApiKey
   *     tags: [Keys]
   *     summary: End a key; within a second no process accepts it
   *     x-access: { app: analyst }
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/RevokeApiKey' } } }
   *     responses:
   *       200:
   *         description: It is dead
   *         content: { application/json: { schema: { $ref: '#/components/schemas/RevokedKey' } } }
   */
  router
    .route('/auth/revoke')
    .post(requireUser(deps), validateBody(revokeApiKey.schema), async (_req, res) => {
      const { keyId } = await deps.bus.execute(revokeApiKey, bodyOf(res) as RevokeApiKey, { actor: userOf(res).accountId })
      res.json({ keyId, revoked: true })
    })
    .all(otherMethods)
}

function logged({ writeKeyHash, writeKeyHint }: KeySecret): KeySecret {
  return { writeKeyHash, writeKeyHint }
}

function tokenOf({ keyring, tokens }: KeyDeps, keyId: string): string {
  const key = keyring.state.key(keyId)
  // The bus answers only after this process has folded the key.
  if (key === undefined) throw new Problem('internal')
  return tokens.issueAnalytics({ keyId, appId: key.appId, expiresAt: key.expiresAt })
}
