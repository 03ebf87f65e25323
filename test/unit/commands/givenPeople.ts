// Facts about people for specs: one of each role in the first organisation, invitations and grants.
import { appGranted } from '../../../src/events/appGranted.ts'
import { invitationAccepted } from '../../../src/events/invitationAccepted.ts'
import { invitationRevoked } from '../../../src/events/invitationRevoked.ts'
import { memberInvited, type MemberInvited } from '../../../src/events/memberInvited.ts'
import { memberRemoved } from '../../../src/events/memberRemoved.ts'
import { memberRoleChanged } from '../../../src/events/memberRoleChanged.ts'
import { FIRST_ORGANISATION, type GrantRole, type MemberRole } from '../../../src/events/organisations.ts'
import { ALICE, APP, BAKERY, fact, type Fact, id, joined, NOW, person } from './given.ts'

export const FIRST = FIRST_ORGANISATION
export const ADMIN = id('admin')
export const ANALYST = id('analyst')
export const VIEWER = id('viewer')
export const GUEST = id('guest')
export const NOBODY = id('nobody')
export const INVITATION = id('invitation')
export const HASH = '1f'.repeat(32)

/** The bakery with one of each role; Alice is its owner. Whoever NOBODY is has an account and belongs nowhere. */
export const CROWD: readonly Fact[] = [
  ...BAKERY,
  ...(['admin', 'analyst', 'viewer', 'guest'] as const).flatMap((role) => [person(id(role)), joined(id(role), role)]),
  person(NOBODY),
]

export const BY_ROLE: Readonly<Record<MemberRole, string>> = { owner: ALICE, admin: ADMIN, analyst: ANALYST, viewer: VIEWER, guest: GUEST }

export const ofOrganisation = (type: Fact['type'], data: { organisationId: string } & Record<string, unknown>): Fact => fact(type, `organisation:${data.organisationId}`, data)

export const invited = (more: Partial<MemberInvited> = {}, meta?: Fact['meta']): Fact => {
  const data: MemberInvited = { invitationId: INVITATION, organisationId: FIRST, role: 'analyst', tokenHash: HASH, expiresAt: NOW + 1, ...more }
  return { ...ofOrganisation(memberInvited, { ...data }), ...(meta === undefined ? {} : { meta }) }
}

/** The same with who made it on record. */
export const invitedBy = (actor: string, more: Partial<MemberInvited> = {}): Fact => invited(more, { actor })

export const accepted = (accountId: string): Fact => ofOrganisation(invitationAccepted, { invitationId: INVITATION, organisationId: FIRST, accountId })

export const takenBack = (invitationId = INVITATION): Fact => ofOrganisation(invitationRevoked, { invitationId, organisationId: FIRST })

export const granted = (accountId: string, role: GrantRole, appId = APP): Fact => fact(appGranted, `app:${appId}`, { appId, accountId, role })

export const removed = (accountId: string, organisationId = FIRST): Fact => ofOrganisation(memberRemoved, { organisationId, accountId })

export const roleChanged = (accountId: string, role: MemberRole): Fact => ofOrganisation(memberRoleChanged, { organisationId: FIRST, accountId, role })
