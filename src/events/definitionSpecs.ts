// The form of what is defined, and of the events that say so: one description for the log, the commands and the document.
import { LIMITS } from '../limits.ts'
import { name, objectSchema, uuid } from './schemas.ts'

/** What DimensionDefined, GoalDefined, GoalRevised, ReportDefined and ReportRevised say: the whole of a definition, not a difference. */
export interface DefinitionSaid<Spec> {
  definitionId: string
  /** From 1. */
  revision: number
  spec: Spec
}

export interface DefinitionRetired {
  definitionId: string
}

export const MEASURES = ['count', 'visitors', 'sum', 'avg', 'min', 'max', 'median'] as const
export const REPORT_INTERVALS = ['none', 'hour', 'day', 'week', 'month'] as const

const label = { type: 'string', maxLength: LIMITS.eventNameChars, pattern: '\\S' } as const
const filter = {
  ...{ type: 'string', minLength: 1, maxLength: LIMITS.filterChars },
  ...{ description: 'Further conditions, in the grammar of `filter=`, over what an event says itself and metadata.', examples: ['metadata.plan is "pro"'] },
} as const
const event = { ...name, description: 'Name of the event.', examples: ['purchase'] } as const
const number = {
  ...{ type: 'string', pattern: `^(value|metadata\\.[^]{1,${LIMITS.metadataKeyChars}})$`, 'x-words': '`value` or `metadata.<key>`' },
  description: 'Where the number comes from: `value`, or a metadata key as `metadata.<key>`.',
} as const

export const dimensionProperties = {
  key: {
    ...{ type: 'string', minLength: 1, maxLength: LIMITS.metadataKeyChars },
    ...{ description: 'The metadata key; the dimension is then `metadata.<key>`.', examples: ['plan'] },
  },
} as const

export const goalProperties = {
  name: { ...label, description: 'What people call the goal.', examples: ['Purchase'] },
  event,
  page: {
    ...{ type: 'string', minLength: 1, maxLength: LIMITS.urlChars },
    ...{ description: 'A page as the dimension `page` has it; `*` stands for any run of characters. Matches pageviews unless `event` is given.', examples: ['/thanks*'] },
  },
  filter,
  value: { ...number, description: 'Where revenue comes from: `value`, or a numeric metadata key as `metadata.<key>`.', examples: ['value'] },
} as const

export const reportProperties = {
  name: { ...label, description: 'What people call the report.', examples: ['Revenue by plan'] },
  event,
  filter,
  measures: {
    ...{ type: 'array', minItems: 1, maxItems: LIMITS.measuresPerReport, uniqueItems: true },
    items: {
      ...objectSchema({ measure: { type: 'string', enum: MEASURES }, of: number }, ['measure']),
      // Counting needs no number, and everything else needs one.
      if: { properties: { measure: { enum: ['count', 'visitors'] } } },
      then: { properties: { of: false } },
      else: { required: ['of'] },
    },
  },
  dimensions: {
    ...{ type: 'array', maxItems: LIMITS.dimensionsPerReport, uniqueItems: true },
    items: { type: 'string', minLength: 1, maxLength: 'metadata.'.length + LIMITS.metadataKeyChars },
    ...{ description: 'Up to two dimensions of the event, or metadata keys as `metadata.<key>`.', examples: [['metadata.plan']] },
  },
  interval: { type: 'string', enum: REPORT_INTERVALS },
} as const

export const dimensionSpec = objectSchema(dimensionProperties, ['key'])
export const goalSpec = { ...objectSchema(goalProperties, ['name']), anyOf: [{ required: ['event'] }, { required: ['page'] }] }
export const reportSpec = objectSchema(reportProperties, ['name', 'measures', 'dimensions', 'interval'])

export function definitionSaid(spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return objectSchema({ definitionId: uuid, revision: { type: 'integer', minimum: 1 }, spec }, ['definitionId', 'revision', 'spec'])
}

export const definitionRetired = objectSchema({ definitionId: uuid }, ['definitionId'])
