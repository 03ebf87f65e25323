// A range by the values of a dimension, most first: pages, countries, sources, or what the app says in its metadata. Values
// are ranked by their sums; people are united only for the rows that are shown, unless they are what is ranked by.
import { uuidToBytes } from '../kernel/ids.ts'
import { DIMENSIONS, metadataKey } from '../events/dimensionNames.ts'
import { LIMITS } from '../limits.ts'
import { type DistinctPeople, readPeople } from '../projections/web/people.ts'
import { type BotFlags, readCells, readValues } from '../projections/web/read.ts'
import type { Query, Snapshot } from './query.ts'
import { cursorAfter, offsetOf, ranked } from './ranking.ts'
import { COUNT_SCHEMA, statsAnswer } from './schemas.ts'
import { type Bots, type BreakdownResult, type BreakdownRow, type Sort, SORTS } from './stats.ts'
import { botFlags, webExtent, wholeDays } from './webTotals.ts'

export interface BreakdownParams {
  readonly dimension: string
  readonly sort?: Sort
  readonly limit?: number
  readonly cursor?: string
  readonly bots?: Bots
}

/** What the cells of one value add up to. */
interface Value {
  readonly ref: number
  events: number
  pageviews: number
  visits: number
  visitors: number
  readonly sets: Uint8Array[]
}

export const breakdown: Query<BreakdownParams, BreakdownResult> = {
  name: 'breakdown',
  projection: 'web',
  ranged: true,
  params: {
    title: 'BreakdownParameters',
    type: 'object',
    additionalProperties: false,
    required: ['dimension'],
    properties: {
      dimension: {
        type: 'string',
        pattern: `^(?:${DIMENSIONS.join('|')}|metadata\\.[^]{1,${LIMITS.metadataKeyChars}})$`,
        'x-words': `one of ${DIMENSIONS.join(', ')}, or metadata.<key>`,
        description: `One of ${DIMENSIONS.join(', ')}, or metadata.<key>. A metadata key that is not declared is answered from the log.`,
        example: 'page',
      },
      sort: { type: 'string', enum: SORTS, description: 'What most of comes first; ties by value. Default: events.', example: 'visitors' },
      limit: { type: 'integer', minimum: 1, maximum: LIMITS.pageMax, description: `Rows of an answer. Default: ${LIMITS.pageDefault}.` },
      cursor: { type: 'string', minLength: 1, maxLength: 64, description: '`nextCursor` of the answer before.' },
    },
  },
  result: statsAnswer({
    title: 'Breakdown',
    description: 'A range by the values of a dimension. Who is in several rows is a visitor of each.',
    required: ['dimension', 'rows', 'total', 'without', 'values', 'nextCursor'],
    properties: {
      dimension: { type: 'string' },
      rows: {
        type: 'array',
        maxItems: LIMITS.pageMax,
        items: {
          title: 'BreakdownRow',
          type: 'object',
          additionalProperties: false,
          required: ['value', 'events', 'visitors', 'visits', 'pageviews'],
          properties: {
            value: { type: 'string', description: 'Values of a day beyond the bound count together as (other).' },
            events: COUNT_SCHEMA,
            visitors: COUNT_SCHEMA,
            visits: { ...COUNT_SCHEMA, description: 'Visits that start in the range and hold an event with this value.' },
            pageviews: COUNT_SCHEMA,
          },
        },
      },
      total: { ...COUNT_SCHEMA, description: 'Events in the range: those of all values, and `without`.' },
      without: { ...COUNT_SCHEMA, description: 'Events that lack a value.' },
      values: { ...COUNT_SCHEMA, description: 'How many values there are.' },
      nextCursor: { type: ['string', 'null'], description: 'Goes on behind the last row; null at the end.' },
    },
    example: { dimension: 'page', rows: [{ value: '/', events: 812, visitors: 301, visits: 377, pageviews: 790 }], total: 2400, without: 12, values: 48, nextCursor: '50' },
  }),
  stats: {
    bots: 'exclude',
    question: ({ dimension, sort = 'events', limit = LIMITS.pageDefault, cursor }, asked) => ({
      ...{ name: 'breakdown', ...asked, dimension, sort, limit },
      offset: offsetOf(cursor),
    }),
    fromTables: ({ dimension }, snapshot) => wholeDays(snapshot.range!) !== undefined && isKept(snapshot, dimension),
  },
  extent: webExtent,
  async run(snapshot, { dimension, sort = 'events', limit = LIMITS.pageDefault, cursor, bots = 'exclude' }) {
    const { first, last } = wholeDays(snapshot.range!)!
    const flags = botFlags(bots)
    const offset = offsetOf(cursor)
    const total = await eventsOf(snapshot, first, last, flags)
    const values = await valuesOf(snapshot, dimension, first, last, flags)
    const people = (await readPeople(snapshot)).distinct()
    if (sort === 'visitors') for (const value of values) value.visitors = unite(people, value)
    const rows = await pageOf(snapshot, values, sort, offset, limit)
    const without = total - values.reduce((sum, { events }) => sum + events, 0)
    return {
      dimension,
      rows: rows.map((row) => rowOf(row, sort === 'visitors' ? row.visitors : unite(people, row))),
      ...{ total, without, values: values.length },
      nextCursor: cursorAfter(offset, limit, values.length),
    }
  },
}

/** Whether the rows were folded with the dimension: metadata only where its key was declared by then. */
function isKept({ defined }: Snapshot, dimension: string): boolean {
  const key = metadataKey(dimension)
  return key === undefined || defined.dimensions.some(({ spec }) => spec.key === key)
}

async function eventsOf({ trx, build, appId }: Snapshot, first: number, last: number, flags: BotFlags): Promise<number> {
  const row = await trx('web_days')
    .where({ build, app_id: uuidToBytes(appId) })
    .whereBetween('day', [first, last])
    .whereIn('bot', [...flags])
    .sum({ events: 'events' })
    .first<{ events: number | string | null }>()
  return Number(row.events ?? 0)
}

async function valuesOf(snapshot: Snapshot, dimension: string, first: number, last: number, flags: BotFlags): Promise<Value[]> {
  const values = new Map<number, Value>()
  await readCells(snapshot, dimension, first, last, flags, ({ ref, events, pageviews, visits, visitors }) => {
    const value = values.get(ref)
    if (value === undefined) {
      values.set(ref, { ref, events, pageviews, visits, visitors: 0, sets: [visitors] })
      return
    }
    value.events += events
    value.pageviews += pageviews
    value.visits += visits
    value.sets.push(visitors)
  })
  return [...values.values()].filter(({ events, visits }) => events > 0 || visits > 0)
}

function unite(people: DistinctPeople, { sets }: Value): number {
  people.clear()
  for (const set of sets) people.add(set)
  return people.size
}

type NamedValue = Value & { readonly value: string }

/** Only values that the page may hold need their texts: those of its measures, and what ties with them. */
async function pageOf(snapshot: Snapshot, values: readonly Value[], sort: Sort, offset: number, limit: number): Promise<NamedValue[]> {
  const measures = Float64Array.from(values, (value) => value[sort])
    .sort()
    .reverse()
  if (offset >= measures.length) return []
  const most = measures[offset]!
  const least = measures[Math.min(offset + limit, measures.length) - 1]!
  const eligible = values.filter((value) => value[sort] <= most && value[sort] >= least)
  const texts = await readValues(snapshot, eligible.map(({ ref }) => ref))
  const before = values.filter((value) => value[sort] > most).length
  const named = eligible.map((value) => ({ ...value, value: texts.get(value.ref)! }))
  return ranked(named, sort).slice(offset - before, offset - before + limit)
}

function rowOf({ value, events, visits, pageviews }: NamedValue, visitors: number): BreakdownRow {
  return { value, events, visitors, visits, pageviews }
}
