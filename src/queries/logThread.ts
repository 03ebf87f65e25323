// One thread per process that answers from the log, so that neither /collect nor a question to the tables waits for a long
// read. It is started when it is first needed and ended when it rests; what waits for it is bounded, and so is every answer's
// time. Apps take turns, so that one app's questions do not make another's wait for all of them.
import type { Worker } from 'node:worker_threads'
import { Problem } from '../errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { startThread } from '../kernel/threads.ts'
import { LIMITS } from '../limits.ts'
import { LogTooLong } from './fromLog/logSource.ts'
import { type LogAnswers, type LogOutcomes, type LogTask, type LogTaskKind, LogTooSlow, type TaskOptions } from './fromLog/logTask.ts'
import type { FromThread, ThreadFailure, ThreadSettings, ToThread } from './logThreadMessages.ts'

export interface LogBounds {
  readonly maxEvents: number
  readonly answerMs: number
  readonly queued: number
  readonly idleMs: number
}

export const LOG_BOUNDS: LogBounds = {
  maxEvents: LIMITS.logAnswerEvents,
  answerMs: LIMITS.logAnswerMs,
  queued: LIMITS.logAnswersQueued,
  idleMs: LIMITS.logThreadIdleMs,
}

interface Options extends Pick<ThreadSettings, 'url' | 'partitions'> {
  readonly logger: Logger
  readonly bounds?: Partial<LogBounds> | undefined
}

interface Job {
  readonly task: LogTask
  readonly options: TaskOptions
  readonly resolve: (outcome: LogOutcomes[LogTaskKind]) => void
  readonly reject: (error: unknown) => void
}

export function createLogThread(options: Options): LogAnswers {
  const thread = new LogThread(options)
  return {
    ask: <Kind extends LogTaskKind>(kind: Kind, task: object, taskOptions: TaskOptions = {}) =>
      thread.ask({ ...task, kind } as LogTask, taskOptions) as Promise<LogOutcomes[Kind]>,
    close: () => thread.close(),
  }
}

class LogThread {
  private readonly bounds: LogBounds
  private readonly waiting: Job[] = []
  private worker: Worker | undefined
  private running: Running | undefined
  private lastAppId = ''
  private idle: NodeJS.Timeout | undefined
  private closed = false

  constructor(private readonly options: Options) {
    this.bounds = { ...LOG_BOUNDS, ...options.bounds }
  }

  async ask(task: LogTask, options: TaskOptions): Promise<LogOutcomes[LogTaskKind]> {
    if (this.closed) throw new Problem('not_ready')
    options.signal?.throwIfAborted()
    if (this.waiting.length >= this.bounds.queued) {
      throw new Problem('overloaded', 'Too many answers from the log are under way; try again', { retryAfterSeconds: LIMITS.logRetryAfterSeconds })
    }
    let leave = (): void => undefined
    try {
      return await new Promise((resolve, reject) => {
        const job: Job = { task, options, resolve, reject }
        this.waiting.push(job)
        leave = () => this.forget(job)
        options.signal?.addEventListener('abort', leave, { once: true })
        this.next()
      })
    } finally {
      // One request may ask many times.
      options.signal?.removeEventListener('abort', leave)
    }
  }

  async close(): Promise<void> {
    this.closed = true
    for (const { reject } of this.waiting.splice(0)) reject(new Problem('not_ready'))
    await this.endThread()
  }

  private next(): void {
    if (this.running !== undefined || this.closed) return
    // Another app than the last one goes first.
    const other = this.waiting.findIndex(({ task }) => task.question.appId !== this.lastAppId)
    const [job] = this.waiting.splice(Math.max(0, other), 1)
    if (job === undefined) {
      this.rest()
      return
    }
    clearTimeout(this.idle)
    this.lastAppId = job.task.question.appId
    const worker = (this.worker ??= this.start())
    worker.ref()
    this.running = new Running(job, worker, this.bounds.answerMs)
  }

  private forget(job: Job): void {
    const at = this.waiting.indexOf(job)
    if (at >= 0) {
      this.waiting.splice(at, 1)
      job.reject(job.options.signal?.reason)
    } else if (this.running?.job === job) this.running.stop(job.options.signal?.reason)
  }

  /** The thread and its memory go when nobody has needed them for a while. */
  private rest(): void {
    this.worker?.unref()
    clearTimeout(this.idle)
    this.idle = setTimeout(() => void this.endThread(), this.bounds.idleMs).unref()
  }

  private start(): Worker {
    const { url, partitions, logger } = this.options
    const workerData: ThreadSettings = { url, partitions, maxEvents: this.bounds.maxEvents }
    const worker = startThread(import.meta.url, 'logThreadWorker', { workerData, resourceLimits: { maxOldGenerationSizeMb: LIMITS.logThreadHeapMb }, name: 'log-answers' })
    worker.on('message', (message: FromThread) => {
      if (this.worker === worker) this.hear(message)
    })
    worker.once('error', (error: NodeJS.ErrnoException) => {
      const isFull = error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      if (isFull) logger.warn('an answer from the log needed too much memory', { boundMb: LIMITS.logThreadHeapMb })
      this.lose(worker, isFull ? new Problem('too_much_for_the_log', 'The answer has more distinct values than fit into memory; ask for a shorter range, or declare what it is about') : error)
    })
    worker.once('exit', () => this.lose(worker, new Error('the thread that answers from the log has ended')))
    return worker
  }

  private hear(message: FromThread): void {
    const { running } = this
    if (running === undefined) return
    if (message.tell === 'progress') {
      running.progress(message.scanned)
      return
    }
    this.running = undefined
    if (message.tell === 'outcome') running.settle((job) => job.resolve(message.outcome))
    else running.settle((job) => job.reject(errorOf(message.failure)))
    this.next()
  }

  private lose(worker: Worker, error: unknown): void {
    if (this.worker !== worker) return
    this.worker = undefined
    const { running } = this
    this.running = undefined
    running?.settle((job) => job.reject(error))
    this.next()
  }

  private async endThread(): Promise<void> {
    clearTimeout(this.idle)
    const { worker, running } = this
    if (worker === undefined) return
    this.worker = undefined
    this.running = undefined
    running?.settle((job) => job.reject(new Problem('not_ready')))
    await ended(worker)
  }
}

/** A task at work, with its bound in time. Whoever asked is told at once; the thread is free when it has answered. */
class Running {
  private scanned = 0
  private stopped: unknown
  private readonly late: NodeJS.Timeout
  private force: NodeJS.Timeout | undefined

  constructor(
    readonly job: Job,
    private readonly worker: Worker,
    boundMs: number,
  ) {
    this.late = setTimeout(() => this.stop(new LogTooSlow(boundMs, this.scanned)), boundMs)
    worker.postMessage({ do: 'task', task: job.task } satisfies ToThread)
  }

  progress(scanned: number): void {
    this.scanned = scanned
    if (this.stopped === undefined) this.job.options.onProgress?.(scanned)
  }

  stop(reason: unknown): void {
    if (this.stopped !== undefined) return
    this.stopped = reason
    clearTimeout(this.late)
    this.job.reject(reason)
    this.worker.postMessage({ do: 'cancel' } satisfies ToThread)
    this.force = setTimeout(() => void this.worker.terminate(), LIMITS.logThreadStopMs)
  }

  settle(tell: (job: Job) => void): void {
    clearTimeout(this.late)
    clearTimeout(this.force)
    if (this.stopped === undefined) tell(this.job)
  }
}

/** Lets the thread close its connection, and ends it where it does not. */
async function ended(worker: Worker): Promise<void> {
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  worker.ref()
  worker.postMessage({ do: 'end' } satisfies ToThread)
  const force = setTimeout(() => void worker.terminate(), LIMITS.logThreadStopMs)
  await exited
  clearTimeout(force)
}

function errorOf(failure: ThreadFailure): unknown {
  switch (failure.is) {
    case 'tooLong':
      return new LogTooLong(failure.maxEvents)
    case 'problem':
      return new Problem(failure.code, failure.detail, failure.errors === undefined ? {} : { errors: failure.errors })
    case 'away':
      return new Problem('unavailable', undefined, { cause: new Error(failure.message) })
    case 'cancelled':
      return new Error('the answer was cancelled')
    case 'defect': {
      const error = new Error(failure.message)
      if (failure.stack !== undefined) error.stack = failure.stack
      return error
    }
  }
}
