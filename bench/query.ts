// How long questions take: a month of event-summary, cold (nothing cached), cold with bounds that no row is aligned to, and
// cached in Redis; with --web, overview, time series and breakdowns of a month and of a year instead, of events over a year (or --days, 30 for all of
// them in the month). Beside them what a round trip to the store costs at least: SELECT 1, and a GET of Redis.
// `npx tsx bench/query.ts [--events 1000000] [--visitors 50000] [--asks 300] [--rounds 3] [--sqlite] [--web [--days 30]]`
import { performance } from 'node:perf_hooks'
import { Redis } from 'ioredis'
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
import { freshDatabase, freshRedis, freshSqlite, startMariadb, stopSharedServers } from '../test/support/servers.ts'
import { seedMonth } from './seed.ts'
import { benchFlags, Rounds, runBench } from './support/benchRun.ts'
import type { Row } from './support/rows.ts'

const flags = benchFlags({
  events: { type: 'string' },
  visitors: { type: 'string', default: '50000' },
  asks: { type: 'string' },
  sqlite: { type: 'boolean', default: false },
  web: { type: 'boolean', default: false },
  days: { type: 'string', default: '360' },
})
const EVENTS = Number(flags.events ?? (flags.quick ? 40_000 : flags.web ? 300_000 : 1_000_000))
const ASKS = Number(flags.asks ?? (flags.quick ? 60 : 200))
/** Answers that are cached take so little that a pause for garbage of the cold questions before decides the p99 of a few. */
const CACHED_ASKS = 10 * ASKS
const WARM_UP = 20
const ENGINE = flags.sqlite ? 'SQLite' : 'MariaDB'
const noCache: AnswerCache = { get: () => Promise.resolve(undefined), set: () => Promise.resolve(), close: () => Promise.resolve() }

interface Question {
  readonly name: string
  readonly query: Query<never, unknown>
  readonly cached?: true
  readonly days?: number
  readonly shiftMs?: number
  /** Of the how manieth ask. */
  readonly params?: (ask: number) => Record<string, unknown>
  /** Of p99, milliseconds. */
  readonly atMost?: number
}

const someNames = (ask: number): Record<string, unknown> => (ask % 2 === 0 ? { event: 'pageview' } : {})
const by = (dimension: string, more: object = {}): Pick<Question, 'query' | 'params'> => ({ query: breakdown, params: () => ({ dimension, ...more }) })

const SUMMARY: readonly Question[] = [
  { name: 'month, cold', query: eventSummary, params: someNames, atMost: 20 },
  { name: 'month, cold, unaligned bounds', query: eventSummary, params: someNames, shiftMs: 3_600_123 },
  { name: 'month, cached', query: eventSummary, params: someNames, cached: true, atMost: 2 },
]

const WEB: readonly Question[] = [
  { name: 'overview, 30 days, cold', query: overview, atMost: 30 },
  { name: 'overview, 12 months, cold', query: overview, days: 360, atMost: 100 },
  { name: 'overview, 30 days, cached', query: overview, cached: true, atMost: 2 },
  { name: 'days of a month, cold', query: timeseries, params: () => ({ interval: 'day' }) },
  { name: 'hours of a month, cold', query: timeseries, params: () => ({ interval: 'hour' }) },
  ...['page', 'country', 'source', 'event', 'browser'].map((dimension) => ({ name: `by ${dimension}, 30 days, cold`, ...by(dimension), atMost: 50 })),
  { name: 'by page, most visitors, cold', ...by('page', { sort: 'visitors' }), atMost: 50 },
  { name: 'by page, 12 months, cold', ...by('page'), days: 360 },
  { name: 'by page, 30 days, cached', ...by('page'), cached: true, atMost: 2 },
]

await runBench(flags, async () => {
  const url = flags.sqlite ? freshSqlite() : await freshDatabase(await startMariadb(['--innodb-buffer-pool-size=1G', '--innodb-log-file-size=512M']))
  const database = await openDatabase(url)
  await migrate(database)
  const log = await openEventLog(database, { url, partitions: 8 })
  const { appId, fromMs } = await seedMonth(log, EVENTS, Number(flags.visitors), flags.web ? { days: Number(flags.days), site: true } : {})
  const projection = PROJECTIONS.find(({ name }) => name === (flags.web ? 'web' : 'eventSummary'))!
  await replay({ database, log, projection, logger: silentLogger })
  const redisUrl = flags.sqlite ? undefined : await freshRedis()
  const cache = redisUrl === undefined ? createMemoryCache() : createRedisCache({ url: redisUrl, logger: silentLogger })
  const redis = redisUrl === undefined ? undefined : new Redis(redisUrl)
  const measured = new Rounds()

  async function ask({ name, query, cached, days = 30, shiftMs = 0, params = () => ({}) }: Question): Promise<void> {
    const bus = createQueryBus({ database, log, cache: cached === true ? cache : noCache, clock: systemClock, logger: silentLogger })
    const [from, to] = [new Date(fromMs + shiftMs).toISOString(), new Date(fromMs + days * 86_400_000 - shiftMs).toISOString()]
    await timed(measured, name, cached === true ? CACHED_ASKS : ASKS, (at) => bus.ask(query, appId, { from, to, ...params(at) }))
  }

  const questions = flags.web ? WEB : SUMMARY
  for (let round = 0; round < Number(flags.rounds); round++) {
    await timed(measured, 'SELECT 1', ASKS, () => database.knex.raw('SELECT 1'))
    if (redis !== undefined) await timed(measured, 'GET', CACHED_ASKS, () => redis.get('recount-bench'))
    for (const question of questions) await ask(question)
  }
  redis?.disconnect()
  await cache.close()
  await log.close()
  await database.close()
  await stopSharedServers()
  return questions.flatMap((question) => rowsOf(measured, question, redis !== undefined))
})

async function timed(measured: Rounds, name: string, asks: number, work: (ask: number) => Promise<unknown>): Promise<void> {
  const times: number[] = []
  for (let at = -WARM_UP; at < asks; at++) {
    const started = performance.now()
    await work(at)
    if (at >= 0) times.push(performance.now() - started)
  }
  times.sort((left, right) => left - right)
  for (const [percentile, share] of [['p50', 0.5], ['p99', 0.99]] as const) measured.add(`${name} ${percentile}`, times[Math.floor(share * (times.length - 1))]!)
}

function rowsOf(measured: Rounds, { name, cached, atMost }: Question, inRedis: boolean): Row[] {
  return ['p50', 'p99'].map((percentile) => ({
    name: `query, ${ENGINE}, ${name}, ${percentile}`,
    unit: 'ms',
    better: 'lower',
    rounds: measured.of(`${name} ${percentile}`),
    ...(cached === true ? (inRedis ? { baseline: measured.as('GET of Redis', `GET ${percentile}`) } : {}) : { baseline: measured.as('SELECT 1', `SELECT 1 ${percentile}`) }),
    ...(percentile === 'p99' && atMost !== undefined ? { target: { of: 'value', atMost } as const } : {}),
    note: `${EVENTS.toLocaleString('en')} events`,
  }))
}
