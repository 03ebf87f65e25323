// From what a producer sent to the event the log keeps: pure, so the same input at the same instant always gives the same
// event, whether it came by HTTP or from a file. Only the salt of a cookieless id comes from outside.
import type { EventCollected } from '../events/eventCollected.ts'
import { eventCollected } from '../events/eventCollected.ts'
import type { NewEvent } from '../events/eventLog.ts'
import { parseInstant } from '../kernel/instants.ts'
import { isUuid, uuidv5, uuidv7 } from '../kernel/ids.ts'
import { compile } from '../kernel/validation.ts'
import { LIMITS } from '../limits.ts'
import { cookielessId } from './cookieless.ts'
import { type EventInput, eventInputSchema } from './eventInput.ts'
import type { AppState } from './keyring.ts'
import { canonicalAddress, reduceAddress } from './privacyAddress.ts'
import { isUrl, type QueryRule, queryRule, reduceUrl } from './privacyUrl.ts'
import type { SaltStore } from './salts.ts'

export type RefusalCode = 'invalid_event' | 'timestamp_in_future' | 'timestamp_too_old' | 'not_allowed' | 'metadata_too_large'

/** Why one event is not taken. `path` is a JSON pointer within the event. */
export interface Refusal {
  readonly code: RefusalCode
  readonly path: string
  readonly detail: string
}

/** What holds for all events of one request or import. */
export interface EventContext {
  readonly rules: AppRules
  /** JSON text for the event's meta, the same for all. */
  readonly meta: string | null
  /** Epoch milliseconds. */
  readonly receivedAt: number
  /** Added to every timestamp: how far the producer's clock is behind ours. */
  readonly skewMs: number
  readonly publicKey: boolean
  /** A person lets it in: what a public key may not say is taken, and everything else stays as it came over that key. */
  readonly vouched?: boolean
  readonly imported: boolean
  /** The request's own address (canonical) and user agent; only of a browser, because a server's describe no visitor. */
  readonly browser: { readonly address: string | undefined; readonly userAgent: string | undefined } | undefined
}

/** What an app's settings mean for its events, worked out once per state of the app. */
export interface AppRules {
  readonly app: AppState
  readonly keepQuery: QueryRule
  /** Namespace of ids that came over a public write key, so that nobody can take the ids of trusted producers. */
  readonly publicIds: string
}

const known = new WeakMap<AppState, AppRules>()
const check = compile(eventInputSchema)
const NOT_INTERACTIVE_IMPORTS = new Set(['asset', 'request', 'error'])

export function appRules(app: AppState): AppRules {
  let rules = known.get(app)
  if (rules === undefined) {
    rules = { app, keepQuery: queryRule(app.settings.keepQuery), publicIds: uuidv5(app.appId, 'public') }
    known.set(app, rules)
  }
  return rules
}

/** The context of a trusted import: no request, no clock of a client to correct. */
export function importContext(app: AppState, meta: string | null, receivedAt: number): EventContext {
  return { rules: appRules(app), meta, receivedAt, skewMs: 0, publicKey: false, imported: true, browser: undefined }
}

/** Checks and prepares one event; a promise only where a salt has to be fetched. */
export function prepareEvent(input: unknown, context: EventContext, salts: SaltStore): NewEvent | Refusal | Promise<NewEvent | Refusal> {
  const [fault] = check(input)
  if (fault !== undefined) return { code: 'invalid_event', path: fault.path, detail: fault.detail }
  const event = input as EventInput
  const occurredAt = occurredAtOf(event, context)
  if (typeof occurredAt !== 'number') return occurredAt
  const refusal = refusalOf(event, context)
  if (refusal !== undefined) return refusal
  const address = event.ipAddress === undefined ? context.browser?.address : canonicalAddress(event.ipAddress)
  if (address === undefined) return sized(event, newEvent(event, context, occurredAt, undefined, undefined))
  const salt = salts.peek(context.rules.app, occurredAt)
  if (salt === undefined) return later(event, context, occurredAt, address, salts)
  return sized(event, newEvent(event, context, occurredAt, address, salt))
}

export function isRefusal(prepared: NewEvent | Refusal): prepared is Refusal {
  return 'code' in prepared
}

async function later(
  event: EventInput,
  context: EventContext,
  occurredAt: number,
  address: string,
  salts: SaltStore,
): Promise<NewEvent | Refusal> {
  const salt = await salts.get(context.rules.app, occurredAt)
  return sized(event, newEvent(event, context, occurredAt, address, salt))
}

function occurredAtOf(event: EventInput, context: EventContext): number | Refusal {
  if (event.timestamp === undefined) return context.receivedAt
  const at = instantOf(event.timestamp, context.rules.app.settings.timezone, context)
  if (typeof at !== 'number') return at
  if (isUntrusted(context) && at < context.receivedAt - LIMITS.publicKeyPastMs) {
    return { code: 'timestamp_too_old', path: '/timestamp', detail: 'lies more than 7 days back, which a write key may not send' }
  }
  return at
}

/** When it happened, epoch milliseconds, from what a producer says of it. */
export function instantOf(timestamp: string, timezone: string, { receivedAt, skewMs }: Pick<EventContext, 'receivedAt' | 'skewMs'>): number | Refusal {
  const said = parseInstant(timestamp, timezone)
  if (said === undefined) return invalid('/timestamp', 'must be an existing date and time in ISO 8601, such as 2026-11-22T10:30:00Z')
  const at = said + skewMs
  if (at < LIMITS.earliestMs) return invalid('/timestamp', 'lies before 1970')
  if (at > receivedAt + LIMITS.futureMs) {
    return { code: 'timestamp_in_future', path: '/timestamp', detail: 'lies more than 24 hours in the future' }
  }
  return at
}

function refusalOf(event: EventInput, context: EventContext): Refusal | undefined {
  if (isUntrusted(context) && event.ipAddress !== undefined) return notPublic('/ipAddress')
  if (isUntrusted(context) && event.userAgent !== undefined) return notPublic('/userAgent')
  return valueRefusal(event)
}

function isUntrusted({ publicKey, vouched }: EventContext): boolean {
  return publicKey && vouched !== true
}

/** What the schema cannot say of values, whoever sends them. */
export function valueRefusal(event: Pick<EventInput, 'ipAddress' | 'url' | 'metadata'>): Refusal | undefined {
  if (event.ipAddress !== undefined && canonicalAddress(event.ipAddress) === undefined) {
    return invalid('/ipAddress', 'must be an IPv4 or IPv6 address')
  }
  if (event.url !== undefined && !isUrl(event.url)) {
    return invalid('/url', 'must be absolute (https://…) or a path that starts with /')
  }
  if (deeper(event.metadata, LIMITS.jsonDepth)) {
    return { code: 'metadata_too_large', path: '/metadata', detail: `must not be nested deeper than ${LIMITS.jsonDepth} levels` }
  }
  return undefined
}

/** Metadata is measured only where the whole event's text says that it might be too large. */
function sized(event: EventInput, made: NewEvent): NewEvent | Refusal {
  if (event.metadata === undefined || made.data.length * 3 <= LIMITS.metadataBytes) return made
  return sizeRefusal(event.metadata) ?? made
}

export function sizeRefusal(metadata: Record<string, unknown>): Refusal | undefined {
  if (Buffer.byteLength(JSON.stringify(metadata)) <= LIMITS.metadataBytes) return undefined
  return { code: 'metadata_too_large', path: '/metadata', detail: `must not exceed ${LIMITS.metadataBytes} bytes` }
}

function deeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const inner of Object.values(value)) if (typeof inner === 'object' && deeper(inner, levels - 1)) return true
  return false
}

function newEvent(
  event: EventInput,
  context: EventContext,
  occurredAt: number,
  address: string | undefined,
  salt: Uint8Array | undefined,
): NewEvent {
  return {
    eventId: eventIdOf(event.id, context),
    appId: context.rules.app.appId,
    type: eventCollected.type,
    schemaVersion: eventCollected.schemaVersion,
    occurredAt,
    data: JSON.stringify(collected(event, context, address, salt)),
    meta: context.meta,
  }
}

function eventIdOf(id: string | undefined, { publicKey, receivedAt, rules }: EventContext): string {
  if (id === undefined) return uuidv7(receivedAt)
  const lower = id.length === 36 ? id.toLowerCase() : id
  const isId = isUuid(lower)
  if (publicKey) return uuidv5(rules.publicIds, isId ? lower : id)
  return isId ? lower : uuidv5(rules.app.appId, id)
}

function collected(
  event: EventInput,
  { rules, publicKey, browser, imported }: EventContext,
  address: string | undefined,
  salt: Uint8Array | undefined,
): EventCollected {
  const out: EventCollected = { event: event.event }
  const userAgent = event.userAgent ?? browser?.userAgent
  if (event.url !== undefined) out.url = reduceUrl(event.url, rules.keepQuery)
  const referrer = event.referrer === undefined ? '' : reduceUrl(event.referrer, rules.keepQuery)
  if (referrer !== '') out.referrer = referrer
  if (event.title !== undefined) out.title = event.title
  if (event.userId !== undefined) out.userId = event.userId
  if (event.anonymousId !== undefined) out.anonymousId = event.anonymousId
  if (event.sessionId !== undefined) out.sessionId = event.sessionId
  if (event.device !== undefined) out.device = event.device
  if (address !== undefined) {
    const ip = reduceAddress(address, rules.app.settings.ip)
    if (ip !== undefined) out.ip = ip
    if (salt !== undefined) out.cookieless = cookielessId(salt, rules.app.appId, address, userAgent ?? '')
  }
  if (userAgent !== undefined) out.userAgent = userAgent
  if (browser !== undefined && event.ipAddress === undefined && event.userAgent === undefined) out.browser = true
  if (publicKey && event.userId !== undefined) out.unverified = true
  if (event.screen !== undefined) out.screen = event.screen
  if (event.language !== undefined) out.language = event.language
  if (!(event.interactive ?? interactiveByDefault(event.event, imported))) out.interactive = false
  if (event.value !== undefined) out.value = event.value
  if (event.currency !== undefined) out.currency = event.currency
  if (event.metadata !== undefined) out.metadata = event.metadata
  return out
}

function interactiveByDefault(name: string, imported: boolean): boolean {
  return name !== 'engagement' && !(imported && NOT_INTERACTIVE_IMPORTS.has(name))
}

function invalid(path: string, detail: string): Refusal {
  return { code: 'invalid_event', path, detail }
}

function notPublic(path: string): Refusal {
  return { code: 'not_allowed', path, detail: 'is not taken over a public write key' }
}
