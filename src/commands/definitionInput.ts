// What can be wrong with a goal or a report that its schema cannot say: a filter that cannot be read, and dimensions that
// belong to a visit. Those change with every further event of the visit, so no stored number could be filled by them.
import { type ErrorCode, type Fault, Problem } from '../errors.ts'
import { ARRIVAL_DIMENSIONS, EVENT_DIMENSIONS, metadataKey, VISIT_DIMENSIONS } from '../events/dimensionNames.ts'
import type { Definition, DimensionSpec, GoalSpec, ReportSpec } from '../events/definitions.ts'
import { dimensionSpec, goalSpec, reportSpec } from '../events/definitionSpecs.ts'
import { filterFields, parseFilter } from '../events/filter.ts'
import { compile } from '../kernel/validation.ts'
import { LIMITS } from '../limits.ts'

/** The spec as it is kept: without blanks around its name. Throws `invalid_body` and `unsupported_dimension`. */
export function checkedGoal(given: GoalSpec): GoalSpec {
  checkSchema(goalSpec, given)
  checkFilter(given.filter)
  return { ...given, name: given.name.trim() }
}

export function checkedReport(given: ReportSpec): ReportSpec {
  checkSchema(reportSpec, given)
  checkFilter(given.filter)
  given.dimensions.forEach((dimension, index) => checkDimension(dimension, `/dimensions/${index}`))
  return { ...given, name: given.name.trim() }
}

export function checkedDimension(given: DimensionSpec): DimensionSpec {
  checkSchema(dimensionSpec, given)
  return given
}

export function nameOf(definition: Pick<Definition, 'spec'>): string {
  return 'key' in definition.spec ? definition.spec.key : definition.spec.name
}

function checkSchema(schema: Readonly<Record<string, unknown>>, spec: unknown): void {
  const errors = compile(schema)(spec)
  if (errors.length > 0) throw new Problem('invalid_body', undefined, { errors })
  checkText(spec, '')
}

/** Names stand in tables and are searched by; a lone surrogate has no UTF-8, so no store could hold it. */
function checkText(value: unknown, path: string): void {
  if (typeof value === 'string') {
    if (!(value as string & { isWellFormed(): boolean }).isWellFormed()) throw refused('invalid_body', { path, detail: 'must be well-formed text' })
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) checkText(inner, `${path}/${key}`)
  }
}

function checkFilter(text: string | undefined): void {
  if (text === undefined) return
  for (const field of filterFields(parseFilter(text, '/filter', 'invalid_body'))) {
    if (field !== 'value' && field !== 'currency') checkDimension(field, '/filter')
  }
}

const OF_VISITS: ReadonlySet<string> = new Set([...VISIT_DIMENSIONS, ...ARRIVAL_DIMENSIONS])
const OF_EVENTS: ReadonlySet<string> = new Set(EVENT_DIMENSIONS)

function checkDimension(dimension: string, path: string): void {
  if (OF_VISITS.has(dimension)) {
    const detail = `${dimension} belongs to a whole visit; definitions are over what an event says itself. Ask breakdown with filter= instead`
    throw refused('unsupported_dimension', { path, detail })
  }
  const key = metadataKey(dimension)
  if (key === undefined ? OF_EVENTS.has(dimension) : key.length <= LIMITS.metadataKeyChars) return
  const detail = key === undefined ? `there is no dimension ${dimension.slice(0, 64)}` : `a metadata key has at most ${LIMITS.metadataKeyChars} characters`
  throw refused('invalid_body', { path, detail })
}

function refused(code: ErrorCode, fault: Fault): Problem {
  return new Problem(code, undefined, { errors: [fault] })
}
