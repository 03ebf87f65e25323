// Asks a question and makes an answer of it: parameters checked, range resolved in the app's zone, one snapshot, one cache
// entry per state of the app, an ETag from the same key, and always the position up to which the answer counts.
import type { EventLog } from '../events/eventLog.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import type { Logger } from '../kernel/logger.ts'
import { type Asked, askedOf, digest, keyOf, rangeBody } from './asking.ts'
import { asOfBody, type Moment, momentOf } from './asOf.ts'
import type { AnswerCache } from './cache.ts'
import { Flights } from './flights.ts'
import { answersHere, type LogAnswers } from './fromLog/logTask.ts'
import { type Place, readPlace } from './place.ts'
import type { Answer, AsOf, QueryBus } from './query.ts'
import { computeStats, rangeOf, snapshotOf, statsBody } from './statsAnswers.ts'
import { createEventWait } from './waitForEvent.ts'

export interface QueryBusDeps {
  readonly database: Database
  readonly log: EventLog
  /** For what tables cannot tell; absent: in this thread. */
  readonly logAnswers?: LogAnswers
  readonly cache: AnswerCache
  readonly clock: Clock
  readonly logger: Logger
}

type Deps = Required<QueryBusDeps>

/** What a cold question costs is paid once: what was computed, and from which state of the app. */
interface Computed {
  readonly key: string
  readonly json: string
  readonly moment: Moment
}

export function createQueryBus(given: QueryBusDeps): QueryBus {
  const deps: Deps = { ...given, logAnswers: given.logAnswers ?? answersHere(given.log) }
  const { database, log, cache, clock } = deps
  const flights = new Flights<Computed>()
  const wait = createEventWait({ database, log })

  const ask: QueryBus['ask'] = async (query, appId, given, { after, signal } = {}) => {
    const partition = log.partitionOf(appId)
    const asked = askedOf(query, { appId, partition }, given, clock.now())
    if (after !== undefined) await wait(query.projection, appId, after)
    // The head says how far behind the answer is; nothing waits for it before the end.
    const head = log.head(partition).then(({ position }) => position)
    head.catch(() => undefined)
    const place = await currentPlace(database, query.projection, partition, appId)
    const moment = await momentAsked(log, asked, place)
    const key = keyOf(asked, place, moment)
    const known = query.uncached === true ? undefined : await cache.get(key)
    if (known !== undefined) return answerOf(known, key, asOfBody(moment ?? place, await head), true)
    const computed = await flights.join(key, (stop) => compute(deps, asked, moment, stop), signal)
    return answerOf(computed.json, computed.key, asOfBody(computed.moment, await head), false)
  }
  return { ask }
}

/** One statement sees one state, so it needs no transaction, except where the other connection is the writers'. */
function currentPlace(database: Database, projection: string, partition: number, appId: string): Promise<Place> {
  if (database.engine === 'mysql') return readPlace(database.knex, projection, partition, appId)
  return database.snapshot((trx) => readPlace(trx, projection, partition, appId))
}

/** Of `asOf`, where it was asked for. */
async function momentAsked(log: EventLog, { query, params, partition, nowMs }: Asked, { timezone }: Place): Promise<Moment | undefined> {
  const text = params['asOf']
  return query.stats === undefined || typeof text !== 'string' ? undefined : momentOf(log, partition, text, { timezone, nowMs })
}

async function compute(deps: Deps, asked: Asked, moment: Moment | undefined, signal: AbortSignal): Promise<Computed> {
  const computed = await (asked.query.stats === undefined ? fromRows(deps, asked) : fromEither(deps, asked, moment, signal))
  if (asked.query.uncached !== true) await deps.cache.set(computed.key, computed.json)
  return computed
}

function fromRows({ database, log }: QueryBusDeps, asked: Asked): Promise<Computed> {
  const { query, params } = asked
  return database.snapshot(async (trx) => {
    const place = await readPlace(trx, query.projection, asked.partition, asked.appId)
    const bare = snapshotOf(asked, place, trx, log)
    const range = query.ranged ? await rangeOf(asked, bare) : undefined
    const result = (await query.run({ ...bare, range }, params as never)) as object
    const json = JSON.stringify({ ...result, ...(range === undefined ? {} : { range: rangeBody(range) }) })
    return { key: query.uncached === true ? digest(json) : keyOf(asked, place, undefined), json, moment: place }
  })
}

async function fromEither(deps: Deps, asked: Asked, moment: Moment | undefined, signal: AbortSignal): Promise<Computed> {
  const outcome = await computeStats(deps, asked, moment, { signal })
  return { key: keyOf(asked, outcome.place, moment), json: JSON.stringify(statsBody(asked, outcome)), moment: outcome.moment }
}

function answerOf(json: string, key: string, at: AsOf, cached: boolean): Answer {
  return { body: { ...(JSON.parse(json) as Record<string, unknown>), asOf: at }, etag: `"${key}"`, cached }
}
