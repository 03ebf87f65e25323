// Who belongs to an organisation, and as what. Whatever somebody loses they have lost with the answer: roles are looked up
// with every request; and the answer says which keys lose with them, so that it can be put right.
import { Router } from 'express'
import { adoptKeys, changeMemberRole, changeMemberRoleBody, type ChangeMemberRole } from '../../commands/changeMemberRole.ts'
import { removeMember } from '../../commands/removeMember.ts'
import type { Page } from '../../queries/controlQueries.ts'
import { memberResult } from '../../queries/members.ts'
import { writeAnswer } from '../answers.ts'
import { organisationOf, userOf } from '../caller.ts'
import type { HttpDeps } from '../deps.ts'
import { keyChanges, keyChangesSchema, type WorkingKey, workingKeysIn } from '../keyChanges.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUser } from '../middleware/requireUser.ts'
import { bodyOf, queryOf, validateBody, validateQuery } from '../middleware/validate.ts'
import { objectOf, page, uuid } from '../questions.ts'

type MemberDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'bus' | 'control' | 'clock'>

export const listMembersParameters = objectOf({ organisationId: uuid, ...page }, ['organisationId'])
export const memberParameters = objectOf({ organisationId: uuid, accountId: uuid }, ['organisationId', 'accountId'])
export const removeMemberParameters = objectOf({ organisationId: uuid, accountId: uuid, adoptKeys }, ['organisationId', 'accountId'])
export const changedMemberSchema = objectOf({ accountId: { type: 'string' }, role: memberResult.properties.role, keys: keyChangesSchema }, ['accountId', 'role', 'keys'])
export const removedMemberSchema = objectOf({ accountId: { type: 'string' }, keys: keyChangesSchema }, ['accountId', 'keys'])

export function memberRoutes(deps: MemberDeps): Router {
  const router = Router()
  /**
   * @openapi
   * /organisations/{organisationId}/members:
   *   get:
   *     operationId: listMembers
   *     tags: [Organisations]
   *     summary: Who belongs to an organisation, with the grants and the keys that hang on each
   *     x-access: { organisation: admin }
   *     x-query-schema: ListMembersParameters
   *     responses:
   *       200:
   *         description: The members, in the order in which they joined
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Members' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/organisations/:organisationId/members')
    .get(requireUser(deps), validateQuery(listMembersParameters), async (req, res) => {
      const { organisationId, ...asked } = queryOf(res) as { organisationId: string } & Page
      await organisationOf(userOf(res), deps.keyring, organisationId, 'admin')
      const keys = new Map<string, number>()
      for (const { key } of workingKeysIn(deps, organisationId)) keys.set(key.issuedBy, (keys.get(key.issuedBy) ?? 0) + 1)
      writeAnswer(req, res, await deps.control.members(organisationId, keys, { ...asked, atLeast: deps.keyring.state.position }))
    })
    .all(otherMethods)
  oneMember(router, deps)
  return router
}

function oneMember(router: Router, deps: MemberDeps): void {
  /**
   * @openapi
   * /organisations/{organisationId}/members/{accountId}:
   *   patch:
   *     operationId: changeMemberRole
   *     tags: [Organisations]
   *     summary: Change what a member is
   *     description: Nobody acts above their own role, and the last owner stays one.
   *     x-access: { organisation: admin }
   *     x-query-schema: MemberParameters
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/ChangeMemberRoleBody' } } }
   *     responses:
   *       200:
   *         description: What they are now, and what became of their keys
   *         content: { application/json: { schema: { $ref: '#/components/schemas/ChangedMember' } } }
   *   delete:
   *     operationId: removeMember
   *     tags: [Organisations]
   *     summary: Take somebody out of an organisation
   *     description: Everybody may take out themselves, whatever their role. The last owner stays.
   *     x-access: { organisation: admin }
   *     x-query-schema: RemoveMemberParameters
   *     responses:
   *       200:
   *         description: They are out; what became of their keys
   *         content: { application/json: { schema: { $ref: '#/components/schemas/RemovedMember' } } }
   */
  router
    .route('/organisations/:organisationId/members/:accountId')
    .patch(requireUser(deps), validateQuery(memberParameters), validateBody(changeMemberRoleBody), async (_req, res) => {
      const whose = queryOf(res) as Whose
      const before = keysStandingOn(deps, whose)
      const input = { ...(bodyOf(res) as Omit<ChangeMemberRole, keyof Whose>), ...whose }
      const { accountId, role } = await deps.bus.execute(changeMemberRole, input, { actor: userOf(res).accountId })
      res.json({ accountId, role, keys: keyChanges(deps, before) })
    })
    .delete(requireUser(deps), validateQuery(removeMemberParameters), async (_req, res) => {
      const input = queryOf(res) as Whose & { adoptKeys?: boolean }
      const before = keysStandingOn(deps, input)
      const { accountId } = await deps.bus.execute(removeMember, input, { actor: userOf(res).accountId })
      res.json({ accountId, keys: keyChanges(deps, before) })
    })
    .all(otherMethods)
}

interface Whose {
  readonly organisationId: string
  readonly accountId: string
}

function keysStandingOn(deps: MemberDeps, { organisationId, accountId }: Whose): WorkingKey[] {
  return workingKeysIn(deps, organisationId).filter(({ key }) => key.issuedBy === accountId)
}
