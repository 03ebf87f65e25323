// What events about people say in the audit log: accounts, organisations, members, invitations. An account's events stand in
// every organisation that it belongs to; nothing of a secret is in them, nor which Google account somebody has.
import { accountCreated } from '../../events/accountCreated.ts'
import { accountUpdated } from '../../events/accountUpdated.ts'
import { invitationAccepted } from '../../events/invitationAccepted.ts'
import { invitationRevoked } from '../../events/invitationRevoked.ts'
import { memberInvited } from '../../events/memberInvited.ts'
import { memberJoined } from '../../events/memberJoined.ts'
import { memberRemoved } from '../../events/memberRemoved.ts'
import { memberRoleChanged } from '../../events/memberRoleChanged.ts'
import { organisationCreated } from '../../events/organisationCreated.ts'
import { FIRST_ORGANISATION, FIRST_ORGANISATION_NAME } from '../../events/organisations.ts'
import { organisationUpdated } from '../../events/organisationUpdated.ts'
import { signedIn } from '../../events/signedIn.ts'
import { signedOut } from '../../events/signedOut.ts'
import { signedOutEverywhere } from '../../events/signedOutEverywhere.ts'
import type { Change, Folding } from './change.ts'
import { difference, instant, listed } from './facts.ts'
import { type Handler, on } from './handler.ts'
import type { AccountSubject, Subjects } from './subjects.ts'

const NOTHING_KNOWN: AccountSubject = { google: false, generation: 0 }

const accounts: readonly Handler[] = [
  on(
    accountCreated,
    ({ accountId }, want) => want.of('member', accountId),
    (folding, { accountId, role, googleId, email, name }, event) => {
      const account: AccountSubject = { email, name, google: googleId !== undefined, generation: 0 }
      folding.subjects.put('account', [accountId], account)
      if (role === 'owner') folding.subjects.put('member', [FIRST_ORGANISATION, accountId], { role })
      return [{ ...accountChange(folding, accountId), actor: accountId, after: { email, name, role, google: account.google }, organisations: folding.organisationsOf(accountId, event) }]
    },
  ),
  on(
    accountUpdated,
    ({ accountId }, want) => {
      want.one('account', accountId)
      want.of('member', accountId)
    },
    (folding, { accountId, googleId, ...changed }, event) => {
      const before = folding.subjects.get('account', accountId) ?? NOTHING_KNOWN
      const after = { ...before, ...changed, google: before.google || googleId !== undefined }
      folding.subjects.put('account', [accountId], after)
      return [{ ...accountChange(folding, accountId), actor: accountId, ...difference({ ...before }, { ...after }), organisations: folding.organisationsOf(accountId, event) }]
    },
  ),
]

const sessions: readonly Handler[] = [
  on(
    signedIn,
    ({ accountId }, want) => {
      want.one('account', accountId)
      want.of('member', accountId)
    },
    (folding, { accountId, method, sessionId }, event) => {
      // Without a session it was a command line that acted for the owner.
      const actor = sessionId === undefined ? undefined : accountId
      return [{ ...accountChange(folding, accountId), actor, after: { method, sessionId }, organisations: folding.organisationsOf(accountId, event) }]
    },
  ),
  on(
    signedOut,
    ({ accountId }, want) => {
      want.one('account', accountId)
      want.of('member', accountId)
    },
    (folding, { accountId, sessionId, reason }, event) => {
      const actor = reason === 'asked' ? accountId : undefined
      return [{ ...accountChange(folding, accountId), actor, after: { sessionId, reason }, organisations: folding.organisationsOf(accountId, event) }]
    },
  ),
  on(
    signedOutEverywhere,
    ({ accountId }, want) => {
      want.one('account', accountId)
      want.of('member', accountId)
    },
    (folding, { accountId }, event) => {
      const account = folding.subjects.get('account', accountId) ?? NOTHING_KNOWN
      const generation = account.generation + 1
      folding.subjects.put('account', [accountId], { ...account, generation })
      const counted = difference({ generation: account.generation }, { generation })
      return [{ ...accountChange(folding, accountId), actor: accountId, ...counted, organisations: folding.organisationsOf(accountId, event) }]
    },
  ),
]

const organisations: readonly Handler[] = [
  on(
    organisationCreated,
    () => undefined,
    ({ subjects }, { organisationId, name }) => {
      subjects.put('organisation', [organisationId], { name, allowedDomains: [] })
      return [{ subject: { kind: 'organisation', id: organisationId, name }, after: { name }, organisations: [organisationId] }]
    },
  ),
  on(
    organisationUpdated,
    ({ organisationId }, want) => want.one('organisation', organisationId),
    ({ subjects }, { organisationId, ...changed }) => {
      const name = organisationId === FIRST_ORGANISATION ? FIRST_ORGANISATION_NAME : ''
      const before = subjects.get('organisation', organisationId) ?? { name, allowedDomains: [] }
      const after = { ...before, ...changed }
      subjects.put('organisation', [organisationId], after)
      return [{ subject: { kind: 'organisation', id: organisationId, name: after.name }, ...difference(before, after), organisations: [organisationId] }]
    },
  ),
]

const members: readonly Handler[] = [
  on(
    memberJoined,
    ({ organisationId, accountId }, want) => {
      want.one('account', accountId)
      want.one('member', organisationId, accountId)
    },
    (folding, { organisationId, accountId, role, through }) => {
      folding.subjects.put('member', [organisationId, accountId], { role })
      const actor = through === 'founding' ? undefined : accountId
      return [{ ...memberChange(folding, accountId), actor, after: { role, through }, organisations: [organisationId] }]
    },
  ),
  on(
    memberRoleChanged,
    ({ organisationId, accountId }, want) => {
      want.one('account', accountId)
      want.one('member', organisationId, accountId)
    },
    (folding, { organisationId, accountId, role }) => {
      const before = folding.subjects.get('member', organisationId, accountId)
      folding.subjects.put('member', [organisationId, accountId], { role })
      return [{ ...memberChange(folding, accountId), ...difference({ role: before?.role }, { role }), organisations: [organisationId] }]
    },
  ),
  on(
    memberRemoved,
    ({ organisationId, accountId }, want) => {
      want.one('account', accountId)
      want.one('member', organisationId, accountId)
      want.of('grant', accountId)
    },
    (folding, { organisationId, accountId }) => {
      const { subjects } = folding
      const role = subjects.get('member', organisationId, accountId)?.role
      const grants = subjects.of('grant', accountId).filter(([, grant]) => grant.organisationId === organisationId)
      subjects.put('member', [organisationId, accountId], undefined)
      for (const [appId] of grants) subjects.put('grant', [appId, accountId], undefined)
      const before = { role, ...listed('grants', grants.map(([appId, grant]) => ({ appId, role: grant.role }))) }
      return [{ ...memberChange(folding, accountId), before, organisations: [organisationId] }]
    },
  ),
]

const invitations: readonly Handler[] = [
  on(
    memberInvited,
    () => undefined,
    ({ subjects }, { invitationId, organisationId, role, apps, email, expiresAt }) => {
      subjects.put('invitation', [organisationId, invitationId], { state: 'open', email })
      const after = { role, email, apps, expiresAt: instant(expiresAt) }
      return [{ subject: { kind: 'invitation', id: invitationId, name: email }, after, organisations: [organisationId] }]
    },
  ),
  on(
    invitationRevoked,
    ({ organisationId, invitationId }, want) => want.one('invitation', organisationId, invitationId),
    ({ subjects }, { organisationId, invitationId }) => [invitationEnded(subjects, organisationId, invitationId, 'revoked')],
  ),
  on(
    invitationAccepted,
    ({ organisationId, invitationId }, want) => want.one('invitation', organisationId, invitationId),
    ({ subjects }, { organisationId, invitationId, accountId }) => {
      const { after, ...ended } = invitationEnded(subjects, organisationId, invitationId, 'accepted')
      return [{ ...ended, actor: accountId, after: { ...after, accountId } }]
    },
  ),
]

export const PEOPLE: readonly Handler[] = [...accounts, ...sessions, ...organisations, ...members, ...invitations]

function accountChange({ subjects }: Folding, accountId: string): Pick<Change, 'subject'> {
  return { subject: { kind: 'account', id: accountId, name: calledIn(subjects, accountId) } }
}

function memberChange({ subjects }: Folding, accountId: string): Pick<Change, 'subject'> {
  return { subject: { kind: 'member', id: accountId, name: calledIn(subjects, accountId) } }
}

export function calledIn(subjects: Subjects, accountId: string): string | undefined {
  const account = subjects.get('account', accountId)
  return account?.email ?? account?.name
}

function invitationEnded(subjects: Subjects, organisationId: string, invitationId: string, state: 'accepted' | 'revoked'): Change {
  const before = subjects.get('invitation', organisationId, invitationId)
  subjects.put('invitation', [organisationId, invitationId], { ...before, state })
  return {
    subject: { kind: 'invitation', id: invitationId, name: before?.email },
    ...difference({ state: before?.state }, { state }),
    organisations: [organisationId],
  }
}
