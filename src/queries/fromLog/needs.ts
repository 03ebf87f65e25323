// What of each event a question looks at: only that is kept of it in memory.
import { VISIT_DIMENSIONS } from '../../events/dimensionNames.ts'
import { type Filter, filterFields, parseFilter } from '../../events/filter.ts'
import type { StatsQuestion } from '../stats.ts'

export interface Needs {
  /** Fields as filters name them; those of visits too. */
  readonly fields: ReadonlySet<string>
  /** `value` or `metadata.<key>`, as numbers. */
  readonly numbers: ReadonlySet<string>
  /** The device as a summary counts it, where no device is one too. */
  readonly device: boolean
  readonly visits: boolean
}

/** The name of an event as it is, whatever a dimension makes of long ones. No filter can say it. */
export const EVENT_NAME = 'event name'

const VISIT_FIELDS: ReadonlySet<string> = new Set(VISIT_DIMENSIONS)

export function isVisitField(field: string): boolean {
  return VISIT_FIELDS.has(field)
}

export function needsOf(question: StatsQuestion): Needs {
  const fields = new Set(filtersOf(question).flatMap((filter) => filterFields(filter)))
  const numbers = new Set<string>()
  if (eventAsked(question) !== undefined) fields.add(EVENT_NAME)
  if (question.name === 'breakdown') fields.add(question.dimension)
  if (question.name === 'goal') {
    const { page, value } = question.goal
    if (page !== undefined) fields.add('page')
    if (value !== undefined) {
      numbers.add(value)
      fields.add('currency')
    }
  }
  if (question.name === 'report') {
    for (const dimension of question.report.dimensions) fields.add(dimension)
    for (const { of } of question.report.measures) if (of !== undefined) numbers.add(of)
  }
  const cutsVisits = question.name === 'overview' || question.name === 'timeseries' || question.name === 'breakdown'
  return { fields, numbers, device: question.name === 'event-summary', visits: cutsVisits || [...fields].some(isVisitField) }
}

/** Its own, and that of the goal or report it asks for. */
function filtersOf(question: StatsQuestion): Filter[] {
  const own = question.filter === undefined ? [] : [question.filter]
  const text = definedFilter(question)
  return text === undefined ? own : [...own, parseFilter(text)]
}

export function definedFilter(question: StatsQuestion): string | undefined {
  if (question.name === 'goal') return question.goal.filter
  return question.name === 'report' ? question.report.filter : undefined
}

/** The event name that a question, its goal or its report is about. */
export function eventAsked(question: StatsQuestion): string | undefined {
  switch (question.name) {
    case 'event-summary':
    case 'timeseries':
      return question.event
    case 'goal':
      return question.goal.event
    case 'report':
      return question.report.event
    default:
      return undefined
  }
}
