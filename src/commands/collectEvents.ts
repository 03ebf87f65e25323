// One request of a producer: every event in it is prepared or refused on its own, what is valid goes to the queue, what is
// not goes to quarantine, and the answer says which is which. Nothing is answered before the queue has made it safe.
import { type Fault, Problem } from '../errors.ts'
import type { Appended, NewEvent, RejectedEvent } from '../events/eventLog.ts'
import type { Clock } from '../kernel/clock.ts'
import { parseInstant } from '../kernel/instants.ts'
import type { Logger } from '../kernel/logger.ts'
import { compile } from '../kernel/validation.ts'
import { located } from '../kernel/validationWords.ts'
import { LIMITS } from '../limits.ts'
import type { AppendQueue } from './appendQueue.ts'
import { envelopeSchema, eventListSchema } from './eventInput.ts'
import type { AppState, KeyState, Keyring } from './keyring.ts'
import { appRules, type EventContext, isRefusal, prepareEvent, type Refusal } from './prepareEvent.ts'
import { canonicalAddress } from './privacyAddress.ts'
import { quarantined } from './quarantine.ts'
import type { SaltStore } from './salts.ts'

export interface CollectRequest {
  /** Parsed JSON. */
  readonly body: unknown
  readonly key: KeyState
  readonly viaPublicKey: boolean
  readonly ackStored: boolean
  /** Epoch milliseconds. */
  readonly receivedAt: number
  /** True when Origin or Sec-Fetch-Site says that a browser made the request. */
  readonly browser: boolean
  /** The request's own. */
  readonly address: string | undefined
  readonly userAgent: string | undefined
}

export interface Rejected {
  readonly index: number
  readonly code: string
  readonly detail: string
}

export interface CollectAnswer {
  /** 201: committed; 202: safe and on its way. */
  readonly status: 201 | 202
  readonly accepted: number
  /** One per input, null where rejected. */
  readonly ids: (string | null)[]
  readonly rejected: Rejected[]
  readonly positions?: (number | null)[]
  readonly duplicates?: number
}

export interface Collector {
  /** Throws Problem: invalid_body, invalid_event (nothing valid), unavailable, overloaded. */
  collect(request: CollectRequest): Promise<CollectAnswer>
}

interface Outcome {
  readonly events: NewEvent[]
  readonly ids: (string | null)[]
  readonly rejected: Rejected[]
  readonly faults: Fault[]
  readonly quarantine: RejectedEvent[]
}

interface Batch {
  readonly events: readonly unknown[]
  readonly sentAt: string | undefined
  /** JSON pointer of an input by its index. */
  readonly pathOf: (index: number) => string
}

const FAULTS_MAX = 100
const checkEnvelope = compile(envelopeSchema)
const checkList = compile(eventListSchema)
const metas = new WeakMap<KeyState, string>()

export function createCollector(deps: {
  readonly keyring: Pick<Keyring, 'state'>
  readonly queue: AppendQueue
  readonly salts: SaltStore
  readonly clock: Clock
  readonly logger: Logger
}): Collector {
  const { keyring, queue, salts, logger } = deps
  return {
    async collect(request) {
      const app = keyring.state.app(request.key.appId)
      if (app === undefined || app.deleted) throw new Problem('not_found', 'The app of this key does not exist any more')
      const batch = batchOf(request.body)
      const context = contextOf(request, app, batch)
      const outcome: Outcome = { events: [], ids: [], rejected: [], faults: [], quarantine: [] }
      for (let index = 0; index < batch.events.length; index++) {
        const input = batch.events[index]
        let prepared = prepareEvent(input, context, salts)
        if (prepared instanceof Promise) prepared = await prepared.catch((error: unknown) => withoutSalt(error, logger))
        if (isRefusal(prepared)) refuse(outcome, prepared, input, index, batch, context)
        else {
          outcome.ids.push(prepared.eventId)
          outcome.events.push(prepared)
        }
      }
      const parcel = { partition: app.partition, receivedAt: request.receivedAt, events: outcome.events, rejected: outcome.quarantine }
      if (request.ackStored && outcome.events.length > 0) return storedAnswer(outcome, await queue.appendStored(parcel))
      await queue.append(parcel)
      if (outcome.events.length === 0) throw new Problem('invalid_event', undefined, { errors: outcome.faults })
      return { status: 202, accepted: outcome.events.length, ids: outcome.ids, rejected: outcome.rejected }
    },
  }
}

function storedAnswer(outcome: Outcome, places: readonly (Appended | null)[] | undefined): CollectAnswer {
  const { ids, rejected, events } = outcome
  if (places === undefined) return { status: 202, accepted: events.length, ids, rejected }
  let next = 0
  const positions: (number | null)[] = []
  ids.forEach((id, index) => {
    const place = id === null ? null : (places[next++] ?? null)
    positions.push(place?.position ?? null)
    if (id === null || place !== null) return
    ids[index] = null
    rejected.push({ index, code: 'not_storable', detail: 'the store cannot hold this event' })
  })
  rejected.sort((left, right) => left.index - right.index)
  const stored = places.filter((place) => place !== null)
  const duplicates = stored.filter(({ duplicate }) => duplicate).length
  return { status: 201, accepted: stored.length, ids, rejected, positions, duplicates }
}

function batchOf(body: unknown): Batch {
  if (typeof body !== 'object' || body === null) {
    throw invalidBody([{ path: '', detail: 'must be an event, a list of events, or {events: […]}' }])
  }
  if (Array.isArray(body)) {
    refuseFaults(checkList(body))
    return { events: body as unknown[], sentAt: undefined, pathOf: (index) => `/${index}` }
  }
  if (!('events' in body)) return { events: [body], sentAt: undefined, pathOf: () => '' }
  refuseFaults(checkEnvelope(body))
  const { events, sentAt } = body as { events: unknown[]; sentAt?: string }
  return { events, sentAt, pathOf: (index) => `/events/${index}` }
}

function refuseFaults(faults: Fault[]): void {
  if (faults.length > 0) throw invalidBody(faults)
}

function invalidBody(errors: readonly Fault[]): Problem {
  return new Problem('invalid_body', located(errors[0]!), { errors })
}

function contextOf(request: CollectRequest, app: AppState, { sentAt }: Batch): EventContext {
  let skewMs = 0
  if (sentAt !== undefined) {
    const sent = parseInstant(sentAt, app.settings.timezone)
    if (sent === undefined) throw invalidBody([{ path: '/sentAt', detail: 'must be an existing instant in ISO 8601' }])
    skewMs = request.receivedAt - sent
  }
  return {
    rules: appRules(app),
    meta: metaOf(request.key),
    receivedAt: request.receivedAt,
    skewMs,
    publicKey: request.viaPublicKey,
    imported: false,
    browser: request.browser ? ownRequest(request) : undefined,
  }
}

function ownRequest({ address, userAgent }: CollectRequest): EventContext['browser'] {
  return {
    address: address === undefined ? undefined : canonicalAddress(address),
    userAgent: userAgent?.slice(0, LIMITS.userAgentChars),
  }
}

function metaOf(key: KeyState): string {
  let meta = metas.get(key)
  if (meta === undefined) {
    meta = JSON.stringify({ keyId: key.keyId })
    metas.set(key, meta)
  }
  return meta
}

function refuse(outcome: Outcome, { code, path, detail }: Refusal, input: unknown, index: number, batch: Batch, context: EventContext): void {
  const said = located({ path, detail })
  outcome.ids.push(null)
  outcome.rejected.push({ index, code, detail: said })
  if (outcome.faults.length < FAULTS_MAX) outcome.faults.push({ path: batch.pathOf(index) + path, detail, code })
  outcome.quarantine.push(quarantined(input, code, said, context))
}

function withoutSalt(error: unknown, logger: Logger): never {
  logger.warn('no salt for a cookieless id', { error })
  throw new Problem('unavailable', undefined, { retryAfterSeconds: 1, cause: error })
}
