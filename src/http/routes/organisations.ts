// Organisations: who owns apps together. One sees those one belongs to; of others not even that they are there.
import { Router } from 'express'
import { createOrganisation, type CreateOrganisation } from '../../commands/createOrganisation.ts'
import { updateOrganisation, updateOrganisationBody, type UpdateOrganisation } from '../../commands/updateOrganisation.ts'
import type { Page } from '../../queries/controlQueries.ts'
import type { Answer } from '../../queries/query.ts'
import { writeAnswer } from '../answers.ts'
import { organisationOf, type UserCaller, userOf } from '../caller.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireOperator, requireUser } from '../middleware/requireUser.ts'
import { bodyOf, queryOf, validateBody, validateQuery } from '../middleware/validate.ts'
import { objectOf, page, uuid } from '../questions.ts'

type OrganisationDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'bus' | 'control'>

export const listOrganisationsParameters = objectOf(page)
export const organisationIdParameters = objectOf({ organisationId: uuid }, ['organisationId'])
export const organisationIdAnswer = objectOf({ organisationId: { type: 'string' } }, ['organisationId'])

export function organisationRoutes(deps: OrganisationDeps): Router {
  const router = Router()
  /**
   * @openapi
   * /organisations:
   *   get:
   *     operationId: listOrganisations
   *     tags: [Organisations]
   *     summary: The organisations you belong to
   *     x-access: user
   *     x-query-schema: ListOrganisationsParameters
   *     responses:
   *       200:
   *         description: The organisations
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Organisations' } } }
   *       304: { description: As the ETag in If-None-Match says }
   *   post:
   *     operationId: createOrganisation
   *     tags: [Organisations]
   *     summary: Begin an organisation
   *     description: You own it until you have invited another owner and left.
   *     x-access: operator
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/CreateOrganisation' } } }
   *     responses:
   *       201:
   *         description: It exists
   *         content: { application/json: { schema: { $ref: '#/components/schemas/OrganisationId' } } }
   */
  router
    .route('/organisations')
    .get(requireUser(deps), validateQuery(listOrganisationsParameters), async (req, res) => {
      const { state } = deps.keyring
      const roles = new Map([...state.membershipsOf(userOf(res).accountId)].map(({ organisationId, role }) => [organisationId, role]))
      writeAnswer(req, res, await deps.control.organisations(roles, { ...(queryOf(res) as Page), atLeast: state.position }))
    })
    .post(requireOperator(deps), validateBody(createOrganisation.schema), async (_req, res) => {
      const { organisationId } = await deps.bus.execute(createOrganisation, bodyOf(res) as CreateOrganisation, { actor: userOf(res).accountId })
      res.status(201).location(`/organisations/${organisationId}`).json({ organisationId })
    })
    .all(otherMethods)
  oneOrganisation(router, deps)
  return router
}

function oneOrganisation(router: Router, deps: OrganisationDeps): void {
  const user = requireUser(deps)
  /**
   * @openapi
   * /organisations/{organisationId}:
   *   get:
   *     operationId: getOrganisation
   *     tags: [Organisations]
   *     summary: One organisation, with your role in it
   *     x-access: { organisation: guest }
   *     x-query-schema: OrganisationIdParameters
   *     responses:
   *       200:
   *         description: The organisation
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Organisation' } } }
   *       304: { description: As the ETag in If-None-Match says }
   *   patch:
   *     operationId: updateOrganisation
   *     tags: [Organisations]
   *     summary: Change the name, or whose domains may come in without an invitation
   *     x-access: { organisation: owner }
   *     x-query-schema: OrganisationIdParameters
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/UpdateOrganisationBody' } } }
   *     responses:
   *       200:
   *         description: The organisation as it is now
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Organisation' } } }
   */
  router
    .route('/organisations/:organisationId')
    .get(user, validateQuery(organisationIdParameters), async (req, res) => {
      writeAnswer(req, res, await shown(deps, userOf(res), (queryOf(res) as { organisationId: string }).organisationId))
    })
    .patch(user, validateQuery(organisationIdParameters), validateBody(updateOrganisationBody), async (_req, res) => {
      const { organisationId } = queryOf(res) as { organisationId: string }
      const input = { ...(bodyOf(res) as Omit<UpdateOrganisation, 'organisationId'>), organisationId }
      await deps.bus.execute(updateOrganisation, input, { actor: userOf(res).accountId })
      res.json((await shown(deps, userOf(res), organisationId)).body)
    })
    .all(otherMethods)
}

async function shown({ keyring, control }: OrganisationDeps, user: UserCaller, organisationId: string): Promise<Answer> {
  const { role } = await organisationOf(user, keyring, organisationId, 'guest')
  return control.organisation(organisationId, role, { atLeast: keyring.state.position })
}
