// What every stats question takes besides its own parameters and the range; one source for checks and OpenAPI.
import { LIMITS } from '../limits.ts'
import type { Query } from './query.ts'
import { RANGE_PROPERTIES } from './range.ts'
import type { Bots } from './stats.ts'

export const COMPARISONS = ['previous', 'year'] as const
export type Comparison = (typeof COMPARISONS)[number]

export function botsProperty(otherwise: Bots): Readonly<Record<string, unknown>> {
  return { type: 'string', enum: ['include', 'exclude', 'only'], description: `What to do with events of bots. Default: ${otherwise}.`, example: 'exclude' }
}

export const AS_OF_PROPERTY = {
  type: 'string',
  minLength: 1,
  maxLength: 64,
  description: 'Answer as known then: a position of the log (digits), or an instant as in from. Answered from the log.',
  example: '1042',
} as const

const FILTER_PROPERTY = {
  type: 'string',
  minLength: 1,
  maxLength: LIMITS.filterChars,
  description: 'Only events of which this holds, such as: page is "/pricing" and country in (DE, FR). Answered from the log.',
  example: 'page is "/pricing" and (country in (DE, FR) or metadata.plan is not "free")',
} as const

const COMPARE_PROPERTY = {
  type: 'string',
  enum: COMPARISONS,
  description: 'Adds `comparison`: the same of the range of equal length directly before, or of the same dates a year earlier.',
  example: 'previous',
} as const

/** All parameters of a question but the app and the event to wait for. */
export function propertiesOf({ params, ranged, stats }: Pick<Query<never, unknown>, 'params' | 'ranged' | 'stats'>): Readonly<Record<string, unknown>> {
  return {
    ...(params['properties'] as Readonly<Record<string, unknown>> | undefined),
    ...(ranged ? RANGE_PROPERTIES : {}),
    ...(stats === undefined ? {} : { bots: botsProperty(stats.bots), filter: FILTER_PROPERTY, asOf: AS_OF_PROPERTY }),
    ...(stats !== undefined && ranged ? { compare: COMPARE_PROPERTY } : {}),
  }
}
