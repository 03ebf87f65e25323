// What one person did, event by event: the newest visit first, and in it the newest event. Events that belong to no visit
// (imported assets, requests and errors, engagement that nothing else followed) are not in it: nothing says whose they were
// but the log, which GET /events lists. Never cached: what is erased is gone.
import { LIMITS } from '../limits.ts'
import { type ListedVisit, type VisitCursor, visitsOfVisitors } from '../projections/web/visitsRead.ts'
import { cursorOf, notACursor, PERSON_PROPERTIES, type PersonParams, personOf, visitCursor } from './person.ts'
import type { Query, Snapshot } from './query.ts'
import { AS_OF_SCHEMA } from './schemas.ts'
import { eventsOf, onlyOf, type VisitEvent } from './visitEvents.ts'

export interface TimelineParams extends PersonParams {
  readonly limit?: number
  readonly cursor?: string
}

export interface TimelineItem {
  readonly id: string
  readonly event: string
  readonly url: string | null
  readonly title: string | null
  readonly at: string
  readonly visitStart: string
}

export interface Timeline {
  readonly events: readonly TimelineItem[]
  readonly nextCursor: string | null
}

const VISITS_AT_ONCE = 20

const time = { type: 'string', format: 'date-time' } as const
const text = { type: ['string', 'null'] } as const

export const timeline: Query<TimelineParams, Timeline> = {
  name: 'timeline',
  projection: 'web',
  ranged: false,
  uncached: true,
  params: {
    title: 'TimelineParameters',
    type: 'object',
    additionalProperties: false,
    properties: {
      ...PERSON_PROPERTIES,
      limit: { type: 'integer', minimum: 1, maximum: LIMITS.pageMax, description: `Events of an answer. Default: ${LIMITS.pageDefault}.` },
      cursor: { type: 'string', minLength: 1, maxLength: 128, description: '`nextCursor` of the answer before.' },
    },
  },
  result: {
    title: 'Timeline',
    description: 'The events of one person, with the anonymous history that turned out to be theirs: the newest visit first, and in it the newest event.',
    type: 'object',
    additionalProperties: false,
    required: ['events', 'nextCursor', 'asOf'],
    properties: {
      events: {
        type: 'array',
        description: 'Without those that belong to no visit.',
        items: {
          title: 'TimelineEvent',
          type: 'object',
          additionalProperties: false,
          required: ['id', 'event', 'url', 'title', 'at', 'visitStart'],
          properties: { id: { type: 'string', description: 'UUID.' }, event: { type: 'string' }, url: text, title: text, at: time, visitStart: { ...time, description: 'Equal for events of one visit.' } },
        },
      },
      nextCursor: text,
      asOf: AS_OF_SCHEMA,
    },
    example: {
      events: [{ id: '0190f5d0-7b1e-7c3a-9d57-0d2f3f1c9a55', event: 'pageview', url: 'https://example.com/', title: 'Home', at: '2026-11-22T11:59:00.000Z', visitStart: '2026-11-22T11:50:00.000Z' }],
      nextCursor: null,
      asOf: AS_OF_SCHEMA.example,
    },
  },
  async run(snapshot, { limit = LIMITS.pageDefault, cursor, ...who }) {
    const from = cursor === undefined ? START : placeOf(cursor)
    const ordinals = await personOf(snapshot, who)
    const events: TimelineItem[] = []
    let place = from
    let looked = 0
    for await (const visit of visitsFrom(snapshot, ordinals, from.after)) {
      for (const event of await unseenOf(snapshot, ordinals, visit, place)) {
        if (events.length === limit) return { events, nextCursor: formatPlace(place) }
        events.push(itemOf(event, visit))
        place = { after: justBefore(visit), before: event }
      }
      place = { after: visit, before: undefined }
      if (++looked === LIMITS.timelineVisits) return { events, nextCursor: formatPlace(place) }
    }
    return { events, nextCursor: null }
  },
}

/** Behind which visit to go on, be it one that never was, and in the one that follows, before which event. */
interface Place {
  readonly after: VisitCursor | undefined
  readonly before: { readonly occurredAt: number; readonly position: number } | undefined
}

const START: Place = { after: undefined, before: undefined }

/** What this visit, and no other, comes next to: newer visits that arrive between two pages change nothing. */
function justBefore({ startMs, client }: VisitCursor): VisitCursor {
  const next = Buffer.from(client)
  for (let at = next.length - 1; at >= 0; at--) {
    next[at] = (next[at]! + 1) & 0xff
    if (next[at] !== 0) break
  }
  return { startMs, client: next }
}

function formatPlace({ after, before }: Place): string {
  return `${after === undefined ? '' : cursorOf(after)}~${before === undefined ? '' : `${before.occurredAt}.${before.position}`}`
}

function placeOf(text: string): Place {
  const match = /^([^~]*)~(?:(\d{1,15})\.(\d{1,15}))?$/.exec(text)
  const after = match === null || match[1] === '' ? undefined : visitCursor(match[1]!)
  if (match === null || (match[1] !== '' && after === undefined)) throw notACursor()
  return { after, before: match[2] === undefined ? undefined : { occurredAt: Number(match[2]), position: Number(match[3]) } }
}

async function* visitsFrom({ trx, build, appId }: Snapshot, ordinals: ReadonlySet<number>, from: VisitCursor | undefined): AsyncGenerator<ListedVisit> {
  for (let after = from; ; ) {
    const visits = await visitsOfVisitors(trx, build, { appId, visitors: [...ordinals], limit: VISITS_AT_ONCE, after })
    yield* visits
    if (visits.length < VISITS_AT_ONCE) return
    after = visits.at(-1)
  }
}

/** Newest first, without those of a page before. */
async function unseenOf(snapshot: Snapshot, ordinals: ReadonlySet<number>, visit: ListedVisit, { before }: Place): Promise<VisitEvent[]> {
  const events = await onlyOf(snapshot, ordinals, await eventsOf(snapshot, visit))
  return events.reverse().filter(({ occurredAt, position }) => before === undefined || occurredAt < before.occurredAt || (occurredAt === before.occurredAt && position < before.position))
}

function itemOf({ eventId, occurredAt, data }: VisitEvent, { startMs }: ListedVisit): TimelineItem {
  const [at, visitStart] = [new Date(occurredAt).toISOString(), new Date(startMs).toISOString()]
  return { id: eventId, event: data.event, url: data.url ?? null, title: data.title ?? null, at, visitStart }
}
