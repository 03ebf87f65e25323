// Who makes a request, once a middleware has proved it, and what that lets them see. Whatever belongs to somebody else is
// not there: 404, so that nobody learns what exists.
import type { Response } from 'express'
import type { AppState, Keyring, KeyState } from '../commands/keyring.ts'
import { Problem } from '../errors.ts'
import { refreshed } from './credentials.ts'

export interface UserCaller {
  readonly kind: 'user'
  readonly accountId: string
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

/** The app, if the caller may know of it. A key speaks for its own app, which is also its default. */
export async function appOf(caller: Caller, keyring: Keyring, appId: string | undefined): Promise<AppState> {
  if (caller.kind === 'key') {
    const app = keyring.state.app(caller.key.appId)
    if (app === undefined || app.deleted || (appId !== undefined && appId !== app.appId)) throw new Problem('not_found')
    return app
  }
  if (appId === undefined) throw new Problem('invalid_parameter', undefined, { errors: [{ path: 'appId', detail: 'is required' }] })
  // Another process may have registered it a moment ago.
  if (keyring.state.app(appId) === undefined) await refreshed(keyring)
  const app = keyring.state.app(appId)
  if (app === undefined || app.deleted || app.ownerId !== caller.accountId) throw new Problem('not_found')
  return app
}

/** The key, if the user owns its app. */
export async function keyOf(user: UserCaller, keyring: Keyring, keyId: string): Promise<KeyState> {
  if (keyring.state.key(keyId) === undefined) await refreshed(keyring)
  const key = keyring.state.key(keyId)
  if (key === undefined) throw new Problem('not_found')
  await appOf(user, keyring, key.appId)
  return key
}
