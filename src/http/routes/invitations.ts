// Invitations into an organisation: made, listed, taken back and accepted. The link is in the answer that makes it and nowhere
// else: the log and every list hold who it is for, and a hash that nobody can turn back.
import { type Request, Router } from 'express'
import { acceptInvitation, acceptInvitationBody } from '../../commands/acceptInvitation.ts'
import { createInvitationToken, hashInvitationToken } from '../../commands/invitationToken.ts'
import { inviteMember, inviteMemberBody, type InviteMember } from '../../commands/inviteMember.ts'
import { revokeInvitation, type RevokeInvitation } from '../../commands/revokeInvitation.ts'
import type { Page } from '../../queries/controlQueries.ts'
import { memberResult } from '../../queries/members.ts'
import { writeAnswer } from '../answers.ts'
import { organisationOf, userOf } from '../caller.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireUser } from '../middleware/requireUser.ts'
import { bodyOf, queryOf, validateBody, validateQuery } from '../middleware/validate.ts'
import { publicUrlOf } from '../publicUrl.ts'
import { objectOf, page, uuid } from '../questions.ts'

type InvitationDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens' | 'bus' | 'control' | 'clock'>

export const listInvitationsParameters = objectOf({ organisationId: uuid, ...page }, ['organisationId'])
export const inviteParameters = objectOf({ organisationId: uuid }, ['organisationId'])
export const invitationParameters = objectOf({ organisationId: uuid, invitationId: uuid }, ['organisationId', 'invitationId'])
export const invitedSchema = objectOf(
  {
    invitationId: { type: 'string' },
    link: { type: 'string', description: 'To send to whoever is invited; shown once' },
    expiresAt: { type: 'string', format: 'date-time' },
  },
  ['invitationId', 'link', 'expiresAt'],
)
export const joinedSchema = objectOf({ organisationId: { type: 'string' }, role: memberResult.properties.role }, ['organisationId', 'role'])

export function invitationRoutes(deps: InvitationDeps): Router {
  const router = Router()
  /**
   * @openapi
   * /organisations/{organisationId}/invitations:
   *   post:
   *     operationId: inviteMember
   *     tags: [Organisations]
   *     summary: Make a link that lets one person in
   *     description: Nobody gives away more than they have.
   *     x-access: { organisation: admin }
   *     x-query-schema: InviteParameters
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/InviteMemberBody' } } }
   *     responses:
   *       201:
   *         description: The link, shown once
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Invited' } } }
   *   get:
   *     operationId: listInvitations
   *     tags: [Organisations]
   *     summary: Who has been invited, and what came of it
   *     x-access: { organisation: admin }
   *     x-query-schema: ListInvitationsParameters
   *     responses:
   *       200:
   *         description: The invitations, newest first
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Invitations' } } }
   *       304: { description: As the ETag in If-None-Match says }
   */
  router
    .route('/organisations/:organisationId/invitations')
    .get(requireUser(deps), validateQuery(listInvitationsParameters), async (req, res) => {
      const { organisationId, ...asked } = queryOf(res) as { organisationId: string } & Page
      await organisationOf(userOf(res), deps.keyring, organisationId, 'admin')
      writeAnswer(req, res, await deps.control.invitations(organisationId, deps.clock.now(), { ...asked, atLeast: deps.keyring.state.position }))
    })
    .post(requireUser(deps), validateQuery(inviteParameters), validateBody(inviteMemberBody), async (req, res) => {
      const { token, tokenHash } = createInvitationToken()
      const { organisationId } = queryOf(res) as { organisationId: string }
      const input = { ...(bodyOf(res) as Omit<InviteMember, 'organisationId' | 'tokenHash'>), organisationId, tokenHash }
      const { invitationId, expiresAt } = await deps.bus.execute(inviteMember, input, { actor: userOf(res).accountId })
      res.status(201).set('Cache-Control', 'no-store').json({ invitationId, link: linkOf(deps, req, token), expiresAt: new Date(expiresAt).toISOString() })
    })
    .all(otherMethods)
  oneInvitation(router, deps)
  acceptance(router, deps)
  return router
}

function linkOf({ config }: InvitationDeps, req: Request, token: string): string {
  return `${publicUrlOf(config, req)}/invitations/${token}`
}

function oneInvitation(router: Router, deps: InvitationDeps): void {
  /**
   * @openapi
   * /organisations/{organisationId}/invitations/{invitationId}:
   *   delete:
   *     operationId: revokeInvitation
   *     tags: [Organisations]
   *     summary: Take a link back
   *     x-access: { organisation: admin }
   *     x-query-schema: InvitationParameters
   *     responses:
   *       204: { description: It lets nobody in any more }
   */
  router
    .route('/organisations/:organisationId/invitations/:invitationId')
    .delete(requireUser(deps), validateQuery(invitationParameters), async (_req, res) => {
      await deps.bus.execute(revokeInvitation, queryOf(res) as RevokeInvitation, { actor: userOf(res).accountId })
      res.status(204).end()
    })
    .all(otherMethods)
}

function acceptance(router: Router, deps: InvitationDeps): void {
  /**
   * @openapi
   * /invitations/accept:
   *   post:
   *     operationId: acceptInvitation
   *     tags: [Organisations]
   *     summary: Join one more organisation by a link
   *     description: Whoever has no account yet follows the link and signs in.
   *     x-access: user
   *     x-problem-pages: true
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/AcceptInvitationBody' } } }
   *     responses:
   *       200:
   *         description: You belong to it
   *         content: { application/json: { schema: { $ref: '#/components/schemas/Joined' } } }
   */
  router
    .route('/invitations/accept')
    .post(requireUser(deps), validateBody(acceptInvitationBody), async (_req, res) => {
      const { token } = bodyOf(res) as { token: string }
      const { organisationId, role } = await deps.bus.execute(acceptInvitation, { tokenHash: hashInvitationToken(token) }, { actor: userOf(res).accountId })
      res.json({ organisationId, role })
    })
    .all(otherMethods)
}
