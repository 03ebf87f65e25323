// Pieces that the answers of several questions share; components of the OpenAPI document.
import type { JsonSchema } from '../events/eventType.ts'
import { DEVICES } from '../projections/enrichment/userAgents.ts'
import { RANGE_SCHEMA } from './range.ts'

export const AS_OF_SCHEMA = {
  title: 'AsOf',
  description: 'Up to where the answer counts: a position in the log partition of the app.',
  type: 'object',
  additionalProperties: false,
  required: ['position', 'recordedAt', 'lagEvents'],
  properties: {
    position: { type: 'integer', minimum: 0, description: 'Everything in the log up to here is counted.' },
    recordedAt: { type: ['string', 'null'], format: 'date-time', description: 'When that event was recorded; null before the first.' },
    lagEvents: { type: 'integer', minimum: 0, description: 'Events in the log that are not counted yet.' },
  },
  example: { position: 1042, recordedAt: '2026-11-22T12:00:00.000Z', lagEvents: 0 },
} as const

const count = { type: 'integer', minimum: 0 } as const

export const DEVICE_DATA_SCHEMA = {
  title: 'DeviceData',
  description: 'Events by class of device; sums to count.',
  type: 'object',
  additionalProperties: false,
  required: [...DEVICES],
  properties: Object.fromEntries(DEVICES.map((device) => [device, count])),
  example: { desktop: 2200, mobile: 1200, tablet: 0, tv: 0, console: 0, wearable: 0, other: 0, unknown: 0 },
} as const

export const FROM_SCHEMA = { type: 'string', enum: ['tables', 'log'], description: 'What answered: read tables, or the log itself. The numbers are the same.' } as const

interface ResultSchema {
  readonly title: string
  readonly description: string
  readonly required: readonly string[]
  readonly properties: Readonly<Record<string, unknown>>
  readonly example: Readonly<Record<string, unknown>>
}

/** The whole answer of a stats question, of its own part: with range, from, comparison and asOf, as the bus adds them. */
export function statsAnswer(own: ResultSchema): JsonSchema {
  const object = { type: 'object', additionalProperties: false } as const
  return {
    ...object,
    title: own.title,
    description: own.description,
    required: [...own.required, 'range', 'from', 'asOf'],
    properties: {
      ...own.properties,
      range: RANGE_SCHEMA,
      from: FROM_SCHEMA,
      comparison: {
        ...object,
        description: 'With `compare`: the same of the range compared with.',
        required: [...own.required, 'range'],
        properties: { ...own.properties, range: RANGE_SCHEMA },
      },
      asOf: AS_OF_SCHEMA,
    },
    example: { ...own.example, range: RANGE_SCHEMA.example, from: 'tables', asOf: AS_OF_SCHEMA.example },
  }
}

export { count as COUNT_SCHEMA }
