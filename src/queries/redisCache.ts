// Answers in Redis, shared by all processes: each with its own time to live, and all of them within a byte budget, because
// a cache that fills the queue's Redis stops the queue. The budget is kept by the one script that writes; whatever goes
// wrong with Redis is a miss.
import { Redis } from 'ioredis'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import type { AnswerCache } from './cache.ts'

interface Options {
  readonly url: string
  readonly logger: Logger
  readonly maxBytes?: number
  readonly ttlSeconds?: number
  /** Tests give each run its own. */
  readonly prefix?: string
}

// Oldest answers go first. An entry that Redis expired by itself stays on the books until its time is over, never longer.
const SET = `
local now = tonumber(redis.call('TIME')[1])
local ttl, budget, bytes = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local function drop(member)
  redis.call('DEL', member)
  redis.call('DECRBY', KEYS[3], redis.call('HGET', KEYS[4], member) or 0)
  redis.call('HDEL', KEYS[4], member)
  redis.call('ZREM', KEYS[2], member)
end
if redis.call('HEXISTS', KEYS[4], KEYS[1]) == 1 then drop(KEYS[1]) end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - ttl, 'LIMIT', 0, 100)) do drop(member) end
if bytes > budget then return 0 end
while tonumber(redis.call('GET', KEYS[3]) or '0') + bytes > budget do
  local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  if not oldest then redis.call('DEL', KEYS[3]) break end
  drop(oldest)
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ttl)
redis.call('ZADD', KEYS[2], now, KEYS[1])
redis.call('HSET', KEYS[4], KEYS[1], bytes)
redis.call('INCRBY', KEYS[3], bytes)
return 1`

/** What an entry takes besides its answer: its key four times, and Redis' own records. */
const ENTRY_BYTES = 512
const COMMAND_MS = 200

export function createRedisCache({ url, logger, maxBytes = LIMITS.cacheBytes, ttlSeconds = LIMITS.cacheTtlSeconds, prefix = 'recount' }: Options): AnswerCache {
  const redis = new Redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: COMMAND_MS, connectTimeout: 2_000 })
  let failing = false
  const failed = (error: unknown): void => {
    if (!failing) logger.warn('the cache is unavailable; answers are computed', { error })
    failing = true
  }
  redis.on('error', failed)
  redis.on('ready', () => {
    failing = false
  })
  // One hash tag, so that the script's keys lie together on a cluster.
  const tag = `{${prefix}:cache}`
  return {
    async get(key) {
      try {
        return (await redis.get(`${tag}:${key}`)) ?? undefined
      } catch (error) {
        failed(error)
        return undefined
      }
    },
    async set(key, answer) {
      const bytes = Buffer.byteLength(answer) + ENTRY_BYTES
      try {
        await redis.eval(SET, 4, `${tag}:${key}`, `${tag}-ages`, `${tag}-bytes`, `${tag}-sizes`, answer, ttlSeconds, maxBytes, bytes)
      } catch (error) {
        failed(error)
      }
    },
    async close() {
      redis.removeAllListeners('error')
      redis.on('error', () => undefined)
      try {
        await redis.quit()
      } catch {
        // It was not connected; then there is nothing to say goodbye to.
        redis.disconnect()
      }
    },
  }
}
