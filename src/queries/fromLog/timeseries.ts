// The time series of a range, counted from rows: events by when they happened, visits by when they started.
import { spanAt, spansOf } from '../intervals.ts'
import type { StatsQuestion, TimeseriesResult } from '../stats.ts'
import type { Gathered } from './gathered.ts'
import { countedVisits, countGroups, NO_GROUP } from './groups.ts'

export function timeseriesOf(gathered: Gathered, { range, interval }: Extract<StatsQuestion, { name: 'timeseries' }>): TimeseriesResult {
  const { rows, visits, inRange, wanted, passes } = gathered
  const spans = spansOf(range, interval)
  const spanOf = (row: number): number =>
    wanted(row) && inRange(row) && passes(row) ? spanAt(spans, rows.occurredAt[row]!) : NO_GROUP
  const { visitors, pageviews, events } = countGroups(gathered, spanOf, spans.length)
  const started = new Float64Array(spans.length)
  for (const visit of countedVisits(gathered, range)) started[spanAt(spans, visits!.startMs(visit))]! += 1
  return {
    interval,
    points: spans.map(({ atMs }, at) => ({
      at: new Date(atMs).toISOString(),
      visitors: visitors[at]!,
      visits: started[at]!,
      pageviews: pageviews[at]!,
      events: events[at]!,
    })),
  }
}
