// How long questions take: a month of event-summary, cold (nothing cached), cold with bounds that no row is aligned to, and
// cached in Redis; with --web, overview, time series and breakdowns of a month and of a year instead, of events over a year (or --days, 30 for all of
// them in the month).
// `npx tsx bench/query.ts [--events 1000000] [--visitors 50000] [--sqlite] [--web [--days 30]]`
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { openEventLog } from '../src/events/openEventLog.ts'
import { openDatabase } from '../src/kernel/database/open.ts'
import { silentLogger } from '../src/kernel/logger.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { migrate } from '../src/kernel/migrations.ts'
import { PROJECTIONS } from '../src/projections/all.ts'
import { replay } from '../src/projections/replay.ts'
import { breakdown } from '../src/queries/breakdown.ts'
import { createQueryBus } from '../src/queries/bus.ts'
import type { AnswerCache } from '../src/queries/cache.ts'
import { eventSummary } from '../src/queries/eventSummary.ts'
import { createMemoryCache } from '../src/queries/memoryCache.ts'
import { overview } from '../src/queries/overview.ts'
import type { Query } from '../src/queries/query.ts'
import { createRedisCache } from '../src/queries/redisCache.ts'
import { timeseries } from '../src/queries/timeseries.ts'
import { freshDatabase, freshRedis, stopSharedServers } from '../test/support/servers.ts'
import { scratchDirectory } from '../test/support/scratch.ts'
import { seedMonth } from './seed.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    visitors: { type: 'string', default: '50000' },
    asks: { type: 'string', default: '300' },
    sqlite: { type: 'boolean', default: false },
    web: { type: 'boolean', default: false },
    days: { type: 'string', default: '360' },
  },
})
const url = values.sqlite ? `sqlite:${scratchDirectory('bench')}/recount.db` : await freshDatabase()
const database = await openDatabase(url)
await migrate(database)
const log = await openEventLog(database, { url, partitions: 8 })
const { appId, fromMs } = await seedMonth(log, Number(values.events), Number(values.visitors), values.web ? { days: Number(values.days), site: true } : {})
const projection = PROJECTIONS.find(({ name }) => name === (values.web ? 'web' : 'eventSummary'))!
await replay({ database, log, projection, logger: silentLogger })

const noCache: AnswerCache = { get: () => Promise.resolve(undefined), set: () => Promise.resolve(), close: () => Promise.resolve() }
const cache = values.sqlite ? createMemoryCache() : createRedisCache({ url: await freshRedis(), logger: silentLogger })
interface Measured {
  readonly query: Query<never, unknown>
  readonly days?: number
  readonly shiftMs?: number
  /** Of the how manieth ask. */
  readonly params?: (ask: number) => Record<string, unknown>
}

async function measure(what: string, kept: AnswerCache, { query, days = 30, shiftMs = 0, params = () => ({}) }: Measured): Promise<void> {
  const bus = createQueryBus({ database, log, cache: kept, clock: systemClock, logger: silentLogger })
  const times: number[] = []
  for (let ask = -20; ask < Number(values.asks); ask++) {
    const from = new Date(fromMs + shiftMs).toISOString()
    const to = new Date(fromMs + days * 86_400_000 - shiftMs).toISOString()
    const started = performance.now()
    const { body } = await bus.ask(query, appId, { from, to, ...params(ask) })
    if (ask >= 0) times.push(performance.now() - started)
    if (ask === 1) console.log(JSON.stringify(shown(body)))
  }
  times.sort((left, right) => left - right)
  const at = (share: number): string => `${times[Math.floor(share * (times.length - 1))]!.toFixed(2)} ms`
  console.log(`${what.padEnd(32)} p50 ${at(0.5).padStart(10)}   p99 ${at(0.99).padStart(10)}`)
}

/** Its numbers: lists by their length. */
function shown(body: Record<string, unknown>): Record<string, unknown> {
  const some = Object.entries(body).filter(([name]) => !['range', 'asOf', 'deviceData', 'visitorsBy'].includes(name))
  return Object.fromEntries(some.map(([name, value]) => [name, Array.isArray(value) ? value.length : value]))
}

if (values.web) {
  const by = (dimension: string): Measured => ({ query: breakdown, params: () => ({ dimension }) })
  await measure('overview, 30 days, cold', noCache, { query: overview })
  await measure('overview, 12 months, cold', noCache, { query: overview, days: 360 })
  await measure('overview, 30 days, cached', cache, { query: overview })
  await measure('days of a month, cold', noCache, { query: timeseries, params: () => ({ interval: 'day' }) })
  await measure('hours of a month, cold', noCache, { query: timeseries, params: () => ({ interval: 'hour' }) })
  for (const dimension of ['page', 'country', 'source', 'event', 'browser']) await measure(`by ${dimension}, 30 days, cold`, noCache, by(dimension))
  await measure('by page, most visitors, cold', noCache, { query: breakdown, params: () => ({ dimension: 'page', sort: 'visitors' }) })
  await measure('by page, 12 months, cold', noCache, { ...by('page'), days: 360 })
  await measure('by page, 30 days, cached', cache, by('page'))
} else {
  const params = (ask: number): Record<string, unknown> => (ask % 2 === 0 ? { event: 'pageview' } : {})
  await measure('month, cold', noCache, { query: eventSummary, params })
  await measure('month, cold, unaligned bounds', noCache, { query: eventSummary, params, shiftMs: 3_600_123 })
  await measure('month, cached', cache, { query: eventSummary, params })
}
await cache.close()
await log.close()
await database.close()
await stopSharedServers()
