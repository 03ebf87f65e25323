// The stats questions by name: what can be recounted, and compared between two moments.
import { breakdown } from './breakdown.ts'
import { eventSummary } from './eventSummary.ts'
import { overview } from './overview.ts'
import type { AnyQuery } from './asking.ts'
import { timeseries } from './timeseries.ts'

export const STATS_QUESTIONS: ReadonlyMap<string, AnyQuery> = new Map([eventSummary, overview, timeseries, breakdown].map((query) => [query.name, query]))
