// What questions read of visits: those of a person, newest first, and where in the log their events stand.
import type { Knex } from 'knex'
import { uuidToBytes } from '../../kernel/ids.ts'
import { bytesOf } from '../storage/rows.ts'
import { selectAmong } from '../storage/rowSets.ts'
import type { Visit } from './visit.ts'
import { visitorsOf } from './visitsMemory.ts'
import { positionsOf, visitOf, type VisitRow } from './visitsRows.ts'

export interface ListedVisit {
  readonly client: Buffer
  readonly bot: boolean
  /** Time of its first interactive event, and the position at which that was collected: what comes before is not in it. */
  readonly startMs: number
  readonly startPosition: number
  readonly durationMs: number
  readonly pageviews: number
  /** Pageviews and all other events that count: engagement included, passive ones not. */
  readonly events: number
  readonly bounce: boolean
  /** Refs of dimensions entryPage and exitPage; undefined without a pageview that has a page. */
  readonly entry: number | undefined
  readonly exit: number | undefined
  /** Refs of the arrival dimensions that the visit has. */
  readonly arrival: readonly number[]
  /** Ordinals, lowest first. */
  readonly visitors: readonly number[]
  /** For `visitPositions`. */
  readonly content: Visit
}

/** Where a page of visits ended. */
export interface VisitCursor {
  readonly startMs: number
  readonly client: Buffer
}

export interface VisitsAsked {
  readonly appId: string
  /** A person: the user's ordinal and those that are linked to it. */
  readonly visitors: readonly number[]
  readonly limit: number
  /** The last visit of the page before. */
  readonly after?: VisitCursor | undefined
  /** Visits that start in [fromMs, toMs). */
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
  readonly bots?: 'include' | 'exclude' | 'only' | undefined
}

type Bytes = Uint8Array | ArrayBuffer
type Row = VisitRow & { readonly bot: number; readonly visit_at: number | string }

/** Newest first, by start; visits of one instant by client. */
export async function visitsOfVisitors(db: Knex, build: number, asked: VisitsAsked): Promise<ListedVisit[]> {
  if (asked.visitors.length === 0 || asked.limit <= 0) return []
  const app = uuidToBytes(asked.appId)
  const main = (await inOrder(db('web_visits').where({ build, app_id: app }), asked, true)) as Row[]
  const keys = (await inOrder(furtherVisits(db, build, app, asked), asked, false)) as { client: Bytes; start_at: number | string }[]
  const sets = keys.map(({ client, start_at: startAt }) => ({ app, where: [['client', bytesOf(client)]] as const, column: 'start_at', values: [Number(startAt)] }))
  const further = await selectAmong<Row>(db, 'web_visits', build, sets, ['client', 'start_at', 'end_at', 'visit_at', 'bot', 'content'])
  const found = new Map<string, Row>()
  for (const row of [...main, ...further]) found.set(`${bytesOf(row.client).toString('hex')} ${row.start_at}`, row)
  return [...found.values()].map(listed).sort(newestFirst).slice(0, asked.limit)
}

/** Log positions of its contents, ascending; those of events before its start are among them. */
export function visitPositions(db: Knex, build: number, appId: string, { client, content }: ListedVisit): Promise<number[]> {
  return positionsOf(db, build, uuidToBytes(appId), client, content)
}

/** Visits that others of these visitors are the first in. */
function furtherVisits(db: Knex, build: number, app: Buffer, { bots }: VisitsAsked): Knex.QueryBuilder {
  const query = db('web_visit_visitors').where({ build, app_id: app })
  if (bots === undefined || bots === 'include') return query
  const visit = db('web_visits as visit')
    .where({ 'visit.build': build, 'visit.app_id': app, 'visit.bot': bots === 'only' ? 1 : 0 })
    .whereRaw('visit.client = web_visit_visitors.client AND visit.start_at = web_visit_visitors.start_at')
  return query.whereExists(visit)
}

async function inOrder(query: Knex.QueryBuilder, { visitors, limit, after, fromMs, toMs, bots }: VisitsAsked, whole: boolean): Promise<unknown[]> {
  let some = query.whereIn('visitor', [...visitors]).whereNotNull('visit_at')
  if (fromMs !== undefined) some = some.where('visit_at', '>=', fromMs)
  if (toMs !== undefined) some = some.where('visit_at', '<', toMs)
  if (whole && bots !== undefined && bots !== 'include') some = some.where({ bot: bots === 'only' ? 1 : 0 })
  if (after !== undefined) {
    const { startMs, client } = after
    some = some.where((where) => void where.where('visit_at', '<', startMs).orWhere((same) => void same.where('visit_at', startMs).where('client', '<', client)))
  }
  const columns = whole ? ['client', 'start_at', 'end_at', 'visit_at', 'bot', 'content'] : ['client', 'start_at']
  return (await some.orderBy('visit_at', 'desc').orderBy('client', 'desc').limit(limit).select(...columns)) as unknown[]
}

function listed(row: Row): ListedVisit {
  const visit = visitOf(row)
  const { first, entry, exit, arrival, pageviews, others, parts, end } = visit
  const refOf = (mark: { readonly ref: number } | undefined): number | undefined => (mark === undefined || mark.ref < 0 ? undefined : mark.ref)
  return {
    client: bytesOf(row.client),
    bot: row.bot === 1,
    startMs: first!.at,
    startPosition: first!.position,
    durationMs: end - first!.at,
    pageviews,
    events: parts.reduce((sum, { events }) => sum + events, 0),
    bounce: pageviews === 1 && others === 0,
    entry: refOf(entry),
    exit: refOf(exit),
    arrival: arrival?.refs ?? [],
    visitors: visitorsOf(visit),
    content: visit,
  }
}

function newestFirst(left: ListedVisit, right: ListedVisit): number {
  return right.startMs - left.startMs || Buffer.compare(right.client, left.client)
}
