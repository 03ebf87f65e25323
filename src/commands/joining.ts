// How somebody comes to belong to an organisation, by an invitation or by their e-mail domain: what both ways in decide alike.
// Every event of it stands in the organisation's stream, so that of two people with one link the later meets a conflict.
import { Problem } from '../errors.ts'
import { appGranted, type AppGranted } from '../events/appGranted.ts'
import { invitationAccepted, type InvitationAccepted } from '../events/invitationAccepted.ts'
import { memberJoined, type MemberJoined } from '../events/memberJoined.ts'
import { NIL_UUID } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import type { Decided } from './commandBus.ts'
import type { ControlState, InvitationState } from './keyring.ts'

/** The invitation of a link, if it still works for whoever has this address. Throws `invitation_ended`, `invitation_for_another`. */
export function invitationFor(state: ControlState, tokenHash: string, email: string | undefined, now: number): InvitationState {
  const invitation = state.invitationByHash(tokenHash)
  if (invitation === undefined || invitation.state !== 'open' || invitation.expiresAt <= now) throw invitationEnded()
  if (invitation.email !== undefined && (email === undefined || !sameEmail(invitation.email, email))) {
    throw new Problem('invitation_for_another', 'It names another e-mail address than that of this account: come with that one, or ask whoever invited you')
  }
  return invitation
}

/** The account joins with what the invitation gives, on those of its apps that the organisation still has. Throws `limit_reached`. */
export function joinedByInvitation(state: ControlState, invitation: InvitationState, accountId: string): Decided[] {
  const { invitationId, organisationId, role } = invitation
  if (isFull(state, organisationId)) throw new Problem('limit_reached', `An organisation has at most ${LIMITS.membersPerOrganisation} members`)
  const accepted: InvitationAccepted = { invitationId, organisationId, accountId }
  const apps = grantedApps(state, invitation)
  return [
    joined({ organisationId, accountId, role, through: 'invitation' }),
    { type: invitationAccepted, stream: `organisation:${organisationId}`, appId: NIL_UUID, data: accepted },
    ...apps.map(({ appId, role }) => {
      const data: AppGranted = { appId, accountId, role }
      return { type: appGranted, stream: `app:${appId}`, appId, data }
    }),
  ]
}

/** What an invitation grants of what the organisation still has. */
export function grantedApps(state: ControlState, { organisationId, apps }: Pick<InvitationState, 'organisationId' | 'apps'>): InvitationState['apps'] {
  return apps.filter(({ appId }) => {
    const app = state.app(appId)
    return app !== undefined && !app.deleted && app.organisationId === organisationId
  })
}

export function joined(data: MemberJoined): Decided {
  return { type: memberJoined, stream: `organisation:${data.organisationId}`, appId: NIL_UUID, data }
}

/** Told alike of a link that never was and of one that is over. */
export function invitationEnded(): Problem {
  return new Problem('invitation_ended', 'If you did not use it yourself, ask whoever invited you for another one')
}

export function isFull(state: ControlState, organisationId: string): boolean {
  return [...state.membersOf(organisationId)].length >= LIMITS.membersPerOrganisation
}

export function sameEmail(a: string, b: string): boolean {
  return lowered(a) === lowered(b)
}

// Of A to Z alone: other letters can become one of those (U+212A becomes k), and an address of somebody else the same.
function lowered(email: string): string {
  return email.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}
