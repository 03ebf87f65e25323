// POST /collect: where every event comes in. It is served straight from Node's http server, because an Express stack in
// front of it costs five sixths of the machine; what it does is prove the key, read the body, hand over, and answer.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CollectAnswer, CollectRequest } from '../../commands/collectEvents.ts'
import { Problem } from '../../errors.ts'
import { NIL_UUID } from '../../kernel/ids.ts'
import { LIMITS } from '../../limits.ts'
import { readJson } from '../body.ts'
import type { ClientAddress } from '../clientAddress.ts'
import { checkOrigin, corsHeaders, PREFLIGHT } from '../cors.ts'
import { type KeyAuthority, type KeyGrant, requireScope } from '../credentials.ts'
import type { HttpDeps } from '../deps.ts'
import { writeProblem } from '../problems.ts'
import { rateFields, refuseBeyond } from '../rateFields.ts'
import type { Verdict } from '../rateLimiter.ts'
import type { Refusals } from '../refusals.ts'

export type Handler = (req: IncomingMessage, res: ServerResponse) => void

/** True for /collect with or without a trailing slash and a query. */
export function isCollect(url: string): boolean {
  if (url === '/collect') return true
  if (!url.startsWith('/collect')) return false
  const next = url.charCodeAt(8) === SLASH ? url.charCodeAt(9) : url.charCodeAt(8)
  return next === QUESTION || Number.isNaN(next)
}

const SLASH = 0x2f
const QUESTION = 0x3f

/**
 * @openapi
 * /collect:
 *   post:
 *     operationId: collect
 *     tags: [Events]
 *     summary: Collect one event or many
 *     description: >
 *       One event, an array of events, or an envelope. JSON whatever the content type; gzip, deflate and br. Valid events of a
 *       request are kept when others in it are not. Sending the same id again is safe, it counts once.
 *     x-access: { scope: collect }
 *     x-query-schema: CollectParameters
 *     requestBody:
 *       required: true
 *       content:
 *         application/json: { schema: { $ref: '#/components/schemas/CollectBody' } }
 *     responses:
 *       201:
 *         description: Committed to the log (ack=stored)
 *         content: { application/json: { schema: { $ref: '#/components/schemas/CollectAnswer' } } }
 *       202:
 *         description: Safe, and on its way into the log
 *         content: { application/json: { schema: { $ref: '#/components/schemas/CollectAnswer' } } }
 */
export function createCollect(deps: HttpDeps, authority: KeyAuthority, addressOf: ClientAddress, refusals: Refusals): Handler {
  const edge: CollectEdge = { deps, authority, addressOf, refusals }
  return (req, res) => void serve(edge, req, res)
}

interface CollectEdge {
  readonly deps: HttpDeps
  readonly authority: KeyAuthority
  readonly addressOf: ClientAddress
  readonly refusals: Refusals
}

async function serve({ deps, authority, addressOf, refusals }: CollectEdge, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const started = performance.now()
  let status: number
  let more = corsHeaders(req)
  // A promise is waited for only where there is one: each is paid for by every event that comes in.
  const admit = (verdict: Verdict, isTold: boolean): Promise<void> | undefined => {
    if (verdict instanceof Promise) return verdict.then((standing) => void admit(standing, isTold))
    if (verdict === undefined) return undefined
    if (isTold || !verdict.allowed) more = more.concat(rateFields(verdict))
    refuseBeyond(verdict)
    return undefined
  }
  const check = (grant: KeyGrant): Promise<void> | undefined => {
    requireScope(grant.scopes, grant.key, 'collect')
    checkOrigin(grant.key, req.headers.origin)
    return admit(deps.rateLimiter.key(grant.key, 'collect'), true)
  }
  try {
    const address = addressOf(req)
    const asking = admit(deps.rateLimiter.collect(address), false)
    if (asking !== undefined) await asking
    if (req.method === 'POST') {
      const request = begun(deps, authority, address, req)
      // Whoever names a key in a header or the address is refused before a byte of the body is kept.
      let grant = request.grant instanceof Promise ? await request.grant : request.grant
      let checking = grant === undefined ? undefined : check(grant)
      if (checking !== undefined) await checking
      const body = await readJson(req, BOUNDS)
      // A body may take its time, and a key that ended meanwhile brings nothing in any more.
      const standing = authority.resolve(request.credential ?? writeKeyOf(body))
      const present = standing instanceof Promise ? await standing : standing
      if (grant === undefined) {
        checking = check(present)
        if (checking !== undefined) await checking
      } else requireScope(present.scopes, present.key, 'collect')
      grant = present
      const answer = await deps.collector.collect(asked(request, grant, body, req))
      deps.metrics.collect.accepted += answer.accepted
      deps.metrics.collect.rejected += answer.rejected.length
      deps.metrics.collect.duplicates += answer.duplicates ?? 0
      write(res, answer, more)
      status = answer.status
    } else status = otherMethod(req, res)
  } catch (error) {
    const problem = writeProblem(res, error, deps, more)
    status = problem.status
    refusals({ code: problem.code, status, method: 'POST', route: '/collect', address: addressOf(req) })
  }
  deps.metrics.collected(status, (performance.now() - started) / 1_000)
}

// Each event's own nesting is judged with the event, so that one that is too deep does not take the others along.
const BOUNDS = { bytes: LIMITS.bodyBytes, depth: LIMITS.bodyDepth }

interface Begun {
  readonly receivedAt: number
  readonly address: string | undefined
  readonly ackStored: boolean
  /** Undefined: the body has to name the key. */
  readonly credential: string | undefined
  readonly grant: KeyGrant | Promise<KeyGrant> | undefined
}

/** What can be decided before the body is read, at once: this function and its caller are one promise for every event that comes in. */
function begun(deps: HttpDeps, authority: KeyAuthority, address: string | undefined, req: IncomingMessage): Begun {
  const receivedAt = deps.clock.now()
  const parameters = parametersOf(req.url!)
  const credential = req.headers.authorization ?? apiKeyOf(req) ?? parameters.key
  const grant = credential === undefined ? undefined : authority.resolve(credential)
  return { receivedAt, address, ackStored: parameters.ackStored, credential, grant }
}

function asked({ receivedAt, address, ackStored }: Begun, { key, viaPublicKey }: KeyGrant, body: unknown, { headers }: IncomingMessage): CollectRequest {
  const browser = headers.origin !== undefined || headers['sec-fetch-site'] !== undefined
  return { body, key, viaPublicKey, ackStored, receivedAt, browser, address, userAgent: headers['user-agent'] }
}

function apiKeyOf(req: IncomingMessage): string | undefined {
  const header = req.headers['x-api-key']
  return typeof header === 'string' ? header : header?.[0]
}

function writeKeyOf(body: unknown): string {
  if (typeof body === 'object' && body !== null && 'writeKey' in body) {
    if (typeof body.writeKey === 'string' && body.writeKey.startsWith('rk_')) return body.writeKey
    throw new Problem('unauthenticated', 'writeKey takes a write key (rk_…); a token goes into the Authorization header')
  }
  throw new Problem('unauthenticated', 'Send Authorization: Bearer <analytics token or rk_… key>')
}

interface Parameters {
  readonly ackStored: boolean
  readonly key?: string
}

const NO_PARAMETERS: Parameters = { ackStored: false }

/** What the query of /collect may say; described by hand, because this path has no time for a URL parser. */
export const collectParameters = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ack: { type: 'string', enum: ['stored'], description: 'Answer only once the log has committed' },
    key: { type: 'string', description: 'A public write key (rk_…), for senders that can set no header' },
  },
} as const

function parametersOf(url: string): Parameters {
  const at = url.indexOf('?')
  if (at < 0) return NO_PARAMETERS
  let ackStored = false
  let key: string | undefined
  for (const [name, value] of new URLSearchParams(url.slice(at + 1))) {
    if (name === 'ack' && value === 'stored' && !ackStored) ackStored = true
    else if (name === 'key' && value.startsWith('rk_') && key === undefined) key = value
    else throw new Problem('invalid_parameter', undefined, { errors: [{ path: name.slice(0, 64), detail: faultOf(name) }] })
  }
  return key === undefined ? { ackStored } : { ackStored, key }
}

function faultOf(name: string): string {
  if (name === 'ack') return 'takes stored, once'
  // Addresses end up in logs and histories; a token would be there for all to use.
  if (name === 'key') return 'takes a public write key (rk_…), once; a token goes into the Authorization header'
  return 'is not a parameter of this route'
}

function write(res: ServerResponse, answer: CollectAnswer, cors: readonly string[]): void {
  const { status, accepted, ids } = answer
  // A single event's answer is by far the most frequent; an id is a UUID, which needs no escaping and has one length.
  if (status === 202 && accepted === 1 && ids.length === 1) {
    res.writeHead(202, cors.length === 0 ? ONE_HEAD : ONE_HEAD.concat(cors))
    res.end(ONE[0] + ids[0]! + ONE[1], 'latin1')
    return
  }
  const body = `${JSON.stringify({ ...answer, status: undefined })}\n`
  // Ids, codes and JSON's escapes aside, details may quote what was sent: count bytes, not characters.
  const headers = headOf(Buffer.byteLength(body))
  res.writeHead(status, cors.length === 0 ? headers : headers.concat(cors))
  res.end(body)
}

const headOf = (bytes: number): string[] => ['Content-Type', 'application/json', 'Content-Length', String(bytes), 'X-Content-Type-Options', 'nosniff']
const ONE = ['{"accepted":1,"ids":["', '"],"rejected":[]}\n'] as const
const ONE_HEAD = headOf(ONE[0].length + NIL_UUID.length + ONE[1].length)

const ALLOW = ['Allow', 'POST, OPTIONS']

function otherMethod(req: IncomingMessage, res: ServerResponse): number {
  if (req.method !== 'OPTIONS') {
    ALLOW.forEach((text, at) => at % 2 === 1 && res.setHeader(ALLOW[at - 1]!, text))
    throw new Problem('method_not_allowed')
  }
  res.writeHead(204, [...ALLOW, ...corsHeaders(req), ...(req.headers.origin === undefined ? [] : PREFLIGHT)])
  res.end()
  return 204
}
