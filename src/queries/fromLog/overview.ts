// The overview of a range, counted from rows.
import { ANONYMOUS, COOKIELESS, USER } from '../../projections/visitors/visitors.ts'
import type { OverviewResult, StatsQuestion, VisitorsBy } from '../stats.ts'
import { visitRatios } from '../visitRatios.ts'
import type { Gathered } from './gathered.ts'
import { countedVisits, peopleIn } from './groups.ts'
import { BOT, IN_FORCE, PAGEVIEW } from './rows.ts'

export function overviewOf(gathered: Gathered, { range }: StatsQuestion): OverviewResult {
  const { rows, inRange, wanted, passes } = gathered
  let [events, pageviews, botEvents] = [0, 0, 0]
  for (let row = 0; row < rows.count; row++) {
    const flag = rows.flags[row]!
    if ((flag & IN_FORCE) === 0 || !inRange(row) || !passes(row)) continue
    if ((flag & BOT) !== 0) botEvents += 1
    if (!wanted(row)) continue
    events += 1
    if ((flag & PAGEVIEW) !== 0) pageviews += 1
  }
  const people = peopleIn(gathered, (row) => wanted(row) && inRange(row) && passes(row))
  return { visitors: people.size, ...visitTotals(gathered, range), pageviews, events, visitorsBy: byKind(gathered, people), botEvents }
}

function visitTotals(gathered: Gathered, range: StatsQuestion['range']): Pick<OverviewResult, 'visits' | 'bounceRate' | 'visitDurationSeconds' | 'viewsPerVisit'> {
  const totals = { visits: 0, viewed: 0, bounces: 0, pageviews: 0, durationMs: 0 }
  for (const at of countedVisits(gathered, range)) {
    const { pageviews, bounce, durationMs } = gathered.visits!.visit(at)
    totals.visits += 1
    totals.durationMs += durationMs
    totals.pageviews += pageviews
    if (pageviews > 0) totals.viewed += 1
    if (bounce) totals.bounces += 1
  }
  return { visits: totals.visits, ...visitRatios(totals) }
}

function byKind({ rows }: Gathered, people: ReadonlySet<number>): VisitorsBy {
  const counts = [0, 0, 0]
  for (const person of people) counts[rows.identities.kindOf(person)]! += 1
  return { userId: counts[USER]!, anonymousId: counts[ANONYMOUS]!, cookieless: counts[COOKIELESS]! }
}
