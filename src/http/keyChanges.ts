// What keys may do at this moment, and what becomes of them when somebody's role changes: told in the answer, so that nobody
// finds out from a site that sends no more events.
import type { AppState, KeyState } from '../commands/keyring.ts'
import { presentScopes } from '../commands/roles.ts'
import type { Scope } from '../events/schemas.ts'
import { keyResult } from '../queries/keys.ts'
import type { HttpDeps } from './deps.ts'
import { objectOf } from './questions.ts'

type KeyDeps = Pick<HttpDeps, 'keyring' | 'clock'>

const { scopes } = keyResult.properties
const named = { keyId: { type: 'string' }, appId: { type: 'string' }, name: { type: 'string' } } as const

export const keyChangesSchema = objectOf(
  {
    adopted: {
      ...{ type: 'array', description: 'Keys that stand on you from now on and work as before' },
      items: objectOf(named, ['keyId', 'appId', 'name']),
    },
    weakened: {
      ...{ type: 'array', description: 'Keys that may do less than before; without scopes left a key is refused' },
      items: objectOf({ ...named, scopes: { ...scopes, description: 'What is left' }, lost: scopes }, ['keyId', 'appId', 'name', 'scopes', 'lost']),
    },
  },
  ['adopted', 'weakened'],
)

export interface WorkingKey {
  readonly key: KeyState
  /** None: nothing of what it was for; its issuer's role does not reach there. */
  readonly scopes: readonly Scope[]
}

export interface KeyChanges {
  readonly adopted: readonly Named[]
  readonly weakened: readonly (Named & { readonly scopes: readonly Scope[]; readonly lost: readonly Scope[] })[]
}

type Named = Pick<KeyState, 'keyId' | 'appId' | 'name'>

/** What each key of an app may do now; those that have ended nothing. */
export function presentScopesOf(deps: KeyDeps, appId: string): Map<string, readonly Scope[]> {
  return new Map(workingKeysOn(deps, appId).map(({ key, scopes }) => [key.keyId, scopes]))
}

/** The keys of one app that may still do something. */
export function workingKeysOn({ keyring: { state }, clock }: KeyDeps, appId: string): WorkingKey[] {
  const now = clock.now()
  const found: WorkingKey[] = []
  for (const key of state.keysOf(appId)) {
    if (key.revoked || (key.expiresAt !== undefined && key.expiresAt <= now)) continue
    const scopes = presentScopes(state, key)
    if (scopes.length > 0) found.push({ key, scopes })
  }
  return found
}

/** The same of all apps of an organisation. */
export function workingKeysIn(deps: KeyDeps, organisationId: string): WorkingKey[] {
  const own = (app: AppState): boolean => app.organisationId === organisationId && !app.deleted
  return [...deps.keyring.state.apps()].filter(own).flatMap(({ appId }) => workingKeysOn(deps, appId))
}

/** What those keys have lost since, and which stand on somebody else by now. */
export function keyChanges({ keyring: { state } }: KeyDeps, before: readonly WorkingKey[]): KeyChanges {
  const adopted: KeyChanges['adopted'][number][] = []
  const weakened: KeyChanges['weakened'][number][] = []
  for (const { key: { keyId, appId, name, issuedBy }, scopes: had } of before) {
    const now = state.key(keyId)
    if (now === undefined || now.revoked) continue
    if (now.issuedBy !== issuedBy) adopted.push({ keyId, appId, name })
    const scopes = presentScopes(state, now)
    const lost = had.filter((one) => !scopes.includes(one))
    if (lost.length > 0) weakened.push({ keyId, appId, name, scopes, lost })
  }
  return { adopted, weakened }
}
