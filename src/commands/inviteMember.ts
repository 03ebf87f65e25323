// Makes a link that lets one person into an organisation. Nobody gives away more than they have.
import { type Fault, Problem } from '../errors.ts'
import { memberInvited, type MemberInvited } from '../events/memberInvited.ts'
import { email, grantRole, type GrantRole, type MemberRole, memberRole } from '../events/organisations.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import { NIL_UUID, uuidv5 } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import type { Command } from './commandBus.ts'
import type { ControlState } from './keyring.ts'
import { actingAccount, organisationFor, refuseRoleAbove } from './roles.ts'

export interface InviteMember {
  organisationId: string
  role: MemberRole
  email?: string
  apps?: { appId: string; role: GrantRole }[]
  expiresInDays?: number
  tokenHash: string
}

const properties = {
  role: { ...memberRole, description: 'What they become; a guest sees only the apps that come with the invitation.' },
  email: { ...email, description: 'Whom it is for; whoever holds the link unless given.', examples: ['bob@bakery.example'] },
  apps: {
    ...{ type: 'array', maxItems: LIMITS.grantsPerInvitation, description: 'Grants on apps of the organisation that come with it.' },
    items: objectSchema({ appId: uuid, role: grantRole }, ['appId', 'role']),
  },
  expiresInDays: {
    ...{ type: 'integer', minimum: 1, maximum: LIMITS.invitationDaysMax },
    description: `How long the link works; ${LIMITS.invitationDaysDefault} days unless given.`,
  },
} as const

const examples = [{ role: 'analyst', email: 'bob@bakery.example' }]

/** What a client sends; the organisation is named by the route, and the server makes the token. */
export const inviteMemberBody = {
  ...objectSchema(properties, ['role']),
  ...{ title: 'InviteMemberBody', description: 'Who may come in with the link.', examples },
}

export const inviteMember: Command<InviteMember, { invitationId: string; expiresAt: number }> = {
  name: 'InviteMember',
  schema: {
    ...objectSchema({ organisationId: uuid, ...properties, tokenHash: { type: 'string', pattern: '^[0-9a-f]{64}$' } }, ['organisationId', 'role', 'tokenHash']),
    ...{ title: 'InviteMember', description: 'A link that lets one person into an organisation.' },
  },
  decide(state, input, context) {
    const { organisationId, role, apps = [], tokenHash } = input
    const { member } = organisationFor(state, organisationId, actingAccount(state, context), 'admin')
    refuseRoleAbove(member.role, role)
    checkApps(state, organisationId, apps)
    refuseTooMany(state, organisationId, context.now)
    const invitationId = uuidv5(context.commandId, 'invitation')
    const expiresAt = context.now + (input.expiresInDays ?? LIMITS.invitationDaysDefault) * 86_400_000
    const data: MemberInvited = {
      ...{ invitationId, organisationId, role, tokenHash, expiresAt },
      ...(apps.length === 0 ? {} : { apps }),
      ...(input.email === undefined ? {} : { email: input.email }),
    }
    return {
      events: [{ type: memberInvited, stream: `organisation:${organisationId}`, appId: NIL_UUID, data }],
      result: { invitationId, expiresAt },
    }
  },
}

function checkApps(state: ControlState, organisationId: string, apps: readonly { appId: string }[]): void {
  const errors: Fault[] = []
  apps.forEach(({ appId }, index) => {
    const app = state.app(appId)
    const path = `/apps/${index}/appId`
    if (app === undefined || app.deleted || app.organisationId !== organisationId) errors.push({ path, detail: 'must be an app of the organisation' })
    else if (apps.findIndex((other) => other.appId === appId) < index) errors.push({ path, detail: 'is there twice' })
  })
  if (errors.length > 0) throw new Problem('invalid_body', undefined, { errors })
}

function refuseTooMany(state: ControlState, organisationId: string, now: number): void {
  let open = 0
  for (const invitation of state.invitationsOf(organisationId)) if (invitation.state === 'open' && invitation.expiresAt > now) open++
  if (open >= LIMITS.invitationsPerOrganisation) throw new Problem('limit_reached', `An organisation has at most ${LIMITS.invitationsPerOrganisation} open invitations`)
}
