// Somebody who is signed in joins one more organisation by a link.
import { Problem } from '../errors.ts'
import type { MemberRole } from '../events/organisations.ts'
import { objectSchema } from '../events/schemas.ts'
import type { Command } from './commandBus.ts'
import { INVITATION_TOKEN } from './invitationToken.ts'
import { invitationFor, joinedByInvitation } from './joining.ts'
import { actingAccount } from './roles.ts'

export interface AcceptInvitation {
  tokenHash: string
}

/** What a client sends: the token itself, of which the log knows only the hash. */
export const acceptInvitationBody = {
  ...objectSchema({ token: { type: 'string', pattern: INVITATION_TOKEN, description: 'The end of the link.', 'x-words': 'ri_ and 32 letters or digits' } }, ['token']),
  ...{ title: 'AcceptInvitationBody', description: 'The invitation to accept.', examples: [{ token: 'ri_0123456789ABCDEFGHIJKLMNOPQRSTUV' }] },
}

export const acceptInvitation: Command<AcceptInvitation, { organisationId: string; role: MemberRole }> = {
  name: 'AcceptInvitation',
  schema: {
    ...objectSchema({ tokenHash: { type: 'string', pattern: '^[0-9a-f]{64}$' } }, ['tokenHash']),
    ...{ title: 'AcceptInvitation', description: 'The invitation to accept.' },
  },
  decide(state, { tokenHash }, context) {
    const accountId = actingAccount(state, context)
    const known = state.invitationByHash(tokenHash)
    if (known !== undefined && state.member(known.organisationId, accountId) !== undefined) throw new Problem('already_member')
    const invitation = invitationFor(state, tokenHash, state.account(accountId)?.email, context.now)
    const { organisationId, role } = invitation
    return {
      events: joinedByInvitation(state, invitation, accountId),
      result: { organisationId, role },
      guards: [`account:${accountId}`],
    }
  },
}
