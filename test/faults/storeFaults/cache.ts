// A cache that tries to fill the queue's Redis: different questions with big answers, more of them than its budget holds. It
// must stay within that, so that the queue always has room.
import { LIMITS } from '../../../src/limits.ts'
import { newApp } from '../../support/client.ts'
import { eventually } from '../../support/eventually.ts'
import type { Fault } from '../support/fault.ts'
import { withRedis } from './harm.ts'

const QUESTIONS = 1_500
const ASKING = 4
const DAY_MS = 86_400_000
const FIRST_DAY = Date.UTC(2010, 0, 1)
/** Of hours, just below LIMITS.timeseriesPoints. */
const DAYS = 208
/** What Redis itself takes for keys, and for room that is not in use, beyond what the cache counts. */
const OVERHEAD = 1.5
const PATIENCE_MS = 120_000

export const cacheFilling: Fault = {
  name: 'Redis: a cache that tries to fill it',
  hits: 'redis',
  async inject(world) {
    const urls = world.processes('api').map(({ url }) => url)
    const app = await eventually(() => newApp(urls[0]!, world.ownerCode, { name: 'Curious' }), { timeoutMs: PATIENCE_MS, everyMs: 200 })
    let next = 0
    let bytes = 0
    const until = performance.now() + PATIENCE_MS
    const reader = async (): Promise<void> => {
      while (next < QUESTIONS && bytes < 2 * LIMITS.cacheBytes && performance.now() < until) {
        const number = next++
        const day = (offset: number): string => new Date(FIRST_DAY + (number + offset) * DAY_MS).toISOString().slice(0, 10)
        const question = `appId=${app.appId}&interval=hour&from=${day(0)}&to=${day(DAYS)}`
        const answer = await fetch(`${urls[number % urls.length]!}/analytics/timeseries?${question}`, { headers: { authorization: `Bearer ${app.token}` } }).catch(() => undefined)
        // A process that is away is no reason to stop asking the others.
        bytes += (await answer?.text().catch(() => ''))?.length ?? 0
      }
    }
    await Promise.all(Array.from({ length: ASKING }, reader))
    if (bytes < 2 * LIMITS.cacheBytes) throw new Error(`only ${bytes} bytes of answers were to be had`)
    await withRedis(world.redisUrl, async (redis) => {
      const keys: string[] = []
      for await (const some of redis.scanStream({ match: '{recount:cache}*', count: 1_000 })) keys.push(...(some as string[]))
      let used = 0
      for (const key of keys) used += (await redis.memory('USAGE', key)) ?? 0
      world.say(`${next} questions, ${bytes} bytes of answers; the cache takes ${used} in ${keys.length} keys`)
      if (used > LIMITS.cacheBytes * OVERHEAD) throw new Error(`the cache takes ${used} bytes, and its budget is ${LIMITS.cacheBytes}`)
      if (used < LIMITS.cacheBytes / 4) throw new Error(`the cache was never filled: ${used} bytes`)
    })
  },
}
