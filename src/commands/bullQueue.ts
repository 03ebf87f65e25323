// The way into the log through Redis: packs become one BullMQ job each (one job is atomic), and a request is answered once
// Redis has it on disk. Where Redis is away, hung or filling up, the pack goes straight to the log under the same ids, so
// it counts once whatever became of the other try.
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { Problem } from '../errors.ts'
import type { EventLog, Pack } from '../events/eventLog.ts'
import { CoalescerClosed } from '../kernel/coalescer.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import { APPEND_QUEUE, appendPrefix, encodePack, type PackJob, STREAM_ENTRIES } from './appendJobs.ts'
import type { WatchedQueue } from './appendQueue.ts'
import { createControlQueue } from './controlQueue.ts'
import { createLogAppender } from './logAppender.ts'
import type { Placed } from './packStore.ts'
import { createParcelPacker } from './parcelPacker.ts'
import { producerConnection } from './queueConnection.ts'
import { queuedPacksOn } from './queuedPacks.ts'
import { createRedisGauge, type RedisState } from './redisGauge.ts'

export interface BullQueueStats {
  readonly redis: RedisState
  readonly redisBytes: number
  readonly pendingBytes: number
  /** Packs handed to Redis, and straight to the log. */
  readonly queuedPacks: number
  readonly directPacks: number
}

export interface BullQueueOptions {
  readonly redisUrl: string
  readonly log: EventLog
  readonly appendMaxEvents: number
  readonly logger: Logger
}

export function createBullQueue(options: BullQueueOptions): WatchedQueue & { stats(): BullQueueStats } {
  const { log, logger } = options
  const redis = producerConnection(options.redisUrl, logger)
  const gauge = createRedisGauge(redis, logger)
  const queues = createQueues(redis, logger)
  const appenders = { log, logger, maxEvents: options.appendMaxEvents, maxWaitMs: 0 }
  const direct = createLogAppender({ ...appenders, giveUpMs: LIMITS.directAppendMs })
  const stored = createLogAppender({ ...appenders, giveUpMs: LIMITS.ackStoredRetryMs })
  const control = createControlQueue({ redisUrl: options.redisUrl, log, logger, up: () => gauge.state !== 'down' })
  const packs = { queued: 0, direct: 0 }
  const inTime = createDeadline(log, logger)

  const handOver = async (pack: Pack): Promise<undefined> => {
    if (gauge.state === 'ok') {
      try {
        await queues.add(pack)
        if (gauge.replicas === 0 || (await redis.wait(1, LIMITS.redisCommandMs)) > 0) {
          packs.queued++
          return
        }
        logger.warn('no replica of the queue confirmed in time; appending to the log')
      } catch (error) {
        gauge.failed(error)
        queues.forget(pack.partition)
      }
    }
    const { state } = gauge
    try {
      await direct.append(pack)
      packs.direct++
    } catch (error) {
      if (log.classify(error) !== 'transient' && !(error instanceof CoalescerClosed)) throw error
      throw new Problem(state === 'full' ? 'overloaded' : 'unavailable', undefined, { retryAfterSeconds: 2, cause: error })
    }
  }

  const packer = createParcelPacker({
    handOver,
    maxEvents: LIMITS.packEvents,
    maxInFlight: LIMITS.packsInFlightPerPartition,
    minEventsBeside: LIMITS.packEventsBeside,
  })
  // Should the log take the pack late after all, the queue delivers the same pack again, and the ledger counts it once.
  const storedPacker = createParcelPacker({
    handOver: async (pack) => (await inTime(() => stored.append(pack))) ?? handOver(pack),
    maxEvents: options.appendMaxEvents,
    maxInFlight: 1,
  })
  return {
    append: (parcel) => packer.add(parcel),
    appendStored: (parcel) => storedPacker.add(parcel),
    appendControl: (append) => control.append(append),
    stats: () => ({
      redis: gauge.state,
      redisBytes: gauge.usedBytes,
      pendingBytes: packer.pendingBytes() + storedPacker.pendingBytes(),
      queuedPacks: packs.queued,
      directPacks: packs.direct,
    }),
    depth: async () => ({ packs: await queues.waiting(log.partitions), pendingBytes: packer.pendingBytes() + storedPacker.pendingBytes() }),
    queued: queuedPacksOn(redis, logger),
    async close() {
      await Promise.all([packer.close(), storedPacker.close()])
      direct.abort()
      stored.abort()
      gauge.stop()
      await control.close()
      redis.disconnect()
      await queues.close()
    },
  }
}

/** A queue is made when it is first used, with Redis there; one that failed is made anew, because BullMQ's stays broken. */
function createQueues(redis: Redis, logger: Logger) {
  const queues = new Map<number, Queue<PackJob>>()
  const queueOf = (partition: number): Queue<PackJob> => {
    let queue = queues.get(partition)
    if (queue === undefined) {
      queue = new Queue<PackJob>(APPEND_QUEUE, {
        connection: redis,
        prefix: appendPrefix(partition),
        skipVersionCheck: true,
        skipWaitingForReady: true,
        streams: { events: { maxLen: STREAM_ENTRIES } },
        defaultJobOptions: { removeOnComplete: true, removeOnFail: false },
      })
      queue.on('error', (error) => logger.debug('append queue', { error }))
      queues.set(partition, queue)
    }
    return queue
  }
  return {
    async add(pack: Pack): Promise<void> {
      await queueOf(pack.partition).add(APPEND_QUEUE, encodePack(pack), { jobId: pack.deliveryId })
    },
    /** Packs that wait or are at work; undefined when Redis does not say. */
    async waiting(partitions: number): Promise<number | undefined> {
      const asked = redis.pipeline()
      for (let partition = 1; partition <= partitions; partition++) {
        for (const list of ['wait', 'active']) asked.llen(`${appendPrefix(partition)}:${APPEND_QUEUE}:${list}`)
      }
      const answers = await asked.exec().catch(() => null)
      const counts = answers?.map(([error, count]) => (error === null ? Number(count) : Number.NaN))
      const packs = counts?.reduce((sum, count) => sum + count, 0)
      return packs === undefined || Number.isNaN(packs) ? undefined : packs
    },
    forget(partition: number): void {
      const queue = queues.get(partition)
      queues.delete(partition)
      queue?.close().catch((error: unknown) => logger.debug('append queue', { error }))
    },
    async close(): Promise<void> {
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()))
    },
  }
}

/**
 * Stores at once what the log takes in time; undefined otherwise: the queue takes over. A log that was found away is left
 * alone for a moment, so that only one request in a while waits to find out that it still is.
 */
function createDeadline(log: EventLog, logger: Logger): (store: () => Promise<Placed | undefined>) => Promise<Placed | undefined> {
  let awayAt = Number.NEGATIVE_INFINITY
  const noteAway = (): void => {
    awayAt = performance.now()
  }
  return async (store) => {
    if (performance.now() - awayAt < LIMITS.logAwayMs) return undefined
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => {
        noteAway()
        resolve(undefined)
      }, LIMITS.ackStoredMs)
    })
    const stored = store().catch((error: unknown) => {
      logger.warn('not stored at once; handing over to the queue', { error })
      if (log.classify(error) === 'transient') noteAway()
      return undefined
    })
    try {
      return await Promise.race([stored, late])
    } finally {
      clearTimeout(timer)
    }
  }
}
