// How long a month of event-summary takes: cold (nothing cached), cold with bounds that no row is aligned to, and cached in
// Redis. `npx tsx bench/query.ts [--events 1000000] [--visitors 50000] [--sqlite]`
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { openEventLog } from '../src/events/openEventLog.ts'
import { openDatabase } from '../src/kernel/database/open.ts'
import { silentLogger } from '../src/kernel/logger.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { migrate } from '../src/kernel/migrations.ts'
import { PROJECTIONS } from '../src/projections/all.ts'
import { replay } from '../src/projections/replay.ts'
import { createQueryBus } from '../src/queries/bus.ts'
import type { AnswerCache } from '../src/queries/cache.ts'
import { eventSummary } from '../src/queries/eventSummary.ts'
import { createMemoryCache } from '../src/queries/memoryCache.ts'
import type { Query } from '../src/queries/query.ts'
import { createRedisCache } from '../src/queries/redisCache.ts'
import { freshDatabase, freshRedis, stopSharedServers } from '../test/support/servers.ts'
import { scratchDirectory } from '../test/support/scratch.ts'
import { seedMonth } from './seed.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    visitors: { type: 'string', default: '50000' },
    asks: { type: 'string', default: '300' },
    sqlite: { type: 'boolean', default: false },
  },
})
const url = values.sqlite ? `sqlite:${scratchDirectory('bench')}/recount.db` : await freshDatabase()
const database = await openDatabase(url)
await migrate(database)
const log = await openEventLog(database, { url, partitions: 8 })
const { appId, fromMs } = await seedMonth(log, Number(values.events), Number(values.visitors))
const projection = PROJECTIONS.find(({ name }) => name === 'eventSummary')!
await replay({ database, log, projection, logger: silentLogger })

const noCache: AnswerCache = { get: () => Promise.resolve(undefined), set: () => Promise.resolve(), close: () => Promise.resolve() }
const cache = values.sqlite ? createMemoryCache() : createRedisCache({ url: await freshRedis(), logger: silentLogger })
const query = eventSummary as unknown as Query<never, unknown>

async function measure(what: string, kept: AnswerCache, shiftMs: number): Promise<void> {
  const bus = createQueryBus({ database, log, cache: kept, clock: systemClock, logger: silentLogger })
  const times: number[] = []
  for (let ask = -20; ask < Number(values.asks); ask++) {
    const from = new Date(fromMs + shiftMs).toISOString()
    const to = new Date(fromMs + 30 * 86_400_000 - shiftMs).toISOString()
    const started = performance.now()
    const { body } = await bus.ask(query, appId, { from, to, ...(ask % 2 === 0 ? { event: 'pageview' } : {}) })
    if (ask >= 0) times.push(performance.now() - started)
    if (ask === 1) console.log(JSON.stringify({ count: body['count'], uniqueUsers: body['uniqueUsers'] }))
  }
  times.sort((left, right) => left - right)
  const at = (share: number): string => `${times[Math.floor(share * (times.length - 1))]!.toFixed(2)} ms`
  console.log(`${what.padEnd(32)} p50 ${at(0.5).padStart(10)}   p99 ${at(0.99).padStart(10)}`)
}

await measure('month, cold', noCache, 0)
await measure('month, cold, unaligned bounds', noCache, 3_600_123)
await measure('month, cached', cache, 0)
await cache.close()
await log.close()
await database.close()
await stopSharedServers()
