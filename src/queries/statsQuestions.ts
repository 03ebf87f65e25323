// The stats questions by name: what can be recounted, and compared between two moments.
import type { AnyQuery } from './asking.ts'
import { breakdown } from './breakdown.ts'
import { eventSummary } from './eventSummary.ts'
import { goal } from './goals.ts'
import { overview } from './overview.ts'
import { report } from './reports.ts'
import { timeseries } from './timeseries.ts'

export const STATS_QUESTIONS: ReadonlyMap<string, AnyQuery> = new Map(
  [eventSummary, overview, timeseries, breakdown, goal, report].map((query: AnyQuery) => [query.name, query]),
)
