// Whose things are whose. What belongs to another account is `not_found`, exactly as what does not exist, so that nobody
// learns of others' apps by asking.
import { Problem } from '../errors.ts'
import type { CommandContext } from './commandBus.ts'
import type { AppState, ControlState, KeyState } from './keyring.ts'

/** The account that acts. Throws `unauthenticated`. */
export function actingAccount(state: ControlState, { actor }: CommandContext): string {
  if (actor === undefined || state.account(actor) === undefined) throw new Problem('unauthenticated')
  return actor
}

/** An app of the account that acts. Throws `unauthenticated` and `not_found`. */
export function ownApp(state: ControlState, appId: string, context: CommandContext): AppState {
  const accountId = actingAccount(state, context)
  const app = state.app(appId)
  if (app === undefined || app.deleted || app.ownerId !== accountId) throw new Problem('not_found', 'There is no such app')
  return app
}

/** A key of an app of the account that acts. Throws `unauthenticated` and `not_found`. */
export function ownKey(state: ControlState, keyId: string, context: CommandContext): { app: AppState; key: KeyState } {
  const accountId = actingAccount(state, context)
  const key = state.key(keyId)
  const app = key === undefined ? undefined : state.app(key.appId)
  if (key === undefined || app === undefined || app.deleted || app.ownerId !== accountId) {
    throw new Problem('not_found', 'There is no such key')
  }
  return { app, key }
}
