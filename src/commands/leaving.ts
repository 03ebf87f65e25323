// What ends, and what must not, when somebody loses rights in an organisation: its last owner stays, links that they handed
// out and could not hand out any more stop working, and keys can pass to somebody else so that sites lose no events.
import { Problem } from '../errors.ts'
import { apiKeyAdopted, type ApiKeyAdopted } from '../events/apiKeyAdopted.ts'
import { invitationRevoked, type InvitationRevoked } from '../events/invitationRevoked.ts'
import { MEMBER_ROLES, type MemberRole } from '../events/organisations.ts'
import { NIL_UUID } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import type { Decided } from './commandBus.ts'
import type { AppState, ControlState, KeyState, MemberState } from './keyring.ts'
import { atLeast, presentScopes } from './roles.ts'

/** Throws `last_owner`. */
export function refuseLastOwner(state: ControlState, { organisationId, accountId, role }: MemberState): void {
  if (role !== 'owner') return
  for (const other of state.membersOf(organisationId)) if (other.role === 'owner' && other.accountId !== accountId) return
  throw new Problem('last_owner')
}

/** Keys in an organisation that one account issued and that still work count as another's from now on. Throws `limit_reached`. */
export function adoptedInOrganisation(state: ControlState, organisationId: string, from: string, to: string, now: number): Decided[] {
  const keys: KeyState[] = []
  for (const app of state.apps()) {
    if (app.organisationId === organisationId && !app.deleted) keys.push(...liveKeysOf(state, app, now).filter(({ issuedBy }) => issuedBy === from))
  }
  return adopted(state, keys, to)
}

/** The same for all keys of one app, whoever issued them. */
export function adoptedOnApp(state: ControlState, app: AppState, to: string, now: number): Decided[] {
  return adopted(state, liveKeysOf(state, app, now).filter(({ issuedBy }) => issuedBy !== to), to)
}

/** Open links that an account of this role could not have handed out: a copy kept back would let their maker in again. */
export function invitationsBeyond(state: ControlState, organisationId: string, accountId: string, role: MemberRole | undefined): Decided[] {
  const events: Decided[] = []
  for (const { invitationId, invitedBy, state: now, role: given } of state.invitationsOf(organisationId)) {
    if (now !== 'open' || invitedBy !== accountId) continue
    if (role !== undefined && atLeast(role, 'admin') && MEMBER_ROLES.indexOf(given) <= MEMBER_ROLES.indexOf(role)) continue
    const data: InvitationRevoked = { invitationId, organisationId }
    events.push({ type: invitationRevoked, stream: `organisation:${organisationId}`, appId: NIL_UUID, data })
  }
  return events
}

/** Not what has ended, and not what its issuer's role does not cover already: adopting must not bring a dead key back. */
function liveKeysOf(state: ControlState, app: AppState, now: number): KeyState[] {
  return [...state.keysOf(app.appId)].filter((key) => {
    return !key.revoked && (key.expiresAt === undefined || key.expiresAt > now) && presentScopes(state, key).length > 0
  })
}

function adopted(state: ControlState, keys: readonly KeyState[], issuedBy: string): Decided[] {
  if (keys.length > LIMITS.keysAdopted) {
    throw new Problem('limit_reached', `At most ${LIMITS.keysAdopted} keys can be taken over at once, and here are ${keys.length}: revoke those that nobody needs`)
  }
  return keys.map((key) => {
    const { keyId, appId } = key
    const scopes = presentScopes(state, key)
    // What it had lost with its issuer's role it does not get back: whoever holds it may be the one who lost it.
    const data: ApiKeyAdopted = { keyId, appId, issuedBy, ...(scopes.length === key.scopes.length ? {} : { scopes: [...scopes] }) }
    return { type: apiKeyAdopted, stream: `key:${keyId}`, appId, data }
  })
}
