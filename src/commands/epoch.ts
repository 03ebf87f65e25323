// The epoch is where in the control partition a right was last taken away, announced beside the log. A process that cannot read
// the log for a while may go on trusting what it knows only while that lies behind what it has folded; so a revocation reaches
// it although the log does not. Whoever reads the log announces it anew where it is missing or too old. Never the truth, only a
// reason to stop.
import type { Redis } from 'ioredis'
import { within } from '../kernel/deadline.ts'
import { LIMITS } from '../limits.ts'

export interface Epoch {
  /**
   * A position in the control partition. Null when nobody has announced any, undefined when it cannot be known now; never throws,
   * and answers within LIMITS.epochMs.
   */
  current(): Promise<number | null | undefined>
  /**
   * Announces a position. It never goes back, except from `instead`: what was announced beyond the end of the log, as after a
   * restore, is of another log. Throws when that could not be done.
   */
  announce(position: number, instead?: number): Promise<void>
}

const KEY = 'recount:withdrawn'

const ANNOUNCE = `local now = redis.call('GET', KEYS[1])
if not now or tonumber(now) < tonumber(ARGV[1]) or now == ARGV[2] then redis.call('SET', KEYS[1], ARGV[1]) end`

/** Shared by all processes on one Redis. */
export function redisEpoch(redis: Pick<Redis, 'get' | 'eval'>): Epoch {
  return {
    async current() {
      try {
        const text = await within(LIMITS.epochMs, redis.get(KEY), 'Redis')
        return text === null ? null : Number(text)
      } catch {
        // Not knowing is an answer here, and the caller stops trusting on it.
        return undefined
      }
    },
    async announce(position, instead) {
      await within(LIMITS.epochMs, redis.eval(ANNOUNCE, 1, KEY, position, instead ?? ''), 'Redis')
    },
  }
}

/** For one process: what it took away itself, it has folded before it answered. */
export function localEpoch(): Epoch {
  let announced: number | null = null
  return {
    current: () => Promise.resolve(announced),
    announce(position, instead) {
      if (announced === null || announced < position || announced === instead) announced = position
      return Promise.resolve()
    },
  }
}
