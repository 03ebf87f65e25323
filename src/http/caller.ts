// Who makes a request, once a middleware has proved it, and what that lets them see. Whatever belongs to somebody else is
// not there: 404, so that nobody learns what exists.
import type { Response } from 'express'
import type { AppState, ControlState, Keyring, KeyState, MemberState } from '../commands/keyring.ts'
import { appFor, belongs, organisationFor, roleOnApp } from '../commands/roles.ts'
import { Problem } from '../errors.ts'
import type { MemberRole, Role } from '../events/organisations.ts'
import { assured, refreshed } from './credentials.ts'

export interface UserCaller {
  readonly kind: 'user'
  readonly accountId: string
  readonly sessionId: string
  /** Of the account when the session began. */
  readonly generation: number
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

export interface KeyCaller {
  readonly kind: 'key'
  readonly key: KeyState
}

export type Caller = UserCaller | KeyCaller

export function setCaller(res: Response, caller: Caller): void {
  ;(res.locals as { caller?: Caller }).caller = caller
  res.setHeader('Cache-Control', 'private, no-cache')
  res.setHeader('Vary', 'Authorization, Cookie')
}

/** Sets what is asked once more when the body has come and before an answer goes: both may take their time, and rights end meanwhile. */
export function checkAgain(res: Response, check: () => void): void {
  ;(res.locals as { checkAgain?: () => void }).checkAgain = check
}

/** Throws what that throws. */
export function checkedAgain(res: Response): void {
  ;(res.locals as { checkAgain?: () => void }).checkAgain?.()
}

export function callerOf(res: Response): Caller {
  const { caller } = res.locals as { caller?: Caller }
  if (caller === undefined) throw new TypeError('the route lacks an authenticating middleware')
  return caller
}

export function userOf(res: Response): UserCaller {
  const caller = callerOf(res)
  if (caller.kind !== 'user') throw new Problem('forbidden')
  return caller
}

/**
 * The app, if the caller may know of it: a person with at least this role on it, or a key, which speaks for its own app (its
 * default as well) and whose scope was checked before. Throws Problem `not_found`, `forbidden`, `invalid_parameter`.
 */
export async function appOf(caller: Caller, keyring: Keyring, appId: string | undefined, least: Role): Promise<AppState> {
  if (caller.kind === 'key') {
    const app = keyring.state.app(caller.key.appId)
    if (app === undefined || app.deleted || (appId !== undefined && appId !== app.appId)) throw new Problem('not_found')
    return app
  }
  if (appId === undefined) throw new Problem('invalid_parameter', undefined, { errors: [{ path: 'appId', detail: 'is required' }] })
  // Another process may have let them in a moment ago; and what belongs to others takes as long as what is not there.
  const known = keyring.state.app(appId)
  if (known === undefined || roleOnApp(keyring.state, known, caller.accountId) === undefined) await refreshed(keyring)
  return appFor(keyring.state, appId, caller.accountId, least)
}

/** The same for whoever makes this request, asked once more before the answer goes. */
export async function appAskedAbout(res: Response, keyring: Keyring, appId: string | undefined, least: Role): Promise<AppState> {
  const caller = callerOf(res)
  const app = await appOf(caller, keyring, appId, least)
  if (caller.kind === 'user') {
    checkAgain(res, () => {
      refuseUnlessPresent(keyring.state, caller)
      appFor(keyring.state, app.appId, caller.accountId, least)
    })
  }
  return app
}

/** An organisation in which a person has at least a role, `guest` meaning whoever belongs to it. Throws Problem `not_found`, `forbidden`. */
export async function organisationOf({ accountId }: UserCaller, keyring: Keyring, organisationId: string, least: MemberRole): Promise<MemberState> {
  // Another process may have let them in a moment ago.
  if (keyring.state.member(organisationId, accountId) === undefined) await refreshed(keyring)
  return organisationFor(keyring.state, organisationId, accountId, least).member
}

/** The same as below, and `unavailable` where that cannot be said now. Another process may know more of somebody new. */
export async function refuseAbsent(keyring: Keyring, user: Identity): Promise<void> {
  const account = keyring.state.account(user.accountId)
  if (account === undefined || account.generation < user.generation || !belongs(keyring.state, user.accountId)) await refreshed(keyring)
  else await assured(keyring)
  refuseUnlessPresent(keyring.state, user)
}

type Identity = Pick<UserCaller, 'accountId' | 'sessionId' | 'generation'>

/** Throws Problem `unauthenticated` for an account that is not known or belongs nowhere, `session_ended` after a sign-out. */
export function refuseUnlessPresent(state: ControlState, { accountId, sessionId, generation }: Identity): void {
  const account = state.account(accountId)
  if (account === undefined) throw new Problem('unauthenticated', 'The account is not known')
  if (!belongs(state, accountId)) throw new Problem('unauthenticated', 'The account belongs to no organisation any more')
  if (account.generation !== generation || state.sessionEnded(sessionId)) throw new Problem('session_ended')
}

/** Whether somebody who was let in may still be, for answers that go on for a while. */
export function isPresent(state: ControlState, user: UserCaller, nowMs: number): boolean {
  try {
    refuseUnlessPresent(state, user)
  } catch (error) {
    if (error instanceof Problem) return false
    throw error
  }
  return user.expiresAt > nowMs
}
