// Definitions: dimensions, goals and reports, made and changed by people and filled from the app's first event on. Changes
// are commands of the app's own partition; what is shown comes from the log, with how far the tables are filled.
import { type RequestHandler, Router } from 'express'
import type { AppCommand } from '../../commands/appCommand.ts'
import { defineDimension } from '../../commands/defineDimension.ts'
import { defineGoal } from '../../commands/defineGoal.ts'
import { defineReport } from '../../commands/defineReport.ts'
import type { DefinitionAnswer } from '../../commands/definitionCommand.ts'
import { retireDefinition } from '../../commands/retireDefinition.ts'
import { reviseDefinition, reviseDefinitionBody } from '../../commands/reviseDefinition.ts'
import { writeAnswer } from '../answers.ts'
import { appOf, userOf } from '../caller.ts'
import type { Role } from '../../events/organisations.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUser } from '../middleware/requireUser.ts'
import { bodyOf, queryOf, type Schema, validateBody, validateQuery } from '../middleware/validate.ts'
import { objectOf, uuid } from '../questions.ts'
import { DEFINITION_VIEW, REVISION_VIEW } from '../../queries/definitionSchemas.ts'

type DefinitionDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'appBus' | 'definitions' | 'definitionNumbers'>

const APP_EXAMPLE = '5f0c2a52-0d7e-5b1c-9c7e-2f6a3b1d4e5f'

export const definitionsParameters = objectOf({ appId: uuid }, ['appId'])
export const definitionParameters = objectOf({ appId: uuid, definitionId: uuid }, ['appId', 'definitionId'])
export const defineDimensionBody = bodyFor(defineDimension.schema, 'DefineDimensionBody')
export const defineGoalBody = bodyFor(defineGoal.schema, 'DefineGoalBody')
export const defineReportBody = bodyFor(defineReport.schema, 'DefineReportBody')
export const definedAnswer = objectOf(
  {
    definitionId: { type: 'string' },
    kind: { type: 'string', enum: ['dimension', 'goal', 'report'] },
    revision: { type: 'integer', minimum: 1 },
    status: { type: 'string', enum: ['filling', 'ready'], description: 'Until it is `ready`, the revision before serves' },
  },
  ['definitionId', 'kind', 'revision', 'status'],
)
export const definitionsResult = objectOf({ definitions: { type: 'array', items: DEFINITION_VIEW } }, ['definitions'])
export const definitionResult = objectOf({ definition: DEFINITION_VIEW, history: { type: 'array', items: REVISION_VIEW } }, ['definition', 'history'])

export function definitionRoutes(deps: DefinitionDeps): Router {
  const router = Router()
  defining(router, deps)
  listing(router, deps)
  oneDefinition(router, deps)
  return router
}

function defining(router: Router, deps: DefinitionDeps): void {
  const user = requireUser(deps)
  /**
   * @openapi
   * /definitions/dimensions:
   *   post:
   *     operationId: defineDimension
   *     tags: [Definitions]
   *     summary: Make a metadata key a dimension of the read tables
   *     description: It is filled from the app's first event on; until then `metadata.<key>` is answered from the log.
   *     x-access: { app: analyst }
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/DefineDimensionBody' } } }
   *     responses:
   *       201:
   *         description: Defined; it is being filled
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Defined' } } }
   */
  router.route('/definitions/dimensions').post(user, validateBody(defineDimensionBody), defines(deps, defineDimension)).all(otherMethods)
  /**
   * @openapi
   * /definitions/goals:
   *   post:
   *     operationId: defineGoal
   *     tags: [Definitions]
   *     summary: Define a goal, for all of history
   *     x-access: { app: analyst }
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/DefineGoalBody' } } }
   *     responses:
   *       201:
   *         description: Defined; it is being filled
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Defined' } } }
   */
  router.route('/definitions/goals').post(user, validateBody(defineGoalBody), defines(deps, defineGoal)).all(otherMethods)
  /**
   * @openapi
   * /definitions/reports:
   *   post:
   *     operationId: defineReport
   *     tags: [Definitions]
   *     summary: Define a report, for all of history
   *     x-access: { app: analyst }
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/DefineReportBody' } } }
   *     responses:
   *       201:
   *         description: Defined; it is being filled
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Defined' } } }
   */
  router.route('/definitions/reports').post(user, validateBody(defineReportBody), defines(deps, defineReport)).all(otherMethods)
}

function listing(router: Router, deps: DefinitionDeps): void {
  /**
   * @openapi
   * /definitions:
   *   get:
   *     operationId: listDefinitions
   *     tags: [Definitions]
   *     summary: What is in force, and how far it is filled
   *     x-access: { app: viewer }
   *     x-query-schema: DefinitionsParameters
   *     responses:
   *       200:
   *         description: The definitions in force
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Definitions' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/definitions')
    .get(requireUser(deps), validateQuery(definitionsParameters), async (req, res) => {
      const app = await appOf(userOf(res), deps.keyring, (queryOf(res) as { appId: string }).appId, 'viewer')
      writeAnswer(req, res, await deps.definitions.list(app.appId))
    })
    .all(otherMethods)
}

function oneDefinition(router: Router, deps: DefinitionDeps): void {
  const user = requireUser(deps)
  /**
   * @openapi
   * /definitions/{definitionId}:
   *   get:
   *     operationId: getDefinition
   *     tags: [Definitions]
   *     summary: One definition with its history and the numbers of each revision
   *     description: Numbers are over all of history, counted from the log; they are left out where the log is longer than such an answer reads.
   *     x-access: { app: viewer }
   *     x-query-schema: DefinitionParameters
   *     responses:
   *       200:
   *         description: The definition
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Definition' } } }
   *   patch:
   *     operationId: reviseDefinition
   *     tags: [Definitions]
   *     summary: Revise a goal or a report, for all of history
   *     description: The revision before serves until the new one is filled.
   *     x-access: { app: analyst }
   *     x-query-schema: DefinitionParameters
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/ReviseDefinitionBody' } } }
   *     responses:
   *       200:
   *         description: Revised; it is being filled
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Defined' } } }
   *   delete:
   *     operationId: retireDefinition
   *     tags: [Definitions]
   *     summary: Retire a definition; its history stays
   *     x-access: { app: analyst }
   *     x-query-schema: DefinitionParameters
   *     responses:
   *       204: { description: No longer in force }
   */
  router
    .route('/definitions/:definitionId')
    .get(user, validateQuery(definitionParameters), async (_req, res) => {
      const { appId, definitionId } = await namedIn(deps, res, 'viewer')
      const { definition, history } = await deps.definitions.one(appId, definitionId)
      const numbers = await deps.definitionNumbers(appId, definition.kind, definitionId, history)
      res.json({ definition, history: history.map((entry, index) => ({ ...entry, numbers: numbers[index] ?? null })) })
    })
    .patch(user, validateQuery(definitionParameters), validateBody(reviseDefinitionBody), async (_req, res) => {
      const { appId, definitionId } = await namedIn(deps, res, 'analyst')
      const { expectedRevision, ...changes } = bodyOf(res) as { expectedRevision?: number }
      const input = { definitionId, changes, ...(expectedRevision === undefined ? {} : { expectedRevision }) }
      const { kind, revision } = await deps.appBus.execute(reviseDefinition, appId, input, { actor: userOf(res).accountId })
      const { definition } = await deps.definitions.one(appId, definitionId)
      res.json({ definitionId, kind, revision, status: definition.servedRevision === revision ? 'ready' : 'filling' })
    })
    .delete(user, validateQuery(definitionParameters), async (_req, res) => {
      const { appId, definitionId } = await namedIn(deps, res, 'analyst')
      await deps.appBus.execute(retireDefinition, appId, { definitionId }, { actor: userOf(res).accountId })
      res.status(204).end()
    })
    .all(otherMethods)
}

async function namedIn(deps: DefinitionDeps, res: Parameters<RequestHandler>[1], least: Role): Promise<{ appId: string; definitionId: string }> {
  const { appId, definitionId } = queryOf(res) as { appId: string; definitionId: string }
  return { appId: (await appOf(userOf(res), deps.keyring, appId, least)).appId, definitionId }
}

function defines<Spec, State>(deps: DefinitionDeps, command: AppCommand<Spec, State, DefinitionAnswer>): RequestHandler {
  return async (_req, res) => {
    const { appId, ...spec } = bodyOf(res) as { appId: string } & Spec
    const user = userOf(res)
    const app = await appOf(user, deps.keyring, appId, 'analyst')
    const { definitionId, kind, revision } = await deps.appBus.execute(command, app.appId, spec as Spec, { actor: user.accountId })
    res.status(201).location(`/definitions/${definitionId}?appId=${app.appId}`).json({ definitionId, kind, revision, status: 'filling' })
  }
}

/** What a client sends: the app, and what the command takes. */
function bodyFor(command: Schema, title: string): Schema {
  const { properties, required, examples, ...rest } = command as { properties: Schema; required: readonly string[]; examples: readonly object[] }
  return { ...rest, title, properties: { appId: uuid, ...properties }, required: ['appId', ...required], examples: examples.map((example) => ({ appId: APP_EXAMPLE, ...example })) }
}
