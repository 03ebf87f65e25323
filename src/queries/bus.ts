// Asks a question and makes an answer of it: parameters checked, range resolved in the app's zone, one snapshot, one cache
// entry per state of the app, an ETag from the same key, and always the position up to which the answer counts.
import { Problem } from '../errors.ts'
import type { EventLog } from '../events/eventLog.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import { sha256 } from '../kernel/hashing.ts'
import type { Logger } from '../kernel/logger.ts'
import { compile } from '../kernel/validation.ts'
import type { AnswerCache } from './cache.ts'
import { type Place, readPlace } from './place.ts'
import type { Answer, AsOf, Query, QueryBus, Range } from './query.ts'
import { RANGE_PROPERTIES, resolveRange, wholeRange } from './range.ts'
import { propertiesOf } from './statsParameters.ts'
import { createEventWait } from './waitForEvent.ts'

export interface QueryBusDeps {
  readonly database: Database
  readonly log: EventLog
  readonly cache: AnswerCache
  readonly clock: Clock
  readonly logger: Logger
}

type AnyQuery = Query<never, unknown>

/** What a cold question costs is paid once: what was computed, and from which state of the app. */
interface Computed {
  readonly key: string
  readonly json: string
  readonly place: Place
}

interface Asked {
  readonly query: AnyQuery
  readonly appId: string
  readonly params: Record<string, unknown>
  readonly nowMs: number
}

/** Rises when the shape of any answer changes, so that no process serves what an older program cached. */
const ANSWERS = 1

export function createQueryBus(deps: QueryBusDeps): QueryBus {
  const { database, log, cache, clock } = deps
  const flights = new Map<string, Promise<Computed>>()
  const wait = createEventWait({ database, log, clock })

  const ask: QueryBus['ask'] = async (query, appId, given, { after } = {}) => {
    const params = checked(query, given)
    const partition = log.partitionOf(appId)
    if (after !== undefined) await wait(query.projection, appId, after)
    const asked: Asked = { query, appId, params, nowMs: clock.now() }
    // The head says how far behind the answer is; nothing waits for it before the end.
    const head = log.head(partition).then(({ position }) => position)
    head.catch(() => undefined)
    const place = await currentPlace(database, query.projection, partition, appId)
    const key = keyOf(asked, place)
    const known = query.uncached === true ? undefined : await cache.get(key)
    if (known !== undefined) return answerOf(known, key, asOf(place, await head), true)
    let flight = flights.get(key)
    if (flight === undefined) {
      flight = compute(deps, asked, partition).finally(() => flights.delete(key))
      flights.set(key, flight)
    }
    const computed = await flight
    return answerOf(computed.json, computed.key, asOf(computed.place, await head), false)
  }
  return { ask }
}

/** One statement sees one state, so it needs no transaction, except where the other connection is the writers'. */
function currentPlace(database: Database, projection: string, partition: number, appId: string): Promise<Place> {
  if (database.engine === 'mysql') return readPlace(database.knex, projection, partition, appId)
  return database.snapshot((trx) => readPlace(trx, projection, partition, appId))
}

async function compute({ database, log, cache }: QueryBusDeps, asked: Asked, partition: number): Promise<Computed> {
  const { query, appId, params, nowMs } = asked
  const computed = await database.snapshot(async (trx) => {
    const place = await readPlace(trx, query.projection, partition, appId)
    const { timezone, rowsBuild: build, position, defined } = place
    const snapshot = { trx, log, build, appId, timezone, defined, position, nowMs, range: undefined as Range | undefined }
    if (query.ranged) {
      snapshot.range =
        resolveRange(params, timezone, nowMs) ?? wholeRange(await query.extent?.(snapshot), timezone, nowMs)
    }
    const result = (await query.run(snapshot, params as never)) as object
    const json = JSON.stringify({ ...result, ...rangeBody(snapshot.range) })
    return { key: query.uncached === true ? digest(json) : keyOf(asked, place), json, place }
  })
  if (query.uncached !== true) await cache.set(computed.key, computed.json)
  return computed
}

/** Everything an answer depends on. Positions of other apps do not matter, so what they do leaves this entry alone. */
function keyOf({ query, appId, params, nowMs }: Asked, place: Place): string {
  const range = query.ranged ? resolveRange(params, place.timezone, nowMs) : undefined
  // The bounds of `all` follow from the rows and from today.
  const bounds = !query.ranged ? null : range === undefined ? ['all', wholeRange(undefined, place.timezone, nowMs).toMs] : [range.fromMs, range.toMs]
  const rest = Object.entries(params)
    .filter(([name]) => !query.ranged || !(name in RANGE_PROPERTIES))
    .sort(([left], [right]) => (left < right ? -1 : 1))
  const parts = [ANSWERS, query.name, query.projection, place.rowsBuild, appId, place.timezone, bounds, rest, place.lastPosition, place.definitionsPosition]
  return digest(JSON.stringify(parts))
}

function digest(text: string): string {
  return sha256(text).subarray(0, 18).toString('base64url')
}

function asOf({ position, recordedAt }: Place, head: number): AsOf {
  return {
    position,
    recordedAt: recordedAt === 0 ? null : new Date(recordedAt).toISOString(),
    lagEvents: Math.max(0, head - position),
  }
}

function answerOf(json: string, key: string, at: AsOf, cached: boolean): Answer {
  return { body: { ...(JSON.parse(json) as Record<string, unknown>), asOf: at }, etag: `"${key}"`, cached }
}

function rangeBody(range: Range | undefined): Record<string, unknown> {
  if (range === undefined) return {}
  const { fromMs, toMs, timezone } = range
  return { range: { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), timezone } }
}

const schemas = new WeakMap<AnyQuery, Readonly<Record<string, unknown>>>()

function checked(query: AnyQuery, given: Record<string, unknown>): Record<string, unknown> {
  let schema = schemas.get(query)
  if (schema === undefined) {
    schemas.set(query, (schema = { ...query.params, properties: propertiesOf(query) }))
  }
  const params = { ...given }
  const errors = compile(schema, { parameters: true })(params)
  if (errors.length > 0) throw new Problem('invalid_parameter', undefined, { errors })
  return params
}
