// Connections to the queue's Redis: the producer's fails fast, because what Redis cannot take at once goes to the log;
// a worker's waits for Redis however long it is away. BullMQ makes copies of a worker's for its blocking commands and
// would wait for Redis to close them, so the copies are known here and can be ended at once.
import { Redis } from 'ioredis'
import { within } from '../kernel/deadline.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'

export function producerConnection(url: string, logger: Logger): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: LIMITS.redisCommandMs,
    connectTimeout: LIMITS.redisCommandMs,
    retryStrategy: () => LIMITS.redisProbeMs,
  })
  redis.on('error', (error: Error) => logger.debug('connection to the queue', { error }))
  return redis
}

export interface WorkerConnection {
  readonly redis: Redis
  /** Gives work on these connections a moment to end by itself, then ends them. */
  endAfter(work: Promise<unknown>): Promise<void>
}

export function workerConnection(url: string, logger: Logger): WorkerConnection {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => LIMITS.redisProbeMs })
  const report = (error: Error): void => logger.debug('connection to the queue', { error })
  const all = [redis.on('error', report)]
  const duplicate = redis.duplicate.bind(redis)
  redis.duplicate = (override) => {
    const copy = duplicate(override).on('error', report)
    all.push(copy)
    return copy
  }
  return {
    redis,
    async endAfter(work) {
      await within(LIMITS.redisCommandMs, work, 'closing the queue').catch(report)
      for (const connection of all) connection.disconnect()
    },
  }
}
