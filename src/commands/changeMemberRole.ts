// Lets a member do more, or less. Nobody acts above their own role, and the last owner stays one.
import { Problem } from '../errors.ts'
import { memberRoleChanged, type MemberRoleChanged } from '../events/memberRoleChanged.ts'
import { memberRole, type MemberRole } from '../events/organisations.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import { NIL_UUID } from '../kernel/ids.ts'
import type { Command } from './commandBus.ts'
import { adoptedInOrganisation, invitationsBeyond, refuseLastOwner } from './leaving.ts'
import { actingAccount, memberOf, organisationFor, refuseRoleAbove } from './roles.ts'

export interface ChangeMemberRole {
  organisationId: string
  accountId: string
  role: MemberRole
  adoptKeys?: boolean
}

/** What becomes of the keys of somebody who can do less than before. */
export const adoptKeys = {
  type: 'boolean',
  description: 'Take over the keys that they issued, so that those go on working; otherwise a key does no more than their new role.',
} as const

const properties = { role: { ...memberRole, description: 'What they are from now on.' }, adoptKeys } as const

/** What a client sends; organisation and member are named by the route. */
export const changeMemberRoleBody = {
  ...objectSchema(properties, ['role']),
  ...{ title: 'ChangeMemberRoleBody', description: 'A member\'s new role.', examples: [{ role: 'viewer', adoptKeys: true }] },
}

export const changeMemberRole: Command<ChangeMemberRole, { accountId: string; role: MemberRole }> = {
  name: 'ChangeMemberRole',
  schema: {
    ...objectSchema({ organisationId: uuid, accountId: uuid, ...properties }, ['organisationId', 'accountId', 'role']),
    ...{ title: 'ChangeMemberRole', description: 'A member\'s new role.' },
  },
  withdraws: true,
  decide(state, input, context) {
    const { organisationId, accountId, role } = input
    const actor = actingAccount(state, context)
    const { member: own } = organisationFor(state, organisationId, actor, 'admin')
    const member = memberOf(state, organisationId, accountId)
    refuseRoleAbove(own.role, member.role)
    refuseRoleAbove(own.role, role)
    if (input.adoptKeys === true && actor === accountId) {
      throw new Problem('invalid_body', undefined, { errors: [{ path: '/adoptKeys', detail: 'must be somebody else\'s: your keys are yours already' }] })
    }
    const result = { accountId, role }
    if (member.role === role) return { events: [], result }
    refuseLastOwner(state, member)
    const data: MemberRoleChanged = { organisationId, accountId, role }
    return {
      events: [
        { type: memberRoleChanged, stream: `organisation:${organisationId}`, appId: NIL_UUID, data },
        ...invitationsBeyond(state, organisationId, accountId, role),
        ...(input.adoptKeys === true ? adoptedInOrganisation(state, organisationId, accountId, actor, context.now) : []),
      ],
      result,
    }
  },
}
