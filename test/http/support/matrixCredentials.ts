// Whoever may come to a route in the access matrix, and what each of them must be answered. The answer follows from the
// route's `x-access` and from who it is, by rules of its own: the program's are what is tested.
import type { Access } from '../../../src/http/access.ts'
import type { Scope } from '../../../src/events/schemas.ts'
import { METRICS_TOKEN } from './fixture.ts'
import { endedTokenOf, expiredTokenOf, type KeyName, type Person, type World } from './matrixWorld.ts'
import { type Key, tokenOf } from './people.ts'

type Role = 'guest' | 'viewer' | 'analyst' | 'admin' | 'owner'
type Headers = Readonly<Record<string, string>>

/** `ok`, or status and code of the refusal. */
export type Verdict = string

/** Somebody who is refused wherever anything is asked for. */
interface Nobody {
  readonly is: 'nobody'
  readonly name: string
  headers(world: World, access: Access): Headers
}

interface Metrics {
  readonly is: 'metrics'
  readonly name: string
  headers(): Headers
}

interface User {
  readonly is: 'user'
  readonly name: string
  /** Undefined: whoever the route lets do the most, so that only the credential itself decides. */
  readonly who?: Person
  /** What is wrong with the credential, wherever it is looked at. */
  readonly fault?: Verdict
  readonly by: 'token' | 'expired token' | 'ended token' | 'own cookie' | 'foreign cookie'
}

interface KeyHolder {
  readonly is: 'key'
  readonly name: string
  readonly key: KeyName
  readonly scopes: readonly Scope[]
  readonly fault?: Verdict
  readonly by: 'bearer' | 'X-API-Key' | 'write key'
}

export type Credential = Nobody | Metrics | User | KeyHolder

const ALL: readonly Scope[] = ['collect', 'query', 'people']

export const CREDENTIALS: readonly Credential[] = [
  { is: 'nobody', name: 'nothing', headers: () => ({}) },
  { is: 'nobody', name: 'garbage', headers: () => bearer('garbage') },
  { is: 'nobody', name: 'another scheme', headers: ({ fixture, people }, access) => ({ authorization: `Basic ${tokenOf(fixture, people[mightiest(access)])}` }) },
  { is: 'nobody', name: 'a token with a changed signature', headers: ({ fixture, people }) => bearer(spoilt(tokenOf(fixture, people.owner))) },
  { is: 'nobody', name: 'a refresh token', headers: ({ fixture }) => bearer(fixture.tokens.sealRefresh('01990000-0000-7000-8000-000000000000', 0)) },
  { is: 'metrics', name: 'the metrics token', headers: () => bearer(METRICS_TOKEN) },
  { is: 'user', name: 'an expired user token', by: 'expired token', fault: '401 token_expired' },
  { is: 'user', name: 'a user token after sign-out', by: 'ended token', fault: '401 session_ended' },
  { is: 'user', name: 'a cookie, from our own page', by: 'own cookie' },
  { is: 'user', name: 'a cookie, from nowhere', by: 'foreign cookie' },
  { is: 'user', name: 'somebody who was removed', by: 'token', who: 'removed', fault: '401 unauthenticated' },
  { is: 'user', name: 'somebody who was removed and belongs elsewhere', by: 'token', who: 'moved' },
  { is: 'user', name: 'an owner of another organisation', by: 'token', who: 'rival' },
  { is: 'user', name: 'whoever runs the installation', by: 'token', who: 'operator' },
  { is: 'user', name: 'a guest', by: 'token', who: 'guest' },
  { is: 'user', name: 'a guest to whom the app was granted (viewer)', by: 'token', who: 'grantedGuest' },
  { is: 'user', name: 'a viewer', by: 'token', who: 'viewer' },
  { is: 'user', name: 'a viewer to whom the app was granted (admin)', by: 'token', who: 'grantedViewer' },
  { is: 'user', name: 'an analyst', by: 'token', who: 'analyst' },
  { is: 'user', name: 'an admin', by: 'token', who: 'admin' },
  { is: 'user', name: 'an owner', by: 'token', who: 'owner' },
  { is: 'key', name: 'a key for collect', key: 'collect', scopes: ['collect'], by: 'bearer' },
  { is: 'key', name: 'a key for query', key: 'query', scopes: ['query'], by: 'bearer' },
  { is: 'key', name: 'a key for people', key: 'people', scopes: ['people'], by: 'bearer' },
  { is: 'key', name: 'a key for everything, as X-API-Key', key: 'all', scopes: ALL, by: 'X-API-Key' },
  { is: 'key', name: 'the write key of a key for everything', key: 'all', scopes: ['collect'], by: 'write key' },
  { is: 'key', name: 'a key that was rotated away', key: 'rotatedAway', scopes: ALL, by: 'bearer', fault: '401 token_expired' },
  { is: 'key', name: 'a revoked key', key: 'revoked', scopes: ALL, by: 'bearer', fault: '401 key_revoked' },
  { is: 'key', name: 'the write key of a revoked key', key: 'revoked', scopes: ['collect'], by: 'write key', fault: '401 key_revoked' },
  { is: 'key', name: 'a write key that nobody issued', key: 'unknown', scopes: ['collect'], by: 'write key', fault: '401 unauthenticated' },
  { is: 'key', name: 'a key of another organisation', key: 'rival', scopes: ALL, by: 'bearer' },
]

const IN_HOME: Readonly<Partial<Record<Person, { role: Role; granted?: Role }>>> = {
  owner: { role: 'owner' },
  admin: { role: 'admin' },
  analyst: { role: 'analyst' },
  viewer: { role: 'viewer' },
  guest: { role: 'guest' },
  grantedGuest: { role: 'guest', granted: 'viewer' },
  grantedViewer: { role: 'viewer', granted: 'admin' },
}
const RANK: Readonly<Record<Role, number>> = { guest: 0, viewer: 1, analyst: 2, admin: 3, owner: 4 }

/** What must be answered; `writes`: the method changes something. */
export function verdictFor(access: Access, credential: Credential, writes: boolean): Verdict {
  if (access === 'open') return 'ok'
  if (access === 'metrics') return credential.is === 'metrics' ? 'ok' : '401 unauthenticated'
  if (credential.is === 'nobody' || credential.is === 'metrics') return '401 unauthenticated'
  return credential.is === 'key' ? ofKey(access, credential) : ofUser(access, credential, writes)
}

function ofUser(access: Exclude<Access, 'open' | 'metrics'>, { who, by, fault }: User, writes: boolean): Verdict {
  if (typeof access === 'object' && !('organisation' in access) && access.app === undefined) {
    // Where only keys come in, no cookie is read, and of a user token it is said what it is.
    if (by === 'own cookie' || by === 'foreign cookie') return '401 unauthenticated'
    return by === 'expired token' ? '401 token_expired' : '403 forbidden'
  }
  if (fault !== undefined) return fault
  if (by === 'foreign cookie' && writes) return '403 origin_not_allowed'
  if (access === 'user') return 'ok'
  if (access === 'operator') return who === 'operator' || who === undefined ? 'ok' : '403 forbidden'
  const home = IN_HOME[who ?? 'owner']
  if (home === undefined) return '404 not_found'
  if ('organisation' in access) return RANK[home.role] >= RANK[access.organisation] ? 'ok' : '403 forbidden'
  const onApp = Math.max(RANK[home.role], RANK[home.granted ?? 'guest'])
  if (onApp === RANK.guest) return '404 not_found'
  return onApp >= RANK[access.app!] ? 'ok' : '403 forbidden'
}

function ofKey(access: Exclude<Access, 'open' | 'metrics'>, { scopes, by, fault, key }: KeyHolder): Verdict {
  if (typeof access === 'string' || 'organisation' in access || access.scope === undefined) return '403 forbidden'
  if (fault !== undefined) return fault
  if (!scopes.includes(access.scope) || (by === 'write key' && access.scope !== 'collect')) return '403 forbidden'
  // A key speaks for its own app; only where an app is named can that be another.
  return key === 'rival' && access.app !== undefined ? '404 not_found' : 'ok'
}

export async function headersOf(world: World, credential: Credential, access: Access): Promise<Headers> {
  if (credential.is === 'nobody' || credential.is === 'metrics') return credential.headers(world, access)
  if (credential.is === 'key') return keyHeaders(world.keys[credential.key], credential.by)
  const { fixture, people } = world
  const accountId = people[credential.who ?? mightiest(access)]
  if (credential.by === 'token') return bearer(tokenOf(fixture, accountId))
  if (credential.by === 'expired token') return bearer(expiredTokenOf(fixture, accountId))
  if (credential.by === 'ended token') return bearer(await endedTokenOf(fixture, accountId))
  const cookie = `recount_user=${tokenOf(fixture, accountId)}`
  return credential.by === 'foreign cookie' ? { cookie } : { cookie, host: new URL(fixture.url).host, origin: fixture.url }
}

function keyHeaders({ token, writeKey }: Key, by: KeyHolder['by']): Headers {
  if (by === 'X-API-Key') return { 'x-api-key': token }
  return bearer(by === 'write key' ? writeKey : token)
}

/** Who may do whatever the home organisation or the installation lets anybody do. */
function mightiest(access: Access): Person {
  return access === 'operator' ? 'operator' : 'owner'
}

function bearer(token: string): Headers {
  return { authorization: `Bearer ${token}` }
}

/** The first character of the signature is another. */
function spoilt(token: string): string {
  const at = token.lastIndexOf('.') + 1
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
}
