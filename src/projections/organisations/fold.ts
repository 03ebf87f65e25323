// What each event means to the rows of people: the very rules by which the keyring folds them to decide who may do what, so
// that a list never shows a right that is not there, nor lacks one that is.
import { accountCreated } from '../../events/accountCreated.ts'
import { accountUpdated } from '../../events/accountUpdated.ts'
import { appDeleted } from '../../events/appDeleted.ts'
import { appGrantEnded } from '../../events/appGrantEnded.ts'
import { appGranted } from '../../events/appGranted.ts'
import { appRegistered } from '../../events/appRegistered.ts'
import { appTransferred } from '../../events/appTransferred.ts'
import { type FoldEvent, isEvent } from '../../events/catalogue.ts'
import { parseCommandMeta } from '../../events/commandMeta.ts'
import { invitationAccepted } from '../../events/invitationAccepted.ts'
import { invitationRevoked } from '../../events/invitationRevoked.ts'
import { memberInvited } from '../../events/memberInvited.ts'
import { memberJoined } from '../../events/memberJoined.ts'
import { memberRemoved } from '../../events/memberRemoved.ts'
import { memberRoleChanged } from '../../events/memberRoleChanged.ts'
import { organisationCreated } from '../../events/organisationCreated.ts'
import { organisationUpdated } from '../../events/organisationUpdated.ts'
import { FIRST_ORGANISATION } from '../../events/organisations.ts'
import { signedIn } from '../../events/signedIn.ts'
import { uuidToBytes } from '../../kernel/ids.ts'
import { textOfId } from '../storage/rows.ts'
import type { OrganisationRow } from './rows.ts'
import type { PeopleRows } from './state.ts'

export const FOLDED = [
  ...[accountCreated.type, accountUpdated.type, signedIn.type],
  ...[organisationCreated.type, organisationUpdated.type, memberJoined.type, memberRoleChanged.type, memberRemoved.type],
  ...[memberInvited.type, invitationAccepted.type, invitationRevoked.type],
  ...[appRegistered.type, appTransferred.type, appDeleted.type, appGranted.type, appGrantEnded.type],
]

/** The event's data is there. */
export function foldPeople(rows: PeopleRows, event: FoldEvent): void {
  foldAccounts(rows, event)
  foldOrganisations(rows, event)
  foldMembers(rows, event)
  foldInvitations(rows, event)
  foldGrants(rows, event)
}

function foldAccounts({ accounts }: PeopleRows, event: FoldEvent): void {
  if (isEvent(event, accountCreated)) {
    const { accountId, email = null, name = null } = event.data!
    accounts.put({ account_id: uuidToBytes(accountId), email, name, created_at: event.occurredAt, last_signed_in_at: null })
  } else if (isEvent(event, accountUpdated)) {
    const { accountId, email, name } = event.data!
    const row = accounts.get(accountId)
    if (row !== undefined) accounts.put({ ...row, email: email ?? row.email, name: name ?? row.name })
  } else if (isEvent(event, signedIn)) {
    const row = accounts.get(event.data!.accountId)
    if (row !== undefined) accounts.put({ ...row, last_signed_in_at: event.occurredAt })
  }
}

function foldOrganisations(rows: PeopleRows, event: FoldEvent): void {
  const { organisations } = rows
  if (isEvent(event, accountCreated)) {
    // The organisation that is there from the beginning shows once somebody belongs to it.
    if (event.data!.role === 'owner') organisations.put(organisationRow(rows, FIRST_ORGANISATION, event)!)
  } else if (isEvent(event, organisationCreated)) {
    const { organisationId, name } = event.data!
    organisations.put(newOrganisation(organisationId, name, event.occurredAt))
  } else if (isEvent(event, organisationUpdated)) {
    const { organisationId, name, allowedDomains } = event.data!
    const row = organisationRow(rows, organisationId, event)
    if (row === undefined) return
    const domains = allowedDomains === undefined ? row.allowed_domains : JSON.stringify(allowedDomains)
    organisations.put({ ...row, name: name ?? row.name, allowed_domains: domains, updated_at: event.occurredAt })
  }
}

function organisationRow({ organisations }: PeopleRows, organisationId: string, { occurredAt }: FoldEvent): OrganisationRow | undefined {
  const row = organisations.get(organisationId)
  return row ?? (organisationId === FIRST_ORGANISATION ? newOrganisation(organisationId, 'My organisation', occurredAt) : undefined)
}

function newOrganisation(organisationId: string, name: string, at: number): OrganisationRow {
  return { organisation_id: uuidToBytes(organisationId), name, allowed_domains: '[]', created_at: at, updated_at: at }
}

function foldMembers(rows: PeopleRows, event: FoldEvent): void {
  if (isEvent(event, accountCreated)) {
    if (event.data!.role === 'owner') join(rows, FIRST_ORGANISATION, event.data!.accountId, 'owner', event.occurredAt)
  } else if (isEvent(event, memberJoined)) {
    const { organisationId, accountId, role } = event.data!
    join(rows, organisationId, accountId, role, event.occurredAt)
  } else if (isEvent(event, memberRoleChanged)) {
    const { organisationId, accountId, role } = event.data!
    const row = rows.members.get(organisationId, accountId)
    if (row !== undefined) rows.members.put({ ...row, role })
  } else if (isEvent(event, memberRemoved)) {
    const { organisationId, accountId } = event.data!
    rows.members.remove(organisationId, accountId)
    const own = [...rows.grants.all()].filter(([[appId, grantee]]) => grantee === accountId && organisationOf(rows, appId!) === organisationId)
    for (const [ids] of own) rows.grants.remove(...ids)
  }
}

function join({ members }: PeopleRows, organisationId: string, accountId: string, role: string, at: number): void {
  members.put({ organisation_id: uuidToBytes(organisationId), account_id: uuidToBytes(accountId), role, joined_at: at })
}

function organisationOf({ apps }: PeopleRows, appId: string): string | undefined {
  const row = apps.get(appId)
  return row === undefined ? undefined : textOfId(row.organisation_id)
}

function foldInvitations({ invitations }: PeopleRows, event: FoldEvent): void {
  if (isEvent(event, memberInvited)) {
    const { invitationId, organisationId, role, apps = [], email = null, expiresAt } = event.data!
    const actor = parseCommandMeta(event.meta)?.actor
    invitations.put({
      ...{ organisation_id: uuidToBytes(organisationId), invitation_id: uuidToBytes(invitationId), role, apps: JSON.stringify(apps), email },
      ...{ invited_by: actor === undefined ? null : uuidToBytes(actor), created_at: event.occurredAt, expires_at: expiresAt },
      ...{ state: 'open', ended_at: null, accepted_by: null },
    })
  } else if (isEvent(event, invitationAccepted) || isEvent(event, invitationRevoked)) {
    const { organisationId, invitationId } = event.data!
    const row = invitations.get(organisationId, invitationId)
    if (row === undefined) return
    const accepted = isEvent(event, invitationAccepted)
    invitations.put({ ...row, state: accepted ? 'accepted' : 'revoked', ended_at: event.occurredAt, accepted_by: accepted ? uuidToBytes(event.data!.accountId) : null })
  }
}

function foldGrants({ grants, apps }: PeopleRows, event: FoldEvent): void {
  if (isEvent(event, appRegistered)) {
    const { appId, organisationId = FIRST_ORGANISATION } = event.data!
    apps.put({ app_id: uuidToBytes(appId), organisation_id: uuidToBytes(organisationId) })
  } else if (isEvent(event, appGranted)) {
    const { appId, accountId, role } = event.data!
    grants.put({ app_id: uuidToBytes(appId), account_id: uuidToBytes(accountId), role, granted_at: event.occurredAt })
  } else if (isEvent(event, appGrantEnded)) {
    grants.remove(event.data!.appId, event.data!.accountId)
  } else if (isEvent(event, appTransferred) || isEvent(event, appDeleted)) {
    const { appId } = event.data!
    for (const [ids] of [...grants.all()].filter(([[of]]) => of === appId)) grants.remove(...ids)
    const app = apps.get(appId)
    if (isEvent(event, appTransferred) && app !== undefined) apps.put({ ...app, organisation_id: uuidToBytes(event.data!.organisationId) })
  }
}
