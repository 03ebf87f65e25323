// The budgets of all processes, in Redis: one script books and takes in one step, so that no two processes take the same
// share. Redis away means that each process limits for itself; it never means that nobody gets in. Addresses are hashed
// with a secret first: Redis writes to disk.
import { createHmac } from 'node:crypto'
import type { Redis } from 'ioredis'
import { DeadlineExceeded } from '../kernel/deadline.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import type { SharedBudgets } from './budgets.ts'

// A window begins with its first request and ends by expiry, by the clock of Redis alone.
const TAKE = `
local used = redis.call('INCRBY', KEYS[1], ARGV[1])
local ttl = redis.call('PTTL', KEYS[1])
if ttl < 0 then
  ttl = tonumber(ARGV[4])
  redis.call('PEXPIRE', KEYS[1], ttl)
end
local granted = math.max(0, math.min(tonumber(ARGV[2]), tonumber(ARGV[3]) - used))
if granted > 0 then redis.call('INCRBY', KEYS[1], granted) end
return { granted, math.max(0, ARGV[3] - used - granted), ttl }`

interface Options {
  readonly redis: Pick<Redis, 'eval'>
  readonly secret: string
  readonly logger: Logger
}

export function createRedisBudgets({ redis, secret, logger }: Options): SharedBudgets {
  let awayUntil = 0
  let failing = false
  const failed = (error: unknown): void => {
    if (!failing) logger.warn('rates cannot be shared; each process limits for itself', { error })
    failing = true
    // Of a clock that nobody sets: after a jump back, limits would not be shared for as long.
    awayUntil = performance.now() + LIMITS.budgetAwayMs
  }
  return {
    get away() {
      return awayUntil > 0 && performance.now() < awayUntil
    },
    async take(policy, id, spent, wanted) {
      const key = `recount:limit:${policy.counts}:${createHmac('sha256', secret).update(id).digest('base64url').slice(0, 22)}`
      // What processes may spend unasked is set aside, so that together they stay within the quota.
      const quota = Math.max(1, policy.quota - policy.unasked * LIMITS.processesReckoned)
      try {
        const answer = redis.eval(TAKE, 1, key, spent, wanted, quota, policy.windowMs) as Promise<[number, number, number]>
        const [granted, left, endsInMs] = await patiently(answer)
        if (failing) logger.info('rates are shared again')
        failing = false
        awayUntil = 0
        return { granted, left, endsInMs }
      } catch (error) {
        failed(error)
        return undefined
      }
    },
  }
}

const TURNS = 4

/**
 * Fails when there is no answer in time, counted in turns of the event loop: a process that is busy would otherwise take
 * Redis for away just when limits matter, although the answer lies there unread.
 */
function patiently<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout
    const wait = (turns: number): void => {
      timer = setTimeout(() => {
        if (turns > 1) wait(turns - 1)
        else reject(new DeadlineExceeded('Redis', LIMITS.budgetAskMs))
      }, LIMITS.budgetAskMs / TURNS)
    }
    wait(TURNS)
    void answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
