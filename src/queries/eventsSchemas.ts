// What comes back from browsing the log; components of the OpenAPI document.
import { ARRIVAL_DIMENSIONS, EVENT_DIMENSIONS } from '../events/dimensionNames.ts'
import { DEVICES } from '../projections/enrichment/userAgents.ts'
import { STATUSES } from './eventCorrections.ts'
import { AS_OF_SCHEMA } from './schemas.ts'

const text = { type: ['string', 'null'] } as const
const time = { type: 'string', format: 'date-time' } as const
const position = { type: 'integer', minimum: 1, description: 'In its partition of the log; dense, in commit order.' } as const

export const eventItem = {
  title: 'Event',
  type: 'object',
  additionalProperties: false,
  required: ['id', 'event', 'occurredAt', 'recordedAt', 'position', 'data'],
  properties: {
    id: { type: 'string', pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$', 'x-words': 'an event id (UUID)', description: 'UUID.' },
    event: { ...text, description: 'Its name; null where the event was erased.' },
    occurredAt: time,
    recordedAt: time,
    position,
    data: { type: ['object', 'null'], additionalProperties: true, description: 'As stored; null where it was erased.' },
  },
} as const

function valuesOf(names: readonly string[]) {
  return { type: 'object', additionalProperties: false, required: names, properties: Object.fromEntries(names.map((name) => [name, text])) } as const
}

const status = {
  type: 'string',
  enum: STATUSES,
  description: 'What became of it: `collected` as it came, `corrected` (it counts with other values), `retracted` (it counts nowhere).',
} as const

export const listedEvent = { ...eventItem, title: 'ListedEvent', required: [...eventItem.required, 'status'], properties: { ...eventItem.properties, status } } as const

export const correctionItem = {
  title: 'Correction',
  type: 'object',
  additionalProperties: false,
  required: ['id', 'kind', 'eventId', 'by', 'reason', 'at', 'position'],
  properties: {
    id: { type: 'string', description: 'UUID of the correction itself.' },
    kind: { type: 'string', enum: ['corrected', 'retracted'] },
    eventId: { ...text, description: 'The event that was corrected.' },
    by: { ...text, description: 'The account that made it.' },
    reason: { ...text, description: 'Null where it was erased.' },
    at: time,
    position,
  },
} as const

const example = {
  id: '0190f5d0-7b1e-7c3a-9d57-0d2f3f1c9a55',
  event: 'pageview',
  occurredAt: '2026-11-22T11:59:00.000Z',
  recordedAt: '2026-11-22T11:59:00.120Z',
  position: 1042,
  data: { event: 'pageview', url: 'https://example.com/', userId: 'user789' },
  status: 'collected',
}

export const eventsResult = {
  title: 'Events',
  description: 'A page of the log of one app, newest position first.',
  type: 'object',
  additionalProperties: false,
  required: ['events', 'nextCursor', 'asOf'],
  properties: { events: { type: 'array', items: listedEvent }, nextCursor: text, asOf: AS_OF_SCHEMA },
  example: { events: [example], nextCursor: '1042', asOf: AS_OF_SCHEMA.example },
} as const

export const oneEventResult = {
  title: 'OneEvent',
  description: 'One event: what was sent, its place in the log, what the rules make of it, and the rows that count it.',
  type: 'object',
  additionalProperties: false,
  required: [...listedEvent.required, 'partition', 'contentHash', 'corrections', 'counts', 'enrichment', 'countsIn', 'asOf'],
  properties: {
    ...listedEvent.properties,
    partition: { type: 'integer', minimum: 1 },
    contentHash: {
      type: 'string',
      pattern: '^[0-9a-f]{64}$',
      description: 'What the append chain seals of it: SHA-256 of its seal and its data as appended; it outlives erasure.',
    },
    corrections: { type: 'array', description: 'Oldest first.', items: correctionItem },
    counts: {
      title: 'CountingContent',
      description: 'What it says after its corrections, and so what counts; null where it was retracted or erased.',
      type: ['object', 'null'],
      additionalProperties: false,
      required: ['occurredAt', 'position', 'data'],
      properties: { occurredAt: time, position, data: { type: 'object', additionalProperties: true } },
    },
    enrichment: {
      title: 'Enrichment',
      type: ['object', 'null'],
      additionalProperties: false,
      required: ['rulesetVersion', 'device', 'browser', 'os', 'bot', 'visitor', 'dimensions', 'arrival'],
      properties: {
        rulesetVersion: { type: 'integer' },
        device: { type: 'string', enum: DEVICES },
        browser: text,
        os: text,
        bot: { type: 'boolean' },
        visitor: { ...text, description: 'What its visitor is known by: userId, anonymousId or cookieless.' },
        dimensions: { ...valuesOf(EVENT_DIMENSIONS), title: 'EventValues', description: 'What it is broken down by; null where it has no value.' },
        arrival: {
          ...valuesOf(ARRIVAL_DIMENSIONS),
          title: 'ArrivalValues',
          description: 'Where its visitor came from by what it says; counts for the whole visit if the visit begins with it.',
        },
      },
    },
    countsIn: {
      type: 'array',
      description: 'Empty while the event is not counted yet, and once it is retracted.',
      items: {
        title: 'CountedIn',
        type: 'object',
        additionalProperties: false,
        required: ['projection', 'event', 'day', 'slotFrom', 'bot'],
        properties: {
          projection: { type: 'string' },
          event: { ...text, description: 'Null for all events.' },
          day: { type: 'string', format: 'date', description: 'Local to the app.' },
          slotFrom: { ...time, description: 'Start of the quarter of an hour.' },
          bot: { type: 'boolean' },
        },
      },
    },
    asOf: AS_OF_SCHEMA,
  },
} as const
