// From the queue into the log: takes many jobs at once, appends them when a threshold of events or a timeout is reached,
// and completes them only after the commit. It never fails a job because a store is away: it holds the job and tries again,
// so nothing depends on BullMQ's attempts; what a killed worker held is delivered again within seconds.
import { type Job, Queue, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import type { EventLog } from '../events/eventLog.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import { APPEND_QUEUE, appendPrefix, decodePack, type PackJob, STREAM_ENTRIES } from './appendJobs.ts'
import { startControlWorker } from './controlQueue.ts'
import { createLogAppender } from './logAppender.ts'
import { workerConnection } from './queueConnection.ts'

export interface AppendWorkerOptions {
  readonly redisUrl: string
  readonly log: EventLog
  readonly appendMaxEvents: number
  readonly appendMaxWaitMs: number
  readonly logger: Logger
}

/** BullMQ counts stalls against a job and fails it above this; a stall says nothing about a job of ours. */
const UNLIMITED_STALLS = 1_000_000_000
const REDRAIN_AT_ONCE = 1_000

export async function startAppendWorker(options: AppendWorkerOptions): Promise<{ close(): Promise<void> }> {
  const { log, logger } = options
  const connection = workerConnection(options.redisUrl, logger)
  const { redis } = connection
  const appender = createLogAppender({ log, logger, maxEvents: options.appendMaxEvents, maxWaitMs: options.appendMaxWaitMs })
  const partitions = Array.from({ length: log.partitions }, (_, index) => index + 1)
  const closing = new AbortController()
  const store = async (job: Job<PackJob>): Promise<void> => {
    try {
      await appender.append(decodePack(job.id ?? '', job.data))
    } catch (error) {
      // Nothing is said about the job: its lock runs out and another worker gets it.
      if (closing.signal.aborted) await new Promise<never>(() => undefined)
      throw error
    }
  }
  const workers: Stoppable[] = partitions.map((partition) => startPartition(partition, redis, store, logger))
  workers.push(startControlWorker(redis, log, logger))
  const redrained = Promise.all(partitions.map((partition) => redrain(partition, redis, logger)))
  redrained.catch((error: unknown) => logger.error('failed jobs were not queued again', { error }))

  return Promise.resolve({
    async close() {
      // Waits for the commits of what is held; where the store is away the jobs' locks run out and others get them.
      const graceful = Promise.all(workers.map((worker) => worker.pause()))
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), LIMITS.drainMs)
      })
      if ((await Promise.race([graceful, late])) === 'late') {
        logger.warn('jobs are left to other workers, because the log does not take them')
      }
      clearTimeout(timer)
      closing.abort()
      appender.abort()
      await connection.endAfter(Promise.allSettled(workers.map((worker) => worker.close(true))))
      await appender.close()
    },
  })
}

interface Stoppable {
  /** Resolves when the jobs at work are done. */
  pause(): Promise<void>
  close(force: boolean): Promise<void>
}

function startPartition(partition: number, connection: Redis, store: (job: Job<PackJob>) => Promise<void>, logger: Logger): Stoppable {
  const worker = new Worker<PackJob>(
    APPEND_QUEUE,
    store,
    {
      connection,
      prefix: appendPrefix(partition),
      concurrency: LIMITS.jobsAtWorkPerPartition,
      lockDuration: LIMITS.jobLockMs,
      stalledInterval: LIMITS.jobStalledCheckMs,
      maxStalledCount: UNLIMITED_STALLS,
      runRetryDelay: LIMITS.redisProbeMs,
      skipVersionCheck: true,
    },
  )
  worker.on('error', (error) => logger.debug('append worker', { partition, error }))
  worker.on('failed', (job, error) => logger.error('a job failed and is kept', { partition, jobId: job?.id, error }))
  return worker
}

/** What a defect failed earlier is tried again by each new process: perhaps it is a newer program. */
async function redrain(partition: number, connection: Redis, logger: Logger): Promise<void> {
  const queue = new Queue<PackJob>(APPEND_QUEUE, {
    connection,
    prefix: appendPrefix(partition),
    skipVersionCheck: true,
    streams: { events: { maxLen: STREAM_ENTRIES } },
  })
  queue.on('error', (error) => logger.debug('append queue', { partition, error }))
  try {
    const failed = await queue.getFailedCount()
    if (failed === 0) return
    logger.info('queueing failed jobs again', { partition, failed })
    await queue.retryJobs({ state: 'failed', count: REDRAIN_AT_ONCE })
  } finally {
    await queue.close()
  }
}
