// The stats questions by name: what can be recounted, and compared between two moments. What is about one person can be
// recounted alone: differences are for whoever may read numbers.
import type { AnyQuery } from './asking.ts'
import { breakdown } from './breakdown.ts'
import { eventSummary } from './eventSummary.ts'
import { goal } from './goals.ts'
import { overview } from './overview.ts'
import { report } from './reports.ts'
import { timeseries } from './timeseries.ts'
import { userStats } from './userStats.ts'

export const STATS_QUESTIONS: ReadonlyMap<string, AnyQuery> = new Map(
  [eventSummary, overview, timeseries, breakdown, goal, report].map((query: AnyQuery) => [query.name, query]),
)

export const RECOUNTED_QUESTIONS: ReadonlyMap<string, AnyQuery> = new Map([...STATS_QUESTIONS, [userStats.name, userStats]])
