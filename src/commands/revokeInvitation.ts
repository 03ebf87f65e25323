// Takes an invitation's link back. Taking it back again changes nothing and answers the same; once somebody has used it there
// is nothing to take back, and they are removed instead.
import { Problem } from '../errors.ts'
import { invitationRevoked, type InvitationRevoked } from '../events/invitationRevoked.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import { NIL_UUID } from '../kernel/ids.ts'
import type { Command } from './commandBus.ts'
import { actingAccount, organisationFor, refuseRoleAbove } from './roles.ts'

export interface RevokeInvitation {
  organisationId: string
  invitationId: string
}

export const revokeInvitation: Command<RevokeInvitation, { invitationId: string }> = {
  name: 'RevokeInvitation',
  schema: {
    ...objectSchema({ organisationId: uuid, invitationId: uuid }, ['organisationId', 'invitationId']),
    ...{ title: 'RevokeInvitation', description: 'The invitation whose link stops working.' },
  },
  withdraws: true,
  decide(state, { organisationId, invitationId }, context) {
    const { member } = organisationFor(state, organisationId, actingAccount(state, context), 'admin')
    const invitation = state.invitation(invitationId)
    if (invitation?.organisationId !== organisationId) throw new Problem('not_found', 'There is no such invitation')
    refuseRoleAbove(member.role, invitation.role)
    if (invitation.state === 'accepted') throw new Problem('invitation_ended', 'Somebody has used the invitation: remove them instead')
    const data: InvitationRevoked = { invitationId, organisationId }
    const events = invitation.state === 'revoked' ? [] : [{ type: invitationRevoked, stream: `organisation:${organisationId}`, appId: NIL_UUID, data }]
    return { events, result: { invitationId } }
  },
}
