// Means over visits (METRICS, Visit and Bounce), from sums that tables and log count alike.
import type { OverviewResult } from './stats.ts'

export interface VisitSums {
  readonly visits: number
  /** Visits with a pageview. */
  readonly viewed: number
  readonly bounces: number
  /** Of all visits, over their whole length. */
  readonly pageviews: number
  readonly durationMs: number
}

export function visitRatios({ visits, viewed, bounces, pageviews, durationMs }: VisitSums): Pick<OverviewResult, 'bounceRate' | 'visitDurationSeconds' | 'viewsPerVisit'> {
  return {
    bounceRate: viewed === 0 ? null : bounces / viewed,
    visitDurationSeconds: visits === 0 ? null : durationMs / (visits * 1_000),
    viewsPerVisit: viewed === 0 ? null : pageviews / viewed,
  }
}
