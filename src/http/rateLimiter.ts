// Who may ask how often: each address, each account, each key, and whoever guesses at a secret, over all processes where
// there is Redis. What somebody may not ask now they are told to ask later, with how much later and what their limits are.
import type { Redis } from 'ioredis'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import { createBudgets, type Policy, type Standing } from './budgets.ts'
import { limitedAs } from './clientAddress.ts'
import { createRedisBudgets } from './redisBudgets.ts'

/** What somebody might guess at. Each is bounded over all addresses: guesses come from many. */
export type Guessable = 'owner-code' | 'exchange-code' | 'refresh-token'

/** Undefined: no limit applies. A promise only where other processes have to be asked. */
export type Verdict = Standing | undefined | Promise<Standing>

export interface RateLimiter {
  /** A request to /collect. */
  collect(address: string | undefined): Verdict
  /** A request to any other route. */
  request(address: string | undefined): Verdict
  account(accountId: string): Verdict
  /** Keys without a limit of their own are bounded where they read, not where they collect. */
  key(key: { readonly keyId: string; readonly requestsPerMinute: number | undefined }, doing: 'collect' | 'read'): Verdict
  /** Counts a guess before it is looked at: 0, or the seconds until there may be another one. */
  guess(what: Guessable): Promise<number>
  /** The guess was right, and does not count. */
  guessedRight(what: Guessable): Promise<void>
}

const MINUTE = 60_000
const COLLECT: Policy = { name: 'address', counts: 'collect', quota: LIMITS.collectPer10Seconds, windowMs: 10_000, unasked: LIMITS.collectUnasked }
const REQUEST: Policy = { name: 'address', counts: 'requests', quota: LIMITS.requestsPer10Seconds, windowMs: 10_000, unasked: 0 }
const ACCOUNT: Policy = { name: 'account', counts: 'accounts', quota: LIMITS.accountRequestsPerMinute, windowMs: MINUTE, unasked: 0 }
const READING: Policy = { name: 'key', counts: 'keys', quota: LIMITS.keyReadsPerMinute, windowMs: MINUTE, unasked: 0 }

interface Options {
  /** False (RATE_LIMIT=off): only guesses are bounded. */
  readonly enabled: boolean
  readonly clock: Clock
  /** Where all processes meet; without it this one is alone. */
  readonly redis?: Redis | undefined
  /** Hides addresses from Redis; the same for all processes. */
  readonly secret: string
  readonly logger: Logger
}

export function createRateLimiter(options: Options): RateLimiter {
  const { enabled, clock, redis } = options
  const guesses = createGuesses(redis)
  if (!enabled) return { collect: none, request: none, account: none, key: none, ...guesses }
  const shared = redis === undefined ? undefined : createRedisBudgets({ ...options, redis })
  const budgets = createBudgets({ clock, shared, kept: LIMITS.budgetsKept })
  // Kept by the key itself: an object for each of its requests would be garbage.
  const policies = new WeakMap<object, Policy>()
  const ownPolicy = (key: object, quota: number): Policy => {
    let policy = policies.get(key)
    if (policy === undefined) policies.set(key, (policy = { name: 'key', counts: 'keys', quota, windowMs: MINUTE, unasked: 0 }))
    return policy
  }
  return {
    collect: (address) => budgets.spend(COLLECT, limitedAs(address)),
    request: (address) => budgets.spend(REQUEST, limitedAs(address)),
    account: (accountId) => budgets.spend(ACCOUNT, accountId),
    key(key, doing) {
      if (key.requestsPerMinute !== undefined) return budgets.spend(ownPolicy(key, key.requestsPerMinute), key.keyId)
      return doing === 'collect' ? undefined : budgets.spend(READING, key.keyId)
    },
    ...guesses,
  }
}

const none = (): undefined => undefined

/** Exact and one by one: guesses are few, and each counts. */
function createGuesses(redis: Redis | undefined): Pick<RateLimiter, 'guess' | 'guessedRight'> {
  const bound = { keyPrefix: 'recount:guesses', points: LIMITS.guessesPerMinute, duration: 60 }
  const here = new RateLimiterMemory(bound)
  const limiter = redis === undefined ? here : new RateLimiterRedis({ ...bound, storeClient: redis, rejectIfRedisNotReady: true, insuranceLimiter: here })
  return {
    async guess(what) {
      try {
        await limiter.consume(what)
        return 0
      } catch (refused) {
        if (refused instanceof RateLimiterRes) return Math.max(1, Math.ceil(refused.msBeforeNext / 1_000))
        throw refused
      }
    },
    async guessedRight(what) {
      await limiter.reward(what)
    },
  }
}
