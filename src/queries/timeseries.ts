// The same numbers interval by interval, in the app's time zone, empty intervals included.
import { localDays } from '../kernel/calendar.ts'
import { LIMITS } from '../limits.ts'
import { type DistinctPeople, readPeople } from '../projections/web/people.ts'
import { OTHER } from '../projections/web/memory.ts'
import { readCells, readRef } from '../projections/web/read.ts'
import { type Span, spanAt, spansOf } from './intervals.ts'
import type { Query, Range, Snapshot } from './query.ts'
import { COUNT_SCHEMA, statsAnswer } from './schemas.ts'
import { type Bots, type Interval, INTERVALS, type TimeseriesPoint, type TimeseriesResult } from './stats.ts'
import { botFlags, isAligned, onRows, partsOf, quartersOf, webExtent, wholeDays } from './webTotals.ts'

export interface TimeseriesParams {
  readonly interval: Interval
  readonly event?: string
  readonly bots?: Bots
}

/** What something adds to the interval that it begins in. */
interface Part {
  readonly fromMs: number
  readonly sums: Pick<TimeseriesPoint, 'events' | 'pageviews' | 'visits'>
  readonly visitors: Uint8Array
}

export const timeseries: Query<TimeseriesParams, TimeseriesResult> = {
  name: 'timeseries',
  projection: 'web',
  ranged: true,
  params: {
    title: 'TimeseriesParameters',
    type: 'object',
    additionalProperties: false,
    required: ['interval'],
    properties: {
      interval: {
        type: 'string',
        enum: INTERVALS,
        description: `Local to the app; weeks start on Monday. At most ${LIMITS.timeseriesPoints} points.`,
        example: 'day',
      },
      event: { type: 'string', minLength: 1, maxLength: LIMITS.eventNameChars, description: 'Only events of this name, and visits with one.', example: 'signup' },
    },
  },
  result: statsAnswer({
    title: 'Timeseries',
    description: 'A range interval by interval. Points do not add up: who comes twice is a visitor of both.',
    required: ['interval', 'points'],
    properties: {
      interval: { type: 'string', enum: INTERVALS },
      points: {
        type: 'array',
        maxItems: LIMITS.timeseriesPoints,
        items: {
          title: 'TimeseriesPoint',
          type: 'object',
          additionalProperties: false,
          required: ['at', 'visitors', 'visits', 'pageviews', 'events'],
          properties: {
            at: { type: 'string', format: 'date-time', description: 'Start of the interval; of the first one perhaps before the range.' },
            visitors: COUNT_SCHEMA,
            visits: { ...COUNT_SCHEMA, description: 'Visits that start in it.' },
            pageviews: COUNT_SCHEMA,
            events: COUNT_SCHEMA,
          },
        },
      },
    },
    example: { interval: 'day', points: [{ at: '2026-11-01T00:00:00.000Z', visitors: 40, visits: 61, pageviews: 212, events: 240 }] },
  }),
  stats: {
    bots: 'exclude',
    question: ({ interval, event }, asked) => {
      // Too many points are refused before anybody counts.
      spansOf(asked.range, interval)
      return { name: 'timeseries', ...asked, interval, event }
    },
    fromTables,
  },
  extent: webExtent,
  async run(snapshot, params) {
    const range = snapshot.range!
    const spans = spansOf(range, params.interval)
    const people = (await readPeople(snapshot)).distinct()
    return { interval: params.interval, points: pointsOf(spans, people, await partsFor(snapshot, range, params)) }
  },
}

async function fromTables({ interval, event }: TimeseriesParams, snapshot: Snapshot): Promise<boolean> {
  const range = snapshot.range!
  if (!isAligned(range) || interval === 'minute') return false
  if (interval === 'hour') return event === undefined && spansOf(range, interval).every(({ fromMs }) => onRows(fromMs, range.timezone))
  // What counts under "(other)" is no longer known by its name.
  return event === undefined || (wholeDays(range) !== undefined && (await readRef(snapshot, 'event', OTHER)) === undefined)
}

async function partsFor(snapshot: Snapshot, range: Range, { interval, event, bots = 'exclude' }: TimeseriesParams): Promise<Part[]> {
  const flags = botFlags(bots)
  const zone = localDays(range.timezone)
  if (interval === 'hour') return quartersOf(snapshot, range, zone.at(range.fromMs).day, zone.at(range.toMs - 1).day, flags)
  if (event === undefined) return partsOf(snapshot, range, flags)
  const ref = await readRef(snapshot, 'event', event)
  if (ref === undefined) return []
  const { first, last } = wholeDays(range)!
  const parts: Part[] = []
  await readCells(snapshot, 'event', first, last, flags, ({ ref: of, day, visitors, ...sums }) => {
    if (of === ref) parts.push({ fromMs: zone.startMs(day), sums, visitors })
  })
  return parts
}

function pointsOf(spans: readonly Span[], people: DistinctPeople, parts: readonly Part[]): TimeseriesPoint[] {
  const bySpan: Part[][] = spans.map(() => [])
  for (const part of parts) bySpan[spanAt(spans, part.fromMs)]!.push(part)
  return spans.map(({ atMs }, at) => {
    const counts = { visits: 0, pageviews: 0, events: 0 }
    people.clear()
    for (const { sums, visitors } of bySpan[at]!) {
      counts.visits += sums.visits
      counts.pageviews += sums.pageviews
      counts.events += sums.events
      people.add(visitors)
    }
    return { at: new Date(atMs).toISOString(), visitors: people.size, ...counts }
  })
}
