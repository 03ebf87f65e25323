// A site in eight numbers: people, visits, pageviews, events, and what visits are like.
import { addSums, noSums } from '../projections/web/entries.ts'
import { readPeople } from '../projections/web/people.ts'
import type { Query } from './query.ts'
import { COUNT_SCHEMA, statsAnswer } from './schemas.ts'
import type { Bots, OverviewResult } from './stats.ts'
import { visitRatios } from './visitRatios.ts'
import { botFlags, isAligned, partsOf, webExtent } from './webTotals.ts'

export interface OverviewParams {
  readonly bots?: Bots
}

const ratio = { type: ['number', 'null'], minimum: 0 } as const

export const overview: Query<OverviewParams, OverviewResult> = {
  name: 'overview',
  projection: 'web',
  ranged: true,
  params: { title: 'OverviewParameters', type: 'object', additionalProperties: false, properties: {} },
  result: statsAnswer({
    title: 'Overview',
    description: 'A site in a range, exactly.',
    required: ['visitors', 'visits', 'pageviews', 'events', 'bounceRate', 'visitDurationSeconds', 'viewsPerVisit', 'visitorsBy', 'botEvents'],
    properties: {
      visitors: { ...COUNT_SCHEMA, description: 'Distinct people with an event in the range.' },
      visits: { ...COUNT_SCHEMA, description: 'Visits that start in the range.' },
      pageviews: COUNT_SCHEMA,
      events: { ...COUNT_SCHEMA, description: 'Of any name, pageviews included.' },
      bounceRate: { ...ratio, maximum: 1, description: 'Of the visits with a pageview, those with nothing but one. Null without such visits.' },
      visitDurationSeconds: { ...ratio, description: 'Mean of all visits. Null without visits.' },
      viewsPerVisit: { ...ratio, description: 'Of the visits with a pageview. Null without such visits.' },
      visitorsBy: {
        title: 'VisitorsBy',
        description: 'The visitors by what they are known by; sums to visitors. Cookieless ones are people of one day: over several days, visitor-days.',
        type: 'object',
        additionalProperties: false,
        required: ['userId', 'anonymousId', 'cookieless'],
        properties: { userId: COUNT_SCHEMA, anonymousId: COUNT_SCHEMA, cookieless: COUNT_SCHEMA },
      },
      botEvents: { ...COUNT_SCHEMA, description: 'Events of bots in the range, whatever `bots` says.' },
    },
    example: {
      ...{ visitors: 1200, visits: 1850, pageviews: 6400, events: 7100, bounceRate: 0.42, visitDurationSeconds: 184.5, viewsPerVisit: 3.5 },
      visitorsBy: { userId: 200, anonymousId: 700, cookieless: 300 },
      botEvents: 512,
    },
  }),
  stats: {
    bots: 'exclude',
    question: (_, asked) => ({ name: 'overview', ...asked }),
    fromTables: (_, { range }) => isAligned(range!),
  },
  extent: webExtent,
  async run(snapshot, { bots = 'exclude' }) {
    const flags = botFlags(bots)
    const people = (await readPeople(snapshot)).distinct()
    const sums = noSums()
    let botEvents = 0
    for (const part of await partsOf(snapshot, snapshot.range!, [0, 1])) {
      if (part.bot === 1) botEvents += part.sums.events
      if (!flags.includes(part.bot)) continue
      addSums(sums, part.sums)
      people.add(part.visitors)
    }
    const { visits, pageviews, events, bounces, pageviewVisits, viewsInThem, durationMs } = sums
    const ratios = visitRatios({ visits, viewed: pageviewVisits, bounces, pageviews: viewsInThem, durationMs })
    return { visitors: people.size, visits, pageviews, events, ...ratios, visitorsBy: people.by, botEvents }
  },
}
