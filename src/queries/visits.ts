// The visits of one person, newest first: when, how long, from where, what pages. Never cached: what is erased is gone.
import { ARRIVAL_DIMENSIONS, EVENT_DIMENSIONS } from '../events/dimensionNames.ts'
import { textKey } from '../kernel/hashing.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { eventValues } from '../projections/enrichment/dimensions.ts'
import { bytesOf } from '../projections/storage/rows.ts'
import { chunks } from '../projections/storage/rowSets.ts'
import { type ListedVisit, visitsOfVisitors } from '../projections/web/visitsRead.ts'
import { cursorOf, notACursor, PERSON_PROPERTIES, type PersonParams, personOf, visitCursor } from './person.ts'
import type { Query, Snapshot } from './query.ts'
import { AS_OF_SCHEMA, COUNT_SCHEMA } from './schemas.ts'
import { firstEvents, type VisitEvent } from './visitEvents.ts'

export interface VisitsParams extends PersonParams {
  readonly limit?: number
  readonly cursor?: string
}

export interface VisitItem {
  readonly start: string
  readonly end: string
  readonly durationSeconds: number
  readonly pageviews: number
  readonly events: number
  readonly bounce: boolean
  readonly bot: boolean
  readonly entryPage: string | null
  readonly exitPage: string | null
  readonly source: string | null
  readonly channel: string | null
  readonly country: string | null
  readonly device: string | null
  readonly browser: string | null
}

export interface Visits {
  readonly visits: readonly VisitItem[]
  readonly nextCursor: string | null
}

const time = { type: 'string', format: 'date-time' } as const
const text = { type: ['string', 'null'] } as const

export const visits: Query<VisitsParams, Visits> = {
  name: 'visits',
  projection: 'web',
  ranged: false,
  uncached: true,
  params: {
    title: 'VisitsParameters',
    type: 'object',
    additionalProperties: false,
    properties: {
      ...PERSON_PROPERTIES,
      limit: { type: 'integer', minimum: 1, maximum: LIMITS.pageMax, description: `Visits of an answer. Default: ${LIMITS.pageDefault}.` },
      cursor: { type: 'string', minLength: 1, maxLength: 64, description: '`nextCursor` of the answer before.' },
    },
  },
  result: {
    title: 'Visits',
    description: 'The visits of one person, newest first, with the anonymous history that turned out to be theirs.',
    type: 'object',
    additionalProperties: false,
    required: ['visits', 'nextCursor', 'asOf'],
    properties: {
      visits: {
        type: 'array',
        items: {
          title: 'Visit',
          type: 'object',
          additionalProperties: false,
          required: ['start', 'end', 'durationSeconds', 'pageviews', 'events', 'bounce', 'bot', 'entryPage', 'exitPage', 'source', 'channel', 'country', 'device', 'browser'],
          properties: {
            start: time,
            end: time,
            durationSeconds: { type: 'number', minimum: 0 },
            pageviews: COUNT_SCHEMA,
            events: { ...COUNT_SCHEMA, description: 'Pageviews and others, without those that are no part of a visit.' },
            bounce: { type: 'boolean', description: 'One pageview and nothing else.' },
            bot: { type: 'boolean' },
            entryPage: text,
            exitPage: text,
            source: { ...text, description: 'Where it came from; so is channel.' },
            channel: text,
            country: { ...text, description: 'Of its first event; so are device and browser.' },
            device: text,
            browser: text,
          },
        },
      },
      nextCursor: text,
      asOf: AS_OF_SCHEMA,
    },
    example: {
      visits: [
        {
          ...{ start: '2026-11-22T11:50:00.000Z', end: '2026-11-22T11:59:00.000Z', durationSeconds: 540, pageviews: 4, events: 5, bounce: false, bot: false },
          ...{ entryPage: '/', exitPage: '/pricing', source: 'Google', channel: 'Organic Search', country: 'DE', device: 'mobile', browser: 'Chrome' },
        },
      ],
      nextCursor: null,
      asOf: AS_OF_SCHEMA.example,
    },
  },
  async run(snapshot, { limit = LIMITS.pageDefault, cursor, ...who }) {
    const after = cursor === undefined ? undefined : visitCursor(cursor)
    if (cursor !== undefined && after === undefined) throw notACursor()
    const { trx, build, appId } = snapshot
    const found = await visitsOfVisitors(trx, build, { appId, visitors: [...(await personOf(snapshot, who))], limit: limit + 1, after })
    const shown = found.slice(0, limit)
    const [texts, first] = [await textsOf(snapshot, shown), await firstEvents(snapshot, shown)]
    return { visits: shown.map((visit, at) => itemOf(visit, texts, first[at])), nextCursor: found.length > limit ? cursorOf(shown.at(-1)!) : null }
  },
}

type Texts = ReadonlyMap<number, { readonly dimension: string | undefined; readonly value: string }>

const DIMENSION_OF = new Map(ARRIVAL_DIMENSIONS.map((name) => [textKey(name).toString('hex'), name as string]))

async function textsOf({ trx, build, appId }: Snapshot, of: readonly ListedVisit[]): Promise<Texts> {
  const refs = new Set(of.flatMap(({ entry, exit, arrival }) => [entry, exit, ...arrival].filter((ref) => ref !== undefined)))
  const texts = new Map<number, { dimension: string | undefined; value: string }>()
  for (const some of chunks([...refs])) {
    const rows = await trx('web_values')
      .where({ build, app_id: uuidToBytes(appId) })
      .whereIn('ref', [...some])
      .select<{ ref: number; dimension_key: Uint8Array | ArrayBuffer; value: Uint8Array | ArrayBuffer }[]>('ref', 'dimension_key', 'value')
    for (const { ref, dimension_key: key, value } of rows) {
      texts.set(ref, { dimension: DIMENSION_OF.get(bytesOf(key).toString('hex')), value: bytesOf(value).toString('utf8') })
    }
  }
  return texts
}

function itemOf({ startMs, durationMs, pageviews, events, bounce, bot, entry, exit, arrival }: ListedVisit, texts: Texts, first: VisitEvent | undefined): VisitItem {
  const page = (ref: number | undefined): string | null => (ref === undefined ? null : texts.get(ref)!.value)
  const came = (dimension: string): string | null => arrival.map((ref) => texts.get(ref)).find((one) => one?.dimension === dimension)?.value ?? null
  const values = first === undefined ? [] : eventValues(first.data)
  const said = (dimension: (typeof EVENT_DIMENSIONS)[number]): string | null => values[EVENT_DIMENSIONS.indexOf(dimension)] ?? null
  return {
    ...{ start: new Date(startMs).toISOString(), end: new Date(startMs + durationMs).toISOString(), durationSeconds: durationMs / 1_000 },
    ...{ pageviews, events, bounce, bot, entryPage: page(entry), exitPage: page(exit), source: came('source'), channel: came('channel') },
    ...{ country: said('country'), device: said('device'), browser: said('browser') },
  }
}
