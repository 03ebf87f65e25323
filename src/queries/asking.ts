// A question as it is asked: its parameters checked and in one form, and the key under which its answer is kept, which names
// everything that the answer depends on.
import { Problem } from '../errors.ts'
import { type Filter, formatFilter, parseFilter } from '../events/filter.ts'
import { sha256 } from '../kernel/hashing.ts'
import { compile } from '../kernel/validation.ts'
import type { Moment } from './asOf.ts'
import type { Place } from './place.ts'
import type { Query, Range } from './query.ts'
import { RANGE_PROPERTIES, resolveRange, wholeRange } from './range.ts'
import type { Bots } from './stats.ts'
import { type Comparison, propertiesOf } from './statsParameters.ts'

export type AnyQuery = Query<never, unknown>

export interface Asked {
  readonly query: AnyQuery
  readonly appId: string
  readonly partition: number
  /** Checked; of a stats question with `bots` as it is meant and `filter` in its one form. */
  readonly params: Readonly<Record<string, unknown>>
  readonly filter: Filter | undefined
  readonly nowMs: number
}

/** Rises when the shape of any answer changes, so that no process serves what an older program cached. */
const ANSWERS = 3

/** Throws Problem `invalid_parameter`. */
export function askedOf(query: AnyQuery, app: { readonly appId: string; readonly partition: number }, given: Readonly<Record<string, unknown>>, nowMs: number): Asked {
  const params = checked(query, given)
  if (query.stats === undefined) return { query, ...app, params, filter: undefined, nowMs }
  const filter = typeof params['filter'] === 'string' ? parseFilter(params['filter']) : undefined
  if (params['compare'] !== undefined && params['period'] === 'all') {
    throw new Problem('invalid_parameter', undefined, { errors: [{ path: 'compare', detail: 'goes with no period=all: nothing lies before it' }] })
  }
  const bots = (params['bots'] as Bots | undefined) ?? query.stats.bots
  return { query, ...app, params: { ...params, bots, ...(filter === undefined ? {} : { filter: formatFilter(filter) }) }, filter, nowMs }
}

const schemas = new WeakMap<AnyQuery, Readonly<Record<string, unknown>>>()

function checked(query: AnyQuery, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  let schema = schemas.get(query)
  if (schema === undefined) schemas.set(query, (schema = { ...query.params, properties: propertiesOf(query) }))
  const params = { ...given }
  const errors = compile(schema, { parameters: true })(params)
  if (errors.length > 0) throw new Problem('invalid_parameter', undefined, { errors })
  return params
}

export function comparisonOf({ params }: Asked): Comparison | undefined {
  return params['compare'] as Comparison | undefined
}

/**
 * Positions of other apps do not matter, so what they do leaves this entry alone; and as known at a position, what came
 * later does not.
 */
export function keyOf(asked: Asked, place: Place, moment: Moment | undefined): string {
  const { query, appId, params, nowMs } = asked
  const range = query.ranged ? resolveRange(params, place.timezone, nowMs) : undefined
  // The bounds of `all` follow from the rows and from today.
  const bounds = !query.ranged ? null : range === undefined ? ['all', wholeRange(undefined, place.timezone, nowMs).toMs, place.lastPosition] : [range.fromMs, range.toMs]
  const rest = Object.entries(params)
    .filter(([name]) => !(query.ranged && name in RANGE_PROPERTIES) && name !== 'asOf')
    .sort(([left], [right]) => (left < right ? -1 : 1))
  const counted = moment === undefined ? place.lastPosition : ['as of', moment.position]
  const parts = [ANSWERS, query.name, query.projection, place.rowsBuild, appId, place.timezone, bounds, rest, counted, place.definitionsPosition]
  return digest(JSON.stringify(parts))
}

export function digest(text: string): string {
  return sha256(text).subarray(0, 18).toString('base64url')
}

export interface RangeBody {
  readonly from: string
  readonly to: string
  readonly timezone: string
}

export function rangeBody({ fromMs, toMs, timezone }: Range): RangeBody {
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), timezone }
}
