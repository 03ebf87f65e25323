// Token buckets in this process: enough to keep one noisy client from starving the rest. Each answer says how long to wait,
// so that backing off is easy to do right. Wrong owner codes are bounded over all addresses, always.
import type { Clock } from '../kernel/clock.ts'
import { Lru } from '../kernel/lru.ts'
import { LIMITS } from '../limits.ts'

export interface RateLimiter {
  /** 0 when the request may pass, else the seconds to wait. */
  collect(address: string | undefined): number
  request(address: string | undefined): number
  /** 0 when an owner code may be tried now, else the seconds to wait. A right code gives its try back. */
  signIn(): number
  signedIn(): void
}

class Bucket {
  private tokens: number

  constructor(
    private readonly perMs: number,
    private readonly capacity: number,
    private at: number,
  ) {
    this.tokens = capacity
  }

  take(now: number): number {
    // A clock that was set back must not drain the bucket.
    this.tokens = Math.min(this.capacity, this.tokens + Math.max(0, now - this.at) * this.perMs)
    this.at = now
    if (this.tokens >= 1) {
      this.tokens -= 1
      return 0
    }
    return Math.max(1, Math.ceil((1 - this.tokens) / this.perMs / 1_000))
  }

  giveBack(): void {
    this.tokens = Math.min(this.capacity, this.tokens + 1)
  }
}

/** With `enabled` false (RATE_LIMIT=off) only the bound on owner codes remains. */
export function createRateLimiter(enabled: boolean, clock: Clock): RateLimiter {
  const signIns = new Bucket(LIMITS.signInTriesPerMinute / 60_000, LIMITS.signInTriesPerMinute, clock.now())
  const perAddress = (perSecond: number, burst: number): ((address: string | undefined) => number) => {
    if (!enabled) return () => 0
    const buckets = new Lru<string, Bucket>(LIMITS.addressesTracked)
    return (address = '') => {
      const now = clock.now()
      let bucket = buckets.get(address)
      if (bucket === undefined) {
        bucket = new Bucket(perSecond / 1_000, burst, now)
        buckets.set(address, bucket)
      }
      return bucket.take(now)
    }
  }
  return {
    collect: perAddress(LIMITS.collectPerSecond, LIMITS.collectBurst),
    request: perAddress(LIMITS.requestsPerSecond, LIMITS.requestsBurst),
    signIn: () => signIns.take(clock.now()),
    signedIn: () => signIns.giveBack(),
  }
}
