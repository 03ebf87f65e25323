// The filter grammar: conditions over dimensions and metadata, joined by and, or and parentheses. Read once, faults told with
// their place in the text, written down in one form (cache keys depend on it), and evaluated the same everywhere.
import type { ErrorCode } from '../errors.ts'
import { numberOf } from './decimals.ts'
import { DIMENSIONS, metadataKey } from './dimensionNames.ts'
import { FilterReader } from './filterReader.ts'

export const FILTER_OPERATORS = ['is', 'isNot', 'contains', 'notContains', 'in', 'notIn', 'greater', 'atLeast', 'less', 'atMost'] as const
export type FilterOperator = (typeof FILTER_OPERATORS)[number]

export interface Condition {
  readonly op: FilterOperator
  /** One of DIMENSIONS, `metadata.<key>`, `value` or `currency`. */
  readonly field: string
  /** One, except for in and notIn. */
  readonly values: readonly string[]
}

export type Filter = Condition | { readonly op: 'and' | 'or'; readonly of: readonly Filter[] }

/** What a filter can name besides `metadata.<key>`. */
export const FILTER_FIELDS: readonly string[] = [...DIMENSIONS, 'value', 'currency']

/**
 * Throws a Problem (`invalid_parameter` unless told otherwise) whose one fault names the place in the text. Equal joins are
 * one: `a and (b and c)` reads as `a and b and c`.
 */
export function parseFilter(text: string, path = 'filter', code: ErrorCode = 'invalid_parameter'): Filter {
  return new FilterReader(text, FILTER_FIELDS, { path, code }).read()
}

const SIGNS: Readonly<Record<FilterOperator, string>> = {
  is: 'is',
  isNot: 'is not',
  contains: 'contains',
  notContains: 'does not contain',
  in: 'in',
  notIn: 'not in',
  greater: '>',
  atLeast: '>=',
  less: '<',
  atMost: '<=',
}

/** The one way in which a filter is written down; reading it gives the same filter. */
export function formatFilter(filter: Filter): string {
  if ('of' in filter) return filter.of.map((one) => ('of' in one ? `(${formatFilter(one)})` : formatFilter(one))).join(` ${filter.op} `)
  const values = filter.values.map(quoted)
  const isList = filter.op === 'in' || filter.op === 'notIn'
  return `${formatField(filter.field)} ${SIGNS[filter.op]} ${isList ? `(${values.join(', ')})` : values.join()}`
}

function formatField(field: string): string {
  const key = metadataKey(field)
  return key === undefined || /^[\w.-]+$/.test(key) ? field : `metadata.${quoted(key)}`
}

function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** Every field that the filter looks at, once. */
export function filterFields(filter: Filter): readonly string[] {
  return [...new Set('of' in filter ? filter.of.flatMap(filterFields) : [filter.field])]
}

/** Undefined where an event lacks the field. */
export type ValueOf = (field: string) => string | undefined
export type FilterTest = (valueOf: ValueOf) => boolean

/** The filter as a function. What is missing is not anything and contains nothing, so only the negations hold of it. */
export function compileFilter(filter: Filter): FilterTest {
  if ('of' in filter) {
    const tests = filter.of.map(compileFilter)
    return filter.op === 'and' ? (valueOf) => tests.every((test) => test(valueOf)) : (valueOf) => tests.some((test) => test(valueOf))
  }
  const { field } = filter
  const holds = compileCondition(filter)
  return (valueOf) => holds(valueOf(field))
}

function compileCondition({ op, values }: Condition): (value: string | undefined) => boolean {
  const [wanted = ''] = values
  switch (op) {
    case 'is':
      return (value) => value === wanted
    case 'isNot':
      return (value) => value !== wanted
    case 'contains':
      return (value) => value?.includes(wanted) === true
    case 'notContains':
      return (value) => value?.includes(wanted) !== true
    case 'in': {
      const set = new Set(values)
      return (value) => value !== undefined && set.has(value)
    }
    case 'notIn': {
      const set = new Set(values)
      return (value) => value === undefined || !set.has(value)
    }
    default:
      return compileComparison(op, numberOf(wanted) ?? Number.NaN)
  }
}

function compileComparison(op: 'greater' | 'atLeast' | 'less' | 'atMost', bound: number): (value: string | undefined) => boolean {
  const compare = COMPARISONS[op]
  return (value) => {
    const number = value === undefined ? undefined : numberOf(value)
    return number !== undefined && compare(number, bound)
  }
}

const COMPARISONS = {
  greater: (number: number, bound: number) => number > bound,
  atLeast: (number: number, bound: number) => number >= bound,
  less: (number: number, bound: number) => number < bound,
  atMost: (number: number, bound: number) => number <= bound,
} as const
