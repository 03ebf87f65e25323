// The log as people browse it: an app's collected events, newest first, and everything that is known of one. Read from the
// log and never cached: an erased event must be gone at once.
import { type EventCollected, eventCollected } from '../events/eventCollected.ts'
import { decodeData, type FoldEvent } from '../events/catalogue.ts'
import type { EventLog, StoredEvent } from '../events/eventLog.ts'
import { ARRIVAL_DIMENSIONS, type ArrivalDimension, EVENT_DIMENSIONS, type EventDimension } from '../events/dimensionNames.ts'
import { Problem } from '../errors.ts'
import { DAY_MS, localDays } from '../kernel/calendar.ts'
import { isUuid } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { arrivalValues, eventValues, RULESET_VERSION } from '../projections/enrichment/dimensions.ts'
import { SLOT_MS } from '../projections/eventSummary/cells.ts'
import { DEVICES, namedDevice, userAgent } from '../projections/enrichment/userAgents.ts'
import { identityOf } from '../projections/visitors/visitors.ts'
import { type Correction, correctionOf, correctionsOf, latestContent, type Status, statusOf } from './eventCorrections.ts'
import { eventItem, eventsResult, oneEventResult } from './eventsSchemas.ts'
import type { Query, Snapshot } from './query.ts'

export interface BrowseEventsParams {
  readonly event?: string
  readonly limit?: number
  readonly cursor?: string
}

export interface EventItem {
  readonly id: string
  readonly event: string | null
  readonly occurredAt: string
  readonly recordedAt: string
  readonly position: number
  /** As stored; null where it was erased. */
  readonly data: Readonly<Record<string, unknown>> | null
}

export interface ListedEvent extends EventItem {
  readonly status: Status
}

export interface Events {
  readonly events: readonly ListedEvent[]
  readonly nextCursor: string | null
}

export const browseEvents: Query<BrowseEventsParams, Events> = {
  name: 'events',
  projection: 'eventSummary',
  ranged: false,
  uncached: true,
  params: {
    title: 'EventsParameters',
    type: 'object',
    additionalProperties: false,
    properties: {
      event: { type: 'string', minLength: 1, maxLength: LIMITS.eventNameChars, description: 'Only events of this name.' },
      limit: { type: 'integer', minimum: 1, maximum: LIMITS.pageMax, default: LIMITS.pageDefault },
      cursor: { type: 'string', minLength: 1, maxLength: 512, description: '`nextCursor` of the answer before. A page may be short, or empty, and still have one.' },
    },
  },
  result: eventsResult,
  async run({ log, appId, position }, { event, limit = LIMITS.pageDefault, cursor }) {
    // No newer than what is counted, so that the list and the numbers say the same.
    let before = Math.min(positionOf(cursor), position + 1)
    const events: EventItem[] = []
    for (let scanned = 0; scanned < LIMITS.browseScanEvents; ) {
      const want = event === undefined ? limit - events.length : LIMITS.pageMax
      const page = await log.browse(appId, { before, limit: want, type: eventCollected.type })
      for (const stored of page) {
        before = stored.position
        const item = itemOf(stored)
        if (event === undefined || item.event === event) events.push(item)
        if (events.length === limit) return { events: await withStatus(log, appId, events), nextCursor: String(before) }
      }
      if (page.length < want) return { events: await withStatus(log, appId, events), nextCursor: null }
      scanned += page.length
    }
    return { events: await withStatus(log, appId, events), nextCursor: String(before) }
  },
}

async function withStatus(log: EventLog, appId: string, events: readonly EventItem[]): Promise<ListedEvent[]> {
  const corrections = await correctionsOf(log, log.partitionOf(appId), events.map(({ id }) => id))
  return events.map((event) => ({ ...event, status: statusOf(corrections.get(event.id)!) }))
}

export interface OneEvent extends ListedEvent {
  readonly partition: number
  readonly contentHash: string
  /** Oldest first. */
  readonly corrections: readonly Correction[]
  /** What it says after them; null where it was retracted or erased. */
  readonly counts: { readonly occurredAt: string; readonly position: number; readonly data: Readonly<Record<string, unknown>> } | null
  readonly enrichment: {
    readonly rulesetVersion: number
    readonly device: string
    readonly browser: string | null
    readonly os: string | null
    readonly bot: boolean
    readonly visitor: 'userId' | 'anonymousId' | 'cookieless' | null
    readonly dimensions: Readonly<Record<EventDimension, string | null>>
    /** Of its visit, if the visit arrives with this event. */
    readonly arrival: Readonly<Record<ArrivalDimension, string | null>>
  } | null
  readonly countsIn: readonly { readonly projection: string; readonly event: string | null; readonly day: string; readonly slotFrom: string; readonly bot: boolean }[]
}

export const oneEvent: Query<{ readonly eventId: string }, OneEvent> = {
  name: 'event',
  projection: 'eventSummary',
  ranged: false,
  uncached: true,
  params: {
    title: 'OneEventParameters',
    type: 'object',
    additionalProperties: false,
    required: ['eventId'],
    properties: { eventId: { ...eventItem.properties.id, description: 'As /collect answers it.' } },
  },
  result: oneEventResult,
  async run(snapshot, { eventId }) {
    if (!isUuid(eventId.toLowerCase())) throw new Problem('not_found')
    const stored = await snapshot.log.find(snapshot.appId, eventId.toLowerCase())
    if (stored?.type !== eventCollected.type) throw new Problem('not_found')
    const contentHash = (await snapshot.log.contentHash(snapshot.appId, stored.eventId))!
    const events = (await correctionsOf(snapshot.log, stored.partition, [stored.eventId])).get(stored.eventId)!
    const status = statusOf(events)
    const place = { ...itemOf(stored), status, partition: stored.partition, contentHash, corrections: events.map(correctionOf) }
    const content = dataOf(stored) === null ? undefined : latestContent(stored, events)
    if (content === undefined) return { ...place, counts: null, enrichment: null, countsIn: [] }
    const { occurredAt, contentPosition, data } = content
    const counts = { occurredAt: new Date(occurredAt).toISOString(), position: contentPosition, data: data as unknown as Readonly<Record<string, unknown>> }
    return { ...place, counts: status === 'retracted' ? null : counts, enrichment: enrichmentOf(data), countsIn: countedIn(snapshot, stored, events) }
  },
}

/** Where the read model, which may be behind the log, counts the event. */
function countedIn(snapshot: Snapshot, stored: StoredEvent, corrections: readonly FoldEvent[]): OneEvent['countsIn'] {
  const folded = corrections.filter(({ position }) => position <= snapshot.position)
  if (stored.position > snapshot.position || statusOf(folded) === 'retracted') return []
  const { occurredAt, data } = latestContent(stored, folded)!
  return rowsOf(snapshot, occurredAt, data)
}

function enrichmentOf(data: EventCollected): NonNullable<OneEvent['enrichment']> {
  const { device, browser, os, bot } = userAgent(data.userAgent)
  const kind = identityOf(data)?.kind
  return {
    rulesetVersion: RULESET_VERSION,
    device: DEVICES[data.device === undefined ? device : namedDevice(data.device)]!,
    browser,
    os,
    bot,
    visitor: kind === undefined ? null : (['userId', 'anonymousId', 'cookieless'] as const)[kind],
    dimensions: byName(EVENT_DIMENSIONS, eventValues(data)),
    arrival: byName(ARRIVAL_DIMENSIONS, arrivalValues(data)),
  }
}

function byName<N extends string>(names: readonly N[], values: readonly (string | undefined)[]): Readonly<Record<N, string | null>> {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? null])) as Record<N, string | null>
}

/** The rows of eventSummary that hold an event that says this. */
function rowsOf({ timezone }: Snapshot, occurredAt: number, data: EventCollected): OneEvent['countsIn'] {
  const { day } = localDays(timezone).at(occurredAt)
  const row = {
    day: new Date(day * DAY_MS).toISOString().slice(0, 10),
    slotFrom: new Date(Math.floor(occurredAt / SLOT_MS) * SLOT_MS).toISOString(),
    bot: userAgent(data.userAgent).bot,
  }
  return [data.event, null].map((event) => ({ projection: 'eventSummary', event, ...row }))
}

function itemOf(stored: StoredEvent): EventItem {
  const data = dataOf(stored)
  return {
    id: stored.eventId,
    event: data?.event ?? null,
    occurredAt: new Date(stored.occurredAt).toISOString(),
    recordedAt: new Date(stored.recordedAt).toISOString(),
    position: stored.position,
    data: data as Readonly<Record<string, unknown>> | null,
  }
}

/** What cannot be read is shown as erased: browsing goes on where folding would stop. */
function dataOf(stored: StoredEvent): EventCollected | null {
  try {
    return decodeData(stored) as EventCollected | null
  } catch {
    return null
  }
}

function positionOf(cursor: string | undefined): number {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER
  if (/^[1-9]\d{0,14}$/.test(cursor)) return Number(cursor)
  throw new Problem('invalid_parameter', undefined, { errors: [{ path: 'cursor', detail: 'is not a cursor of this list' }] })
}
