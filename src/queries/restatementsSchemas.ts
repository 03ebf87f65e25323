// What comes back of the restatement log; components of the OpenAPI document.
import { CAUSES } from '../projections/restatements/rows.ts'
import { correctionItem } from './eventsSchemas.ts'
import { RANGE_SCHEMA } from './range.ts'
import { AS_OF_SCHEMA, COUNT_SCHEMA } from './schemas.ts'

const date = { type: 'string', format: 'date' } as const
const position = { type: 'integer', minimum: 1 } as const
const change = {
  title: 'Change',
  type: 'object',
  additionalProperties: false,
  required: ['added', 'taken'],
  properties: { added: COUNT_SCHEMA, taken: COUNT_SCHEMA },
} as const
const nextCursor = { type: ['string', 'null'] } as const
const day = { ...date, description: 'The closed day that changed, local to the app.' } as const
const restatedOn = { ...date, description: 'The day that the log had reached when it changed.' } as const

const restatedDay = {
  title: 'RestatedDay',
  type: 'object',
  additionalProperties: false,
  required: ['day', 'restatedOn', 'cause', 'events', 'pageviews', 'positions', 'diff'],
  properties: {
    day,
    restatedOn,
    cause: { type: 'string', enum: CAUSES, description: '`late`: events came after the day was closed; `corrected`, `retracted`: by hand, for the reasons listed.' },
    events: { ...change, description: 'All events, those of bots included.' },
    pageviews: change,
    positions: {
      title: 'Positions',
      description: 'Of the first and the last fact of this row in the log.',
      type: 'object',
      additionalProperties: false,
      required: ['first', 'last'],
      properties: { first: position, last: position },
    },
    diff: { type: 'string', description: 'What all of this changed in visitors, visits and other numbers: the day just before the first fact and after the last, with whatever else came between.' },
  },
} as const

export const restatementsResult = {
  title: 'Restatements',
  description: 'Closed days that changed, those changed last first.',
  type: 'object',
  additionalProperties: false,
  required: ['restatements', 'nextCursor', 'range', 'asOf'],
  properties: { restatements: { type: 'array', items: restatedDay }, nextCursor, range: RANGE_SCHEMA, asOf: AS_OF_SCHEMA },
} as const

export const reasonsResult = {
  title: 'RestatementReasons',
  description: 'Why closed days were corrected, newest first. A correction that moved an event stands under both days.',
  type: 'object',
  additionalProperties: false,
  required: ['reasons', 'nextCursor', 'range', 'asOf'],
  properties: {
    reasons: {
      type: 'array',
      items: { ...correctionItem, title: 'RestatementReason', required: ['day', 'restatedOn', ...correctionItem.required], properties: { day, restatedOn, ...correctionItem.properties } },
    },
    nextCursor,
    range: RANGE_SCHEMA,
    asOf: AS_OF_SCHEMA,
  },
} as const
