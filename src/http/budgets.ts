// How many requests of a window of time somebody has left, over all processes: a process takes a share of the window's
// budget for many requests at once and spends it without asking anybody, so that a limit costs the hot path nothing and all
// processes together never let more through than there is. Alone in the world, a process counts exactly.
import type { Clock } from '../kernel/clock.ts'
import { Lru } from '../kernel/lru.ts'

export interface Policy {
  /** As the RateLimit fields name it: letters and dashes. */
  readonly name: string
  /** What it counts, apart from all other policies. */
  readonly counts: string
  readonly quota: number
  readonly windowMs: number
  /** So many requests of a window a process lets through before it asks what others have spent: most visitors need no more. */
  readonly unasked: number
}

/** How somebody stands after a request was put to a policy. */
export interface Standing {
  readonly policy: Policy
  readonly allowed: boolean
  /** As far as this process knows. */
  readonly remaining: number
  /** Until the window ends, and the whole quota is there again. */
  readonly resetMs: number
}

export interface Grant {
  readonly granted: number
  /** For everybody, after that. */
  readonly left: number
  readonly endsInMs: number
}

/** What all processes spend from. */
export interface SharedBudgets {
  /** Books what was spent without asking, and takes up to `wanted` of what is left. Undefined when nobody can be asked. */
  take(policy: Policy, id: string, spent: number, wanted: number): Promise<Grant | undefined>
  /** Whether asking is of no use at the moment: then each process keeps to the whole quota for itself. */
  readonly away: boolean
}

export interface Budgets {
  /** Spends one request, at once where that can be decided here. */
  spend(policy: Policy, id: string): Standing | Promise<Standing>
}

/** Beyond what is asked for at this moment, a process takes no more than this part of what is left, so that others are not refused for it. */
const SHARE = 16

export function createBudgets({ clock, shared, kept }: { clock: Clock; shared?: SharedBudgets | undefined; kept: number }): Budgets {
  // Each policy for itself: a flood of addresses must not make us forget what keys have spent.
  const byPolicy = new Map<string, Lru<string, Budget>>()
  return {
    spend(policy, id) {
      let budgets = byPolicy.get(policy.counts)
      if (budgets === undefined) byPolicy.set(policy.counts, (budgets = new Lru(kept)))
      let budget = budgets.get(id)
      if (budget === undefined) budgets.set(id, (budget = new Budget(id, clock, shared)))
      return budget.spend(policy)
    },
  }
}

class Budget {
  private endsAt = 0
  /** By this process in this window. */
  private used = 0
  /** Taken and not spent yet. */
  private held = 0
  /** Spent and not booked yet. */
  private unbooked = 0
  /** For everybody, as last told in this window; undefined: not asked yet. */
  private left: number | undefined
  private lastWanted = 0
  private waiting = 0
  private asking: Promise<void> | undefined

  constructor(
    private readonly id: string,
    private readonly clock: Clock,
    private readonly shared: SharedBudgets | undefined,
  ) {}

  spend(policy: Policy): Standing | Promise<Standing> {
    const now = this.clock.now()
    // A clock that was set back must not prolong a window.
    if (now >= this.endsAt || this.endsAt - now > policy.windowMs) this.begin(now + policy.windowMs)
    if (this.shared === undefined || this.shared.away) return this.alone(policy, now)
    if (this.held > 0) {
      this.held -= 1
      this.askAhead(policy, this.shared)
      return this.passed(policy, now)
    }
    if (this.left === undefined && this.unbooked < policy.unasked) {
      this.unbooked += 1
      return this.passed(policy, now)
    }
    return this.left !== undefined && this.left <= 0 ? this.standing(policy, now, false) : this.wait(policy, this.shared)
  }

  private begin(endsAt: number): void {
    this.endsAt = endsAt
    this.used = this.held = this.unbooked = this.lastWanted = 0
    this.left = undefined
  }

  private alone(policy: Policy, now: number): Standing {
    if (this.used >= policy.quota) return this.standing(policy, now, false)
    if (this.held > 0) this.held -= 1
    else this.unbooked += 1
    return this.passed(policy, now)
  }

  private async wait(policy: Policy, shared: SharedBudgets): Promise<Standing> {
    this.waiting += 1
    try {
      await (this.asking ??= this.ask(policy, shared))
    } finally {
      this.waiting -= 1
    }
    return this.spend(policy)
  }

  /** Before the share runs out, so that nobody waits; small budgets are asked for one by one, which strands nothing. */
  private askAhead(policy: Policy, shared: SharedBudgets): void {
    if (this.asking !== undefined || this.held > this.lastWanted / 2 || this.share(policy) < 2) return
    this.asking = this.ask(policy, shared)
  }

  private async ask(policy: Policy, shared: SharedBudgets): Promise<void> {
    const sentAt = this.clock.now()
    const { unbooked, endsAt } = this
    const wanted = Math.max(1, this.waiting, Math.min(2 * Math.max(this.lastWanted, unbooked), this.share(policy)))
    try {
      const grant = await shared.take(policy, this.id, unbooked, wanted)
      if (grant === undefined) return
      const isLate = this.endsAt !== endsAt
      this.lastWanted = wanted
      this.unbooked = isLate ? this.unbooked : this.unbooked - unbooked
      this.held = isLate ? grant.granted : this.held + grant.granted
      this.left = grant.left
      // From before the question: what was taken of one window must not be spent in the next.
      this.endsAt = sentAt + Math.min(grant.endsInMs, policy.windowMs)
    } finally {
      this.asking = undefined
    }
  }

  private share({ quota }: Policy): number {
    return Math.floor((this.left ?? quota) / SHARE)
  }

  private passed(policy: Policy, now: number): Standing {
    this.used += 1
    return this.standing(policy, now, true)
  }

  private standing(policy: Policy, now: number, allowed: boolean): Standing {
    const isKnown = this.left !== undefined && this.shared?.away === false
    const remaining = isKnown ? this.left! + this.held : policy.quota - this.used
    return { policy, allowed, remaining: allowed ? Math.max(0, remaining) : 0, resetMs: Math.max(0, this.endsAt - now) }
  }
}
