// Takes somebody out of an organisation: by whoever is not below them, or by themselves. The last owner stays.
import { Problem } from '../errors.ts'
import { memberRemoved, type MemberRemoved } from '../events/memberRemoved.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import { NIL_UUID } from '../kernel/ids.ts'
import { adoptKeys } from './changeMemberRole.ts'
import type { Command } from './commandBus.ts'
import { adoptedInOrganisation, invitationsBeyond, refuseLastOwner } from './leaving.ts'
import { actingAccount, memberOf, organisationFor, refuseRoleAbove } from './roles.ts'

export interface RemoveMember {
  organisationId: string
  accountId: string
  adoptKeys?: boolean
}

export const removeMember: Command<RemoveMember, { accountId: string }> = {
  name: 'RemoveMember',
  schema: {
    ...objectSchema({ organisationId: uuid, accountId: uuid, adoptKeys }, ['organisationId', 'accountId']),
    ...{ title: 'RemoveMember', description: 'Who leaves the organisation.' },
  },
  withdraws: true,
  decide(state, input, context) {
    const { organisationId, accountId } = input
    const actor = actingAccount(state, context)
    const leaves = actor === accountId
    const { member: own } = organisationFor(state, organisationId, actor, leaves ? 'guest' : 'admin')
    const member = memberOf(state, organisationId, accountId)
    refuseRoleAbove(own.role, member.role)
    if (input.adoptKeys === true && leaves) {
      throw new Problem('invalid_body', undefined, { errors: [{ path: '/adoptKeys', detail: 'must be somebody else\'s: whoever leaves keeps no keys' }] })
    }
    refuseLastOwner(state, member)
    const data: MemberRemoved = { organisationId, accountId }
    return {
      events: [
        { type: memberRemoved, stream: `organisation:${organisationId}`, appId: NIL_UUID, data },
        ...invitationsBeyond(state, organisationId, accountId, undefined),
        ...(input.adoptKeys === true ? adoptedInOrganisation(state, organisationId, accountId, actor, context.now) : []),
      ],
      result: { accountId },
    }
  },
}
