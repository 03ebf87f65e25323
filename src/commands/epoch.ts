// The epoch is a value that changes whenever a right is taken away. A process that cannot read the log for a while may go
// on trusting what it knows only while the epoch is the one it saw before its last reading; so a revocation reaches it
// although the log does not. Never the truth, only a reason to stop.
import { randomInt } from 'node:crypto'
import type { Redis } from 'ioredis'
import { within } from '../kernel/deadline.ts'
import { LIMITS } from '../limits.ts'

export interface Epoch {
  /** Undefined when it cannot be known now; never throws, and answers within LIMITS.epochMs. */
  current(): Promise<number | undefined>
  /** Throws when the change could not be made. */
  bump(): Promise<void>
}

const KEY = 'recount:epoch'
const VALUES = 2 ** 48 - 1

/** Shared by all processes on one Redis. */
export function redisEpoch(redis: Pick<Redis, 'get' | 'set'>): Epoch {
  return {
    async current() {
      try {
        return Number((await within(LIMITS.epochMs, redis.get(KEY), 'Redis')) ?? 0)
      } catch {
        // Not knowing is an answer here, and the caller stops trusting on it.
        return undefined
      }
    },
    async bump() {
      // Random and not counted up: a Redis that lost its data must not count back up to a value somebody still holds.
      await within(LIMITS.epochMs, redis.set(KEY, String(randomInt(1, VALUES))), 'Redis')
    },
  }
}

/** For one process: what it took away itself, it has folded before it answered. */
export function localEpoch(): Epoch {
  let value = 0
  return {
    current: () => Promise.resolve(value),
    bump() {
      value += 1
      return Promise.resolve()
    },
  }
}
