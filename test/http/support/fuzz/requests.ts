// Requests to every operation of the OpenAPI document, so that a new route is tried without being named here: as the
// document says, almost so, and not at all so.
import { gzipSync } from 'node:zlib'
import { type Access, accessOf } from '../../../../src/http/access.ts'
import { openApiDocument } from '../../../../src/http/openapi.ts'
import { hostile, hostileText, NAMES } from './hostile.ts'
import { type Random, randomOf } from './random.ts'
import { type Schema, type Values, valuesOf } from './schema.ts'
import type { Credential, World } from './world.ts'

export interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: Buffer | undefined
  /** `get /apps/{appId}`; undefined for what is no operation. */
  readonly operation: string | undefined
  readonly credential: Credential
}

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly schema: Schema
}

interface Operation {
  readonly method: string
  readonly template: string
  readonly parameters: readonly Parameter[]
  readonly body: Schema | undefined
  readonly access: Access
}

const document = openApiDocument()
const components = (document['components'] as { schemas: Record<string, Schema> }).schemas

export const OPERATIONS: readonly Operation[] = Object.entries(document.paths).flatMap(([template, item]) =>
  Object.entries(item).map(([method, operation]) => ({
    ...{ method: method.toUpperCase(), template, parameters: (operation['parameters'] ?? []) as Parameter[] },
    body: (operation['requestBody'] as { content: Record<string, { schema: Schema }> } | undefined)?.content['application/json']?.schema,
    access: accessOf(operation),
  })),
)

type Care = 'valid' | 'nearly' | 'garbage'

/** The same for the same seed, number and world. */
export function requestOf(world: World, seed: string, number: number): Sent {
  const random = randomOf(`${seed}/${number}`)
  const operation = random.pick(OPERATIONS)
  const care: Care = random.chance(0.5) ? 'valid' : random.chance(0.75) ? 'nearly' : 'garbage'
  const credential = credentialFor(world, operation, random)
  // Mostly about what is its own.
  const own = credential.isRival ? world.rivals : world.home
  const strange = credential.isRival ? world.home : world.rivals
  const pool = (name: string): readonly string[] | undefined => (random.chance(0.85) || NEVER_STRANGE.has(name) ? own[name] : strange[name]) ?? world.home[name]
  const values = valuesOf(components, pool, random)
  const parts = partsOf(operation, care, values, random)
  const asked = random.chance(0.15) ? disturbed(parts, random) : parts
  return { ...asked, headers: { ...credential.headers, ...asked.headers }, credential, operation: `${operation.method} ${operation.template}` }
}

/**
 * A visitor is whoever an event says: another's name sent into one's own app is one's own. And whoever has the token of an invitation
 * is a member from then on, who may be seen and see.
 */
const NEVER_STRANGE = new Set(['anonymousId', 'token'])

/** Whoever is signed out is refused from then on, and with them whatever would have come after. */
const ENDS_SESSIONS = new Set(['POST /auth/sign-out', 'POST /accounts/{accountId}/sign-out', 'DELETE /auth/sessions/{sessionId}'])

// Rebuilds fold the whole log, and sign-outs end a world: one in ten of those that could happen is kept, which is enough.
function credentialFor({ credentials }: World, { method, template, access }: Operation, random: Random): Credential {
  const named = (name: string): Credential => credentials.find((one) => one.name === name)!
  const isOwners = typeof access === 'string' || 'organisation' in access || access.app !== undefined
  const fitting = access === 'operator' ? named('who runs it') : isOwners ? named('the owner') : named('a key')
  const credential = random.chance(0.6) ? fitting : random.pick(credentials)
  const isRebuild = method === 'POST' && template.startsWith('/projections/')
  if (ENDS_SESSIONS.has(`${method} ${template}`)) return random.chance(0.1) ? credential : named('a key')
  return credential.isOperator && isRebuild && !random.chance(0.1) ? named('the owner') : credential
}

interface Parts {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string | readonly string[]>
  readonly body: Buffer | undefined
}

function partsOf({ method, template, parameters, body }: Operation, care: Care, values: Values, random: Random): Parts {
  const wrong = care === 'nearly' ? random.int(parameters.length + (body === undefined ? 0 : parameters.length + 1)) : -1
  const valueOf = ({ name, schema }: Parameter, index: number): unknown => {
    if (care === 'garbage') return hostile(random)
    return index === wrong ? values.nearlyValid(schema, name) : values.valid(schema, name)
  }
  let path = template
  const query: string[] = []
  for (const [index, parameter] of parameters.entries()) {
    if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, () => encoded(valueOf(parameter, index)) || '%20')
    else if (isWanted(parameter, query, random) || index === wrong) query.push(...pairs(parameter.name, valueOf(parameter, index), random, care))
  }
  if (care === 'garbage' && random.chance(0.3)) query.push(random.pick(['&&&', '=', '%', '%zz=%ff', '[]=1', '__proto__=1', 'a=1&'.repeat(1_500), ';', '+', 'appId']))
  const sent = query.length === 0 ? path : `${path}?${query.join('&')}`
  if (body === undefined) return { method, path: sent, headers: {}, body: undefined }
  const value = care === 'garbage' ? hostile(random) : wrong >= parameters.length ? values.nearlyValid(body, '') : values.valid(body, '')
  return { method, path: sent, headers: { 'content-type': 'application/json' }, body: value === undefined ? undefined : Buffer.from(JSON.stringify(value)) }
}

// An `after` that names no event is waited for: seconds each, so it is asked seldom. A range is said in one way.
function isWanted({ name, required }: Parameter, before: readonly string[], random: Random): boolean {
  if (required || name === 'appId') return required || random.chance(0.9)
  if (name === 'after') return random.chance(0.02)
  if (name === 'period' && before.some((pair) => /^(from|to)=/.test(pair))) return false
  return random.chance(0.25)
}

function pairs(name: string, value: unknown, random: Random, care: Care): string[] {
  const pair = `${encoded(name)}=${encoded(value)}`
  if (care === 'valid' || random.chance(0.9)) return [pair]
  return random.pick([[pair, pair], [`${name}[]=${encoded(value)}`], [`${name}[__proto__]=1`], [`${encoded(random.pick(NAMES))}=1`, pair], [`${name}=%`, pair], [`${name}=%ED%A0%80`], [name]])
}

function encoded(value: unknown): string {
  const text = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)
  // An address of this length is refused before anybody looks at it; half of that is looked at.
  const short = text.slice(0, 4_000)
  return Buffer.from(short).toString('latin1').replaceAll(/[^\w.~-]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`)
}

/** The same request, carried wrongly. */
function disturbed(parts: Parts, random: Random): Parts {
  const body = parts.body ?? Buffer.from('{}')
  const withHeaders = (headers: Record<string, string | readonly string[]>, sent = parts.body): Parts => ({ ...parts, headers: { ...parts.headers, ...headers }, body: sent })
  const [route, query = ''] = parts.path.split(/(?=\?)/, 2) as [string, string?]
  const changes: (() => Parts)[] = [
    () => ({ ...parts, method: random.pick(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'M-SEARCH', 'QUERY']) }),
    () => ({ ...parts, path: `${random.pick([`/${route}`, `${route}/`, `${route}//`, route.toUpperCase(), `${route}%2f`, `${route}/..`, `/.${route}`, `${route};a=1`, `${route}%00`, `${route}.json`])}${query}` }),
    () => withHeaders({ 'content-type': random.pick(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/json; charset=utf-16', 'application/json; charset=nope', 'application/JSON;', '*/*', '', 'a'.repeat(500)]) }, body),
    () => withHeaders({ 'content-encoding': random.pick(['gzip', 'br', 'deflate', 'zstd', 'constructor', 'gzip, gzip', '']) }, body),
    () => withHeaders({ 'content-encoding': 'gzip' }, gzipSync(body)),
    () => withHeaders({}, body.subarray(0, random.int(body.length))),
    () => withHeaders({}, Buffer.concat([body, Buffer.from(random.pick(['}', ',', '\0', '{}', '\u2028']))])),
    () => withHeaders({}, Buffer.from([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])),
    () => withHeaders({}, Buffer.alloc(random.pick([100_001, 1_000_001]), 0x20)),
    () => withHeaders({ accept: random.pick(['text/html', 'text/event-stream', 'application/xml', '*/*;q=0', ',,,', 'a/b;q=x']) }),
    () => withHeaders({ 'if-none-match': random.pick(['*', '""', 'W/"x"', '"', 'x'.repeat(2_000)]), 'if-modified-since': 'never', range: 'bytes=0-0' }),
    () => withHeaders({ origin: random.pick(['null', 'https://evil.example', 'http://[', ' ', 'x'.repeat(3_000)]), 'sec-fetch-site': 'cross-site' }),
    () => withHeaders({ 'x-forwarded-for': random.pick(['::1', '1.2.3.4, 5.6.7.8', 'garbage', ',,,']), 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example', forwarded: 'for=_hidden' }),
    () => withHeaders({ 'x-http-method-override': 'DELETE', 'transfer-encoding': 'chunked', 'user-agent': Buffer.from(hostileText(random)).toString('latin1').replaceAll(/[^\x20-\x7e\x80-\xff]/g, '') }, body),
    () => withHeaders({ cookie: random.pick(['recount_user', 'recount_user=;recount_user=x', 'recount_user="a"', '=;;=', 'a=b; '.repeat(500), '__Host-recount_user=x']) }),
    () => withHeaders({ authorization: random.pick(['Bearer', 'Bearer ', 'bearer a b', 'Bearer a.b.c', `Bearer ${'a'.repeat(5_000)}`, 'Basic Og==', 'Bearer\tx', 'Bearer é']) }),
  ]
  return random.pick(changes)()
}
