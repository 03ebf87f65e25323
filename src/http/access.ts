// Who may use an operation, as its `x-access` says: read strictly, put into words for people and into `security` for
// programs. Nothing is enforced from it; tests hold every route against it, so that neither it nor a route can be wrong alone.
import { Problem } from '../errors.ts'
import type { MemberRole, Role } from '../events/organisations.ts'
import type { Scope } from '../events/schemas.ts'

export interface AppAccess {
  /** Of people, on the app; undefined: no person may, whatever their role. */
  readonly app?: Role
  /** Of keys; undefined: no key may. */
  readonly scope?: Scope
}

export interface OrganisationAccess {
  /** Of people; `guest`: whoever belongs to it. */
  readonly organisation: MemberRole
}

/** `open` to anybody; `user`: any account, about what is its own; `operator` and `metrics`: whoever runs the installation. */
export type Access = 'open' | 'user' | 'operator' | 'metrics' | AppAccess | OrganisationAccess

const WORDS = {
  open: 'Needs no credentials.',
  user: 'Needs an account that is signed in, and is about what it sees; no key may.',
  operator: 'Needs an owner of the first organisation; no key may.',
  metrics: 'Needs METRICS_TOKEN or a loopback address.',
} as const

const ROLES: Readonly<Record<Role, true>> = { viewer: true, analyst: true, admin: true, owner: true }
const MEMBER_ROLES: Readonly<Record<MemberRole, true>> = { guest: true, ...ROLES }
const SCOPES: Readonly<Record<Scope, true>> = { collect: true, query: true, people: true }

type Requirement = Readonly<Record<string, readonly string[]>>

const PERSON: readonly Requirement[] = [{ userToken: [] }, { userCookie: [] }]

/** Throws Problem `internal` where it has none of the forms above, with the name of the operation. */
export function accessOf(operation: { readonly operationId?: unknown; readonly 'x-access'?: unknown }): Access {
  const said = operation['x-access']
  if (isOneOf(WORDS, said)) return said
  if (isOrganisation(said) || isApp(said)) return said
  const name = String(operation.operationId)
  throw new Problem('internal', `${name}: x-access is ${JSON.stringify(said)}; it takes ${Object.keys(WORDS).join(', ')}, { app: <role>, scope: <scope> } or { organisation: <role> }`)
}

export function accessInWords(access: Access): string {
  if (typeof access === 'string') return WORDS[access]
  if ('organisation' in access) {
    const { organisation } = access
    return `Needs ${organisation === 'guest' ? 'to belong to the organisation' : `the role ${organisation} in the organisation`}; no key may.`
  }
  const { app, scope } = access
  if (app === undefined) return `Needs a key with the scope ${scope}.`
  return `Needs the role ${app} on the app${scope === undefined ? '; no key may' : `, or a key with the scope ${scope}`}.`
}

/** As OpenAPI says it; undefined: nothing is needed. */
export function securityOf(access: Access): readonly Requirement[] | undefined {
  if (access === 'open') return undefined
  if (access === 'metrics') return [{ metricsToken: [] }, {}]
  if (typeof access === 'string' || 'organisation' in access) return PERSON
  const people = access.app === undefined ? [] : PERSON
  if (access.scope === undefined) return people
  // The public key in the address is for /collect: it reads nothing.
  return [...people, { analyticsToken: [] }, { apiKey: [] }, ...(access.scope === 'collect' ? [{ writeKey: [] }] : [])]
}

function isOrganisation(said: unknown): said is OrganisationAccess {
  return isObject(said) && Object.keys(said).join() === 'organisation' && isOneOf(MEMBER_ROLES, said['organisation'])
}

function isApp(said: unknown): said is AppAccess {
  if (!isObject(said) || Object.keys(said).length === 0 || Object.keys(said).some((name) => name !== 'app' && name !== 'scope')) return false
  const { app, scope } = said
  return (app === undefined || isOneOf(ROLES, app)) && (scope === undefined || isOneOf(SCOPES, scope))
}

function isOneOf<Name extends string>(names: Readonly<Record<Name, unknown>>, said: unknown): said is Name {
  return typeof said === 'string' && Object.hasOwn(names, said)
}

function isObject(said: unknown): said is Record<string, unknown> {
  return typeof said === 'object' && said !== null && !Array.isArray(said)
}
