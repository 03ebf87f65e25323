// The part of the control partition's fold that is about people: accounts, organisations, members, grants, invitations and
// sessions that were ended. Pure memory like the rest of it.
import { accountCreated } from '../events/accountCreated.ts'
import { accountUpdated } from '../events/accountUpdated.ts'
import { appDeleted } from '../events/appDeleted.ts'
import { appGrantEnded } from '../events/appGrantEnded.ts'
import { appGranted } from '../events/appGranted.ts'
import { appTransferred } from '../events/appTransferred.ts'
import { type FoldEvent, isEvent } from '../events/catalogue.ts'
import { parseCommandMeta } from '../events/commandMeta.ts'
import { invitationAccepted } from '../events/invitationAccepted.ts'
import { invitationRevoked } from '../events/invitationRevoked.ts'
import { memberInvited } from '../events/memberInvited.ts'
import { memberJoined } from '../events/memberJoined.ts'
import { memberRemoved } from '../events/memberRemoved.ts'
import { memberRoleChanged } from '../events/memberRoleChanged.ts'
import { organisationCreated } from '../events/organisationCreated.ts'
import { organisationUpdated } from '../events/organisationUpdated.ts'
import { FIRST_ORGANISATION, type GrantRole, type MemberRole } from '../events/organisations.ts'
import { signedOut } from '../events/signedOut.ts'
import { signedOutEverywhere } from '../events/signedOutEverywhere.ts'
import { LIMITS } from '../limits.ts'
import type { AccountState, InvitationState, MemberState, OrganisationState, PeopleState } from './keyring.ts'

const NO_GRANTS: ReadonlyMap<string, GrantRole> = new Map()

export class FoldedPeople implements PeopleState {
  private readonly accountsById = new Map<string, AccountState>()
  private readonly accountIdByGoogleId = new Map<string, string>()
  private readonly organisationsById = new Map<string, OrganisationState>([
    [FIRST_ORGANISATION, { organisationId: FIRST_ORGANISATION, name: 'My organisation', allowedDomains: [] }],
  ])
  /** By organisation, then account; and the other way round. */
  private readonly members = new Map<string, Map<string, MemberState>>()
  private readonly memberships = new Map<string, Map<string, MemberState>>()
  private readonly grants = new Map<string, Map<string, GrantRole>>()
  private readonly invitationsById = new Map<string, InvitationState>()
  private readonly invitationIdByHash = new Map<string, string>()
  private readonly invitationIdsByOrganisation = new Map<string, Set<string>>()
  /** When each was ended, in that order, so that the oldest can go. */
  private readonly ended = new Map<string, number>()

  constructor(private readonly organisationOf: (appId: string) => string | undefined) {}

  account(accountId: string): AccountState | undefined {
    return this.accountsById.get(accountId)
  }

  accounts(): Iterable<AccountState> {
    return this.accountsById.values()
  }

  accountByGoogleId(googleId: string): AccountState | undefined {
    const accountId = this.accountIdByGoogleId.get(googleId)
    return accountId === undefined ? undefined : this.accountsById.get(accountId)
  }

  organisation(organisationId: string): OrganisationState | undefined {
    return this.organisationsById.get(organisationId)
  }

  organisations(): Iterable<OrganisationState> {
    return this.organisationsById.values()
  }

  member(organisationId: string, accountId: string): MemberState | undefined {
    return this.members.get(organisationId)?.get(accountId)
  }

  membersOf(organisationId: string): Iterable<MemberState> {
    return this.members.get(organisationId)?.values() ?? []
  }

  membershipsOf(accountId: string): Iterable<MemberState> {
    return this.memberships.get(accountId)?.values() ?? []
  }

  grant(appId: string, accountId: string): GrantRole | undefined {
    return this.grants.get(appId)?.get(accountId)
  }

  grantsOf(appId: string): ReadonlyMap<string, GrantRole> {
    return this.grants.get(appId) ?? NO_GRANTS
  }

  invitation(invitationId: string): InvitationState | undefined {
    return this.invitationsById.get(invitationId)
  }

  invitationByHash(tokenHash: string): InvitationState | undefined {
    const invitationId = this.invitationIdByHash.get(tokenHash)
    return invitationId === undefined ? undefined : this.invitationsById.get(invitationId)
  }

  *invitationsOf(organisationId: string): Iterable<InvitationState> {
    for (const id of this.invitationIdsByOrganisation.get(organisationId) ?? []) yield this.invitationsById.get(id)!
  }

  sessionEnded(sessionId: string): boolean {
    return this.ended.has(sessionId)
  }

  /** False for what is not about people. The event's data is there. */
  evolve(event: FoldEvent): boolean {
    return this.evolveAccounts(event) || this.evolveOrganisations(event) || this.evolveInvitations(event) || this.evolveGrants(event)
  }

  private evolveAccounts(event: FoldEvent): boolean {
    if (isEvent(event, accountCreated)) {
      const { accountId, role, googleId, email, name } = event.data!
      this.setAccount({ accountId, googleId, email, name, generation: 0, createdAt: event.occurredAt })
      if (role === 'owner') this.join(FIRST_ORGANISATION, accountId, role, event.occurredAt)
    } else if (isEvent(event, accountUpdated)) {
      const { accountId, ...changed } = event.data!
      const account = this.accountsById.get(accountId)
      if (account !== undefined) this.setAccount({ ...account, ...changed })
    } else if (isEvent(event, signedOut)) {
      this.endSession(event.data!.sessionId, event.occurredAt)
    } else if (isEvent(event, signedOutEverywhere)) {
      this.endSessions(event.data!.accountId)
    } else return false
    return true
  }

  private evolveOrganisations(event: FoldEvent): boolean {
    if (isEvent(event, organisationCreated)) {
      const { organisationId, name } = event.data!
      this.organisationsById.set(organisationId, { organisationId, name, allowedDomains: [] })
    } else if (isEvent(event, organisationUpdated)) {
      const { organisationId, ...changed } = event.data!
      const organisation = this.organisationsById.get(organisationId)
      if (organisation !== undefined) this.organisationsById.set(organisationId, { ...organisation, ...changed })
    } else if (isEvent(event, memberJoined)) {
      const { organisationId, accountId, role } = event.data!
      this.join(organisationId, accountId, role, event.occurredAt)
    } else if (isEvent(event, memberRoleChanged)) {
      const { organisationId, accountId, role } = event.data!
      const member = this.member(organisationId, accountId)
      if (member !== undefined) this.join(organisationId, accountId, role, member.joinedAt)
    } else if (isEvent(event, memberRemoved)) {
      const { organisationId, accountId } = event.data!
      this.members.get(organisationId)?.delete(accountId)
      const left = this.memberships.get(accountId)
      // Whoever belongs nowhere is out, and must sign in again if they are let in again: a copy of a session would come with them.
      if (left?.delete(organisationId) === true && left.size === 0) this.endSessions(accountId)
      for (const [appId, grants] of this.grants) if (this.organisationOf(appId) === organisationId) grants.delete(accountId)
    } else return false
    return true
  }

  private evolveInvitations(event: FoldEvent): boolean {
    if (isEvent(event, memberInvited)) {
      const { apps = [], email, ...rest } = event.data!
      const { invitationId, organisationId, tokenHash } = rest
      const invitedBy = parseCommandMeta(event.meta)?.actor
      this.invitationsById.set(invitationId, { ...rest, apps, email, invitedBy, createdAt: event.occurredAt, state: 'open' })
      this.invitationIdByHash.set(tokenHash, invitationId)
      const known = this.invitationIdsByOrganisation.get(organisationId)
      if (known === undefined) this.invitationIdsByOrganisation.set(organisationId, new Set([invitationId]))
      else known.add(invitationId)
    } else if (isEvent(event, invitationRevoked)) this.endInvitation(event.data!.invitationId, 'revoked')
    else if (isEvent(event, invitationAccepted)) this.endInvitation(event.data!.invitationId, 'accepted')
    else return false
    return true
  }

  private evolveGrants(event: FoldEvent): boolean {
    if (isEvent(event, appGranted)) {
      const { appId, accountId, role } = event.data!
      const grants = this.grants.get(appId)
      if (grants === undefined) this.grants.set(appId, new Map([[accountId, role]]))
      else grants.set(accountId, role)
    } else if (isEvent(event, appGrantEnded)) {
      this.grants.get(event.data!.appId)?.delete(event.data!.accountId)
    } else {
      if (isEvent(event, appTransferred) || isEvent(event, appDeleted)) this.grants.delete(event.data!.appId)
      return false
    }
    return true
  }

  private setAccount(account: AccountState): void {
    this.accountsById.set(account.accountId, account)
    if (account.googleId !== undefined) this.accountIdByGoogleId.set(account.googleId, account.accountId)
  }

  private endSessions(accountId: string): void {
    const account = this.accountsById.get(accountId)
    if (account !== undefined) this.setAccount({ ...account, generation: account.generation + 1 })
  }

  private join(organisationId: string, accountId: string, role: MemberRole, joinedAt: number): void {
    const member = { organisationId, accountId, role, joinedAt }
    put(this.members, organisationId, accountId, member)
    put(this.memberships, accountId, organisationId, member)
  }

  private endInvitation(invitationId: string, state: 'accepted' | 'revoked'): void {
    const invitation = this.invitationsById.get(invitationId)
    if (invitation !== undefined) this.invitationsById.set(invitationId, { ...invitation, state })
  }

  /** A session lives LIMITS.sessionMs at most, so an end need not be known for longer. */
  private endSession(sessionId: string, at: number): void {
    this.ended.set(sessionId, at)
    for (const [oldest, endedAt] of this.ended) {
      if (endedAt + LIMITS.sessionMs > at) break
      this.ended.delete(oldest)
    }
  }
}

function put<T>(map: Map<string, Map<string, T>>, first: string, second: string, value: T): void {
  const inner = map.get(first)
  if (inner === undefined) map.set(first, new Map([[second, value]]))
  else inner.set(second, value)
}
