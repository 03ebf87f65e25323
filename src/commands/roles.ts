// What roles mean: who may do what in an organisation and on an app, and what a key may still do when its issuer's role has
// changed. Pure questions to the folded state, for commands and for HTTP alike. What somebody may not even see is
// `not_found`, exactly as what does not exist; what they see and may not do is `forbidden`.
import { Problem } from '../errors.ts'
import { FIRST_ORGANISATION, MEMBER_ROLES, type MemberRole, type Role, ROLES } from '../events/organisations.ts'
import type { Scope } from '../events/schemas.ts'
import type { CommandContext } from './commandBus.ts'
import type { AppState, ControlState, KeyState, MemberState, OrganisationState } from './keyring.ts'

/** What a key may do that an account of this role issued: nothing its issuer could not read or do themselves. */
const SCOPES: Readonly<Record<Role, readonly Scope[]>> = {
  viewer: ['query'],
  analyst: ['query', 'people'],
  admin: ['collect', 'query', 'people'],
  owner: ['collect', 'query', 'people'],
}

/** Whether somebody of this role may do what `least` may; nobody (undefined) and guests may nothing. */
export function atLeast(role: MemberRole | undefined, least: Role): boolean {
  return role !== undefined && role !== 'guest' && ROLES.indexOf(role) >= ROLES.indexOf(least)
}

export function scopesOf(role: Role | undefined): readonly Scope[] {
  return role === undefined ? [] : SCOPES[role]
}

/** The higher of a member's role in the app's organisation and what was granted on the app; undefined: the app is not there for them. */
export function roleOnApp(state: ControlState, app: AppState, accountId: string): Role | undefined {
  const member = state.member(app.organisationId, accountId)
  if (app.deleted || member === undefined) return undefined
  const granted = state.grant(app.appId, accountId)
  const own = member.role === 'guest' ? undefined : member.role
  if (granted === undefined || own === undefined) return own ?? granted
  return atLeast(own, granted) ? own : granted
}

/** What a key may do now: its scopes, within its issuer's present role on its app. */
export function presentScopes(state: ControlState, key: KeyState): readonly Scope[] {
  const app = state.app(key.appId)
  const allowed = scopesOf(app === undefined ? undefined : roleOnApp(state, app, key.issuedBy))
  return key.scopes.filter((scope) => allowed.includes(scope))
}

/** Owners of the first organisation run the installation: read models, and making organisations. */
export function isOperator(state: ControlState, accountId: string): boolean {
  return state.member(FIRST_ORGANISATION, accountId)?.role === 'owner'
}

/** Whether an account belongs anywhere: one that was removed everywhere is out. */
export function belongs(state: ControlState, accountId: string): boolean {
  for (const _ of state.membershipsOf(accountId)) return true
  return false
}

/** The apps that an account sees, in the order in which they were registered. */
export function* appsSeenBy(state: ControlState, accountId: string): Iterable<AppState> {
  for (const app of state.apps()) if (roleOnApp(state, app, accountId) !== undefined) yield app
}

/** The account that acts. Throws `unauthenticated`. */
export function actingAccount(state: ControlState, { actor }: Pick<CommandContext, 'actor'>): string {
  if (actor === undefined || !belongs(state, actor)) throw new Problem('unauthenticated')
  return actor
}

/** The same of an account that may belong nowhere any more, for what nobody is refused. */
export function knownAccount(state: ControlState, { actor }: Pick<CommandContext, 'actor'>): string {
  if (actor === undefined || state.account(actor) === undefined) throw new Problem('unauthenticated')
  return actor
}

/** An app on which an account has at least a role. Throws `not_found`, `forbidden`. */
export function appFor(state: ControlState, appId: string, accountId: string, least: Role): AppState {
  const app = state.app(appId)
  const role = app === undefined ? undefined : roleOnApp(state, app, accountId)
  if (app === undefined || role === undefined) throw new Problem('not_found', 'There is no such app')
  if (!atLeast(role, least)) throw new Problem('forbidden', `This takes the role ${least} on the app; yours is ${role}`)
  return app
}

/** A key of an app on which an account has at least a role, with scopes all of which that role covers. Throws `not_found`, `forbidden`. */
export function keyFor(state: ControlState, keyId: string, accountId: string, least: Role): { app: AppState; key: KeyState } {
  const key = state.key(keyId)
  const app = key === undefined ? undefined : state.app(key.appId)
  const role = app === undefined ? undefined : roleOnApp(state, app, accountId)
  if (key === undefined || app === undefined || role === undefined) throw new Problem('not_found', 'There is no such key')
  appFor(state, app.appId, accountId, least)
  refuseScopesAbove(role, key.scopes)
  return { app, key }
}

/** Throws `forbidden` where scopes go beyond what a role may do. */
export function refuseScopesAbove(role: Role, scopes: readonly Scope[]): void {
  const beyond = scopes.filter((scope) => !scopesOf(role).includes(scope))
  if (beyond.length > 0) throw new Problem('forbidden', `The role ${role} does not reach to keys that may ${beyond.join(' and ')}`)
}

/** Somebody who belongs to an organisation. Throws `not_found`. */
export function memberOf(state: ControlState, organisationId: string, accountId: string): MemberState {
  const member = state.member(organisationId, accountId)
  if (member === undefined) throw new Problem('not_found', 'There is no such member')
  return member
}

/** Throws `forbidden` where somebody would act above their own role. */
export function refuseRoleAbove(own: MemberRole, role: MemberRole): void {
  if (MEMBER_ROLES.indexOf(role) > MEMBER_ROLES.indexOf(own)) throw new Problem('forbidden', `Your role is ${own}: what takes ${role} is above it`)
}

/**
 * An organisation in which an account has at least a role, `guest` meaning any member. Throws `not_found` to whoever does
 * not belong to it, `forbidden`.
 */
export function organisationFor(state: ControlState, organisationId: string, accountId: string, least: MemberRole): { organisation: OrganisationState; member: MemberState } {
  const organisation = state.organisation(organisationId)
  const member = state.member(organisationId, accountId)
  if (organisation === undefined || member === undefined) throw new Problem('not_found', 'There is no such organisation')
  if (least !== 'guest' && !atLeast(member.role, least)) {
    throw new Problem('forbidden', `This takes the role ${least} in the organisation; yours is ${member.role}`)
  }
  return { organisation, member }
}
