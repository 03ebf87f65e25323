// Who is here now: distinct people of the last 5 and 30 minutes, and minute by minute. Exact, links applied, bots left out;
// by when events occurred, not when they arrived. Never cached: a minute later it is another question.
import { uuidToBytes } from '../kernel/ids.ts'
import { eventsAround } from './liveWindow.ts'
import { readLinks } from './people.ts'
import type { Query } from './query.ts'
import { AS_OF_SCHEMA, COUNT_SCHEMA } from './schemas.ts'

const MINUTE_MS = 60_000
const POINTS = 30
const SOON_MS = 5 * MINUTE_MS

export interface LivePoint {
  /** ISO 8601 start of the minute that ends where the next one starts. */
  readonly at: string
  readonly visitors: number
  readonly pageviews: number
}

export interface Live {
  readonly at: string
  readonly last5Minutes: number
  readonly last30Minutes: number
  readonly minutes: readonly LivePoint[]
  readonly from: 'tables'
}

const time = { type: 'string', format: 'date-time' } as const

export const live: Query<Record<string, never>, Live> = {
  name: 'live',
  projection: 'eventSummary',
  ranged: false,
  uncached: true,
  params: { title: 'LiveParameters', type: 'object', additionalProperties: false, properties: {} },
  result: {
    title: 'Live',
    description: 'Who is here now, without bots.',
    type: 'object',
    additionalProperties: false,
    required: ['at', 'last5Minutes', 'last30Minutes', 'minutes', 'from', 'asOf'],
    properties: {
      at: { ...time, description: 'Now, as the server sees it.' },
      last5Minutes: { ...COUNT_SCHEMA, description: 'Distinct visitors with an event in the last 5 minutes.' },
      last30Minutes: { ...COUNT_SCHEMA, description: 'The same of the last 30 minutes.' },
      minutes: {
        type: 'array',
        minItems: POINTS,
        maxItems: POINTS,
        description: 'The 30 minutes up to now, oldest first; each ends where the next one starts.',
        items: {
          title: 'LivePoint',
          type: 'object',
          additionalProperties: false,
          required: ['at', 'visitors', 'pageviews'],
          properties: { at: { ...time, description: 'Start.' }, visitors: COUNT_SCHEMA, pageviews: COUNT_SCHEMA },
        },
      },
      from: { type: 'string', enum: ['tables'] },
      asOf: AS_OF_SCHEMA,
    },
    example: {
      at: '2026-11-22T12:00:00.000Z',
      last5Minutes: 3,
      last30Minutes: 17,
      minutes: Array.from({ length: POINTS }, (_, at) => ({ at: new Date(Date.UTC(2026, 10, 22, 11, 30 + at)).toISOString(), visitors: at % 3, pageviews: at % 3 })),
      from: 'tables',
      asOf: AS_OF_SCHEMA.example,
    },
  },
  async run(snapshot) {
    const { trx, build, appId, nowMs } = snapshot
    const fromMs = nowMs - POINTS * MINUTE_MS
    const [events, links] = [await eventsAround(snapshot, fromMs, nowMs), await readLinks(trx, { build, app_id: uuidToBytes(appId) })]
    const minutes = Array.from({ length: POINTS }, () => ({ visitors: new Set<number>(), pageviews: 0 }))
    const all = new Set<number>()
    const soon = new Set<number>()
    for (const { atMs, visitor, pageview } of events) {
      // The last minute ends with this instant, which belongs to it.
      if (atMs <= fromMs || atMs > nowMs) continue
      const minute = minutes[Math.ceil((atMs - fromMs) / MINUTE_MS) - 1]!
      if (pageview) minute.pageviews++
      if (visitor < 0) continue
      const person = links.get(visitor) ?? visitor
      minute.visitors.add(person)
      all.add(person)
      if (atMs > nowMs - SOON_MS) soon.add(person)
    }
    return {
      at: new Date(nowMs).toISOString(),
      last5Minutes: soon.size,
      last30Minutes: all.size,
      minutes: minutes.map(({ visitors, pageviews }, at) => ({ at: new Date(fromMs + at * MINUTE_MS).toISOString(), visitors: visitors.size, pageviews })),
      from: 'tables',
    }
  },
}
