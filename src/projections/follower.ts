// Follows the log on one unit for as long as this process holds its lease: sleeps at the head, folds when poked, pauses and
// tries again when the store is away, and stops without a trace when it finds itself fenced.
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from '../kernel/logger.ts'
import { backoffMs } from '../kernel/retry.ts'
import { LIMITS } from '../limits.ts'
import { Fenced } from './checkpoints.ts'
import type { UnitRunner } from './unitRunner.ts'

export interface FollowerOptions {
  readonly runner: UnitRunner
  readonly owner: string
  readonly logger: Logger
  /** Called when the lease is found lost; the follower has ended then. */
  readonly onLost: () => void
}

/** At the head each fold is a transaction for a handful of events: a moment later it is one for many, the later the more come in. */
function paceMs(events: number): number {
  return events < LIMITS.foldBusyEvents ? LIMITS.foldPaceMs : LIMITS.foldBusyPaceMs
}

export class Follower {
  readonly done: Promise<void>
  private readonly stopping = new AbortController()
  private head = 0
  /** When all was folded that had been announced. */
  private reachedAt = performance.now()
  private failures = 0
  private wake: () => void = () => undefined

  constructor(private readonly options: FollowerOptions) {
    this.done = this.follow()
  }

  get position(): number {
    return this.options.runner.checkpoint.position
  }

  /** The partition's head is at least here. */
  poke(head: number): void {
    if (this.head <= this.position) this.reachedAt = performance.now()
    this.head = Math.max(this.head, head)
    if (this.head > this.position) this.wake()
  }

  /** For how long, in milliseconds, it has not been at the head of the log. */
  get behindMs(): number {
    return this.head > this.position ? performance.now() - this.reachedAt : 0
  }

  /** Resolves after the transaction under way. */
  stop(): Promise<void> {
    this.stopping.abort()
    this.wake()
    return this.done
  }

  private async follow(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        if (this.failures > 0 && !(await this.stillMine())) return
        const announced = this.head
        const began = performance.now()
        const from = this.position
        const folded = await this.options.runner.step()
        this.failures = 0
        if (this.position >= announced) this.reachedAt = began
        if (!folded && this.head === announced) await this.sleep()
        else if (folded && this.position >= announced) await this.rest(paceMs(this.position - from) - (performance.now() - began))
      } catch (error) {
        await this.recover(error)
      }
    }
  }

  private async sleep(): Promise<void> {
    if (this.stopping.signal.aborted) return
    await new Promise<void>((resolve) => {
      this.wake = resolve
    })
  }

  private async rest(ms: number): Promise<void> {
    if (ms > 0) await pause(ms, undefined, { signal: this.stopping.signal }).catch(() => undefined)
  }

  private async recover(error: unknown): Promise<void> {
    this.failures += 1
    if (error instanceof Fenced) {
      this.options.logger.debug('a fold was fenced', { ...error.unit })
      return
    }
    this.options.logger.warn('a fold failed and is tried again', { error, failures: this.failures })
    await this.rest(backoffMs(this.failures))
  }

  /** The checkpoint as it is now, because the outcome of what failed is unknown. */
  private async stillMine(): Promise<boolean> {
    const found = await this.options.runner.reload()
    if (found?.owner === this.options.owner) return true
    this.options.onLost()
    return false
  }
}
