// Tries again with growing, jittered pauses: jitter because many processes that lost the same store must not return to it
// in step. An abort ends a pause at once, so that shutdown never waits for a backoff.
import { setTimeout as pause } from 'node:timers/promises'

export interface RetryOptions {
  /** Tries in all; unbounded unless given. */
  readonly maxTries?: number
  /** The longest pause after the first failure; it doubles with each further one. */
  readonly firstPauseMs?: number
  readonly maxPauseMs?: number
  /** True when trying again can help; always unless given. */
  readonly retryable?: (error: unknown) => boolean
  /** Told of every failure that will be retried. */
  readonly onRetry?: (error: unknown, tries: number, pauseMs: number) => void
  readonly signal?: AbortSignal
  /** In [0, 1); for tests. */
  readonly random?: () => number
}

/** Runs `work` until it succeeds. Throws its last error when that is not retryable or tries are used up, or the abort's reason. */
export async function retry<T>(work: (tries: number) => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { maxTries = Number.POSITIVE_INFINITY, retryable = () => true, signal } = options
  for (let tries = 1; ; tries++) {
    signal?.throwIfAborted()
    try {
      return await work(tries)
    } catch (error) {
      if (tries >= maxTries || !retryable(error)) throw error
      const pauseMs = backoffMs(tries, options)
      options.onRetry?.(error, tries, pauseMs)
      await pauseFor(pauseMs, signal)
    }
  }
}

/** Half to all of first · 2^(tries − 1), bounded. */
export function backoffMs(tries: number, options: Pick<RetryOptions, 'firstPauseMs' | 'maxPauseMs' | 'random'> = {}): number {
  const { firstPauseMs = 50, maxPauseMs = 2_000, random = Math.random } = options
  const most = Math.min(maxPauseMs, firstPauseMs * 2 ** Math.min(tries - 1, 30))
  return most / 2 + (most / 2) * random()
}

async function pauseFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await pause(ms, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
