// Control commands have a queue of their own, so that issuing or revoking a key never waits behind a backlog of data, and
// are answered after the commit. Where that takes longer than LIMITS.controlQueueMs the process appends by itself, under
// the same event ids, so once.
import { type Job, Queue, QueueEvents, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { type Append, type Appended, type EventLog, VersionConflict } from '../events/eventLog.ts'
import { within } from '../kernel/deadline.ts'
import { uuidv7 } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import { CONTROL_PREFIX, CONTROL_QUEUE, STREAM_ENTRIES } from './appendJobs.ts'
import { appendDirectly, appendRetrying } from './directAppend.ts'
import { workerConnection } from './queueConnection.ts'

type Places = readonly (readonly Appended[])[]

/** A conflict is an answer and no failure: it must not be tried again as it is. */
type ControlResult =
  | { readonly places: Places }
  | { readonly conflict: { readonly stream: string; readonly expected: number; readonly actual: number } }
  | { readonly expired: true }

interface ControlJob {
  readonly append: Append
}

export interface ControlQueue {
  append(append: Append): Promise<Places>
  close(): Promise<void>
}

export function createControlQueue(options: {
  readonly redisUrl: string
  readonly log: EventLog
  readonly logger: Logger
  /** False when Redis is known to be away. */
  readonly up: () => boolean
}): ControlQueue {
  const { log, logger } = options
  const connection = workerConnection(options.redisUrl, logger)
  const settings = { connection: connection.redis, prefix: CONTROL_PREFIX, skipVersionCheck: true }
  const queue = new Queue<ControlJob, ControlResult>(CONTROL_QUEUE, {
    ...settings,
    streams: { events: { maxLen: STREAM_ENTRIES } },
    defaultJobOptions: { removeOnComplete: { age: 60, count: 100 }, removeOnFail: { age: 3_600, count: 100 } },
  })
  const finished = new QueueEvents(CONTROL_QUEUE, settings)
  const report = (error: Error): void => logger.debug('control queue', { error })
  queue.on('error', report)
  finished.on('error', report)

  const throughQueue = async (append: Append): Promise<ControlResult | undefined> => {
    let job: Job<ControlJob, ControlResult> | undefined
    const work = async (): Promise<ControlResult> => {
      await finished.waitUntilReady()
      job = await queue.add(CONTROL_QUEUE, { append }, { jobId: uuidv7() })
      return job.waitUntilFinished(finished, LIMITS.controlQueueMs)
    }
    try {
      return await within(LIMITS.controlQueueMs, work(), 'the control queue')
    } catch (error) {
      logger.warn('the control queue did not answer in time; appending to the log', { error })
      // Best effort: a job that is being worked on cannot be removed, and appends the same ids.
      void job?.remove().catch((failure: unknown) => logger.debug('control job not removed', { error: failure }))
      return undefined
    }
  }

  return {
    async append(append) {
      const result = options.up() ? await throughQueue(append) : undefined
      if (result !== undefined && 'places' in result) return result.places
      if (result !== undefined && 'conflict' in result) throw conflictOf(result.conflict)
      return appendDirectly(log, append)
    },
    async close() {
      await connection.endAfter(Promise.allSettled([queue.close(), finished.close()]))
    },
  }
}

/** Works on control commands; part of the append worker. */
export function startControlWorker(connection: Redis, log: EventLog, logger: Logger): Worker<ControlJob, ControlResult> {
  const worker = new Worker<ControlJob, ControlResult>(
    CONTROL_QUEUE,
    async (job) => {
      // Whoever asked has appended by itself by now. Their clock may be ahead of this one.
      const leftMs = Math.min(job.timestamp + LIMITS.controlQueueMs - Date.now(), LIMITS.controlQueueMs)
      if (leftMs <= 0) return { expired: true }
      try {
        return { places: await appendRetrying(log, job.data.append, leftMs) }
      } catch (error) {
        if (error instanceof VersionConflict) return { conflict: { stream: error.stream, expected: error.expected, actual: error.actual } }
        if (log.classify(error) === 'transient') return { expired: true }
        throw error
      }
    },
    {
      connection,
      prefix: CONTROL_PREFIX,
      concurrency: 8,
      lockDuration: LIMITS.jobLockMs,
      stalledInterval: LIMITS.jobStalledCheckMs,
      runRetryDelay: LIMITS.redisProbeMs,
      skipVersionCheck: true,
    },
  )
  worker.on('error', (error) => logger.debug('control worker', { error }))
  return worker
}

function conflictOf({ stream, expected, actual }: { stream: string; expected: number; actual: number }): VersionConflict {
  return new VersionConflict(stream, expected, actual)
}
