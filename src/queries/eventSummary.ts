// How often an event happened in a range, on what devices, and by how many distinct people.
import { localDays } from '../kernel/calendar.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { total } from '../projections/eventSummary/cells.ts'
import { ALL_EVENTS } from '../projections/eventSummary/memory.ts'
import { type Device, DEVICES } from '../projections/enrichment/userAgents.ts'
import type { Query } from './query.ts'
import { COUNT_SCHEMA, DEVICE_DATA_SCHEMA, statsAnswer } from './schemas.ts'
import type { Bots } from './stats.ts'
import { tally } from './summaryTally.ts'

export interface EventSummaryParams {
  readonly event?: string
  readonly bots: Bots
}

export interface EventSummary {
  /** Null for all events. */
  readonly event: string | null
  readonly count: number
  readonly uniqueUsers: number
  readonly deviceData: Readonly<Record<Device, number>>
}

export const eventSummary: Query<EventSummaryParams, EventSummary> = {
  name: 'event-summary',
  projection: 'eventSummary',
  ranged: true,
  stats: {
    bots: 'include',
    question: ({ event }, asked) => ({ ...asked, name: 'event-summary', event }),
  },
  params: {
    title: 'EventSummaryParameters',
    type: 'object',
    additionalProperties: false,
    properties: {
      event: { type: 'string', minLength: 1, maxLength: LIMITS.eventNameChars, description: 'Name of the event; without it all events count.', example: 'pageview' },
    },
  },
  result: statsAnswer({
    title: 'EventSummary',
    description: 'Exact counts of one event, or of all.',
    required: ['event', 'count', 'uniqueUsers', 'deviceData'],
    properties: {
      event: { type: ['string', 'null'], description: 'As asked for; null for all events.' },
      count: { ...COUNT_SCHEMA, description: 'Events in the range.' },
      uniqueUsers: { ...COUNT_SCHEMA, description: 'Distinct people among them, exactly.' },
      deviceData: DEVICE_DATA_SCHEMA,
    },
    example: {
      event: 'login_form_cta_click',
      count: 3400,
      uniqueUsers: 1200,
      deviceData: DEVICE_DATA_SCHEMA.example,
    },
  }),
  async extent({ trx, build, appId, timezone }) {
    const row = await trx('event_summary_days')
      .where({ build, app_id: uuidToBytes(appId), event_key: ALL_EVENTS })
      .min({ first: 'day' })
      .max({ last: 'day' })
      .first<{ first: number | null; last: number | null }>()
    if (row.first === null || row.last === null) return undefined
    const zone = localDays(timezone)
    return { fromMs: zone.startMs(row.first), toMs: zone.startMs(row.last + 1) }
  },
  async run(snapshot, { event, bots }) {
    const { counts, visitors } = await tally(snapshot, { event, bots }, snapshot.range!)
    return {
      event: event ?? null,
      count: total(counts),
      uniqueUsers: visitors.size,
      deviceData: Object.fromEntries(DEVICES.map((device, at) => [device, counts[at]!])) as Record<Device, number>,
    }
  },
}
