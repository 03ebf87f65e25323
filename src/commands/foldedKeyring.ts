// Follows the control partition (poke and poll), so that every process knows within a fraction of a second who may do what,
// and knows when it does not know: a process that has not read the log for LIMITS.trustMs trusts itself only while the
// epoch vouches that nothing was taken away since.
import { setTimeout as delay } from 'node:timers/promises'
import { decode } from '../events/catalogue.ts'
import type { EventLog } from '../events/eventLog.ts'
import { within } from '../kernel/deadline.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import { FoldedControl } from './controlState.ts'
import type { Epoch } from './epoch.ts'
import type { Keyring } from './keyring.ts'

export interface KeyringOptions {
  log: Pick<EventLog, 'read' | 'onAppended' | 'partitionOf'>
  epoch?: Epoch
  logger: Logger
  /** Milliseconds from a clock that nobody sets: a jump of the wall clock must neither grant nor cost trust. */
  elapsedMs?: () => number
}

export function createKeyring(options: KeyringOptions): Keyring {
  return new FoldedKeyring(options)
}

class FoldedKeyring implements Keyring {
  readonly state: FoldedControl
  private running: Promise<void> | undefined
  private next: Promise<void> | undefined
  /** When the last reading that succeeded began. */
  private readAt = Number.NEGATIVE_INFINITY
  /** Whether the epoch could be read ever since before the last reading that succeeded: one that was away may have gone back. */
  private vouched = false
  private asked: { at: number; answer: Promise<number | null | undefined> } | undefined
  private following: { abort: AbortController; done: Promise<void>; unsubscribe: () => void } | undefined
  private failing = false
  private readonly elapsedMs: () => number

  constructor(private readonly options: KeyringOptions) {
    this.state = new FoldedControl((appId) => options.log.partitionOf(appId))
    this.elapsedMs = options.elapsedMs ?? (() => performance.now())
  }

  async start(): Promise<void> {
    if (this.following !== undefined) return
    await this.refreshVouched()
    const abort = new AbortController()
    const unsubscribe = this.options.log.onAppended((partition) => {
      if (partition === 0) void this.refreshQuietly(() => this.refresh())
    })
    this.following = { abort, unsubscribe, done: this.follow(abort.signal) }
  }

  async stop(): Promise<void> {
    const { following } = this
    if (following === undefined) return
    this.following = undefined
    following.unsubscribe()
    following.abort.abort()
    await following.done
  }

  refresh(): Promise<void> {
    if (this.next !== undefined) return this.next
    if (this.running === undefined) return this.begin()
    // A reading under way may have begun before what the caller wants to see was committed: join the one after it.
    const begin = (): Promise<void> => {
      this.next = undefined
      return this.begin()
    }
    this.next = this.running.then(begin, begin)
    return this.next
  }

  trusted(): Promise<boolean> | boolean {
    return this.elapsedMs() - this.readAt <= LIMITS.trustMs ? true : this.vouches()
  }

  private begin(): Promise<void> {
    this.running = this.readToEnd().finally(() => {
      this.running = undefined
    })
    return this.running
  }

  private async readToEnd(): Promise<void> {
    const began = this.elapsedMs()
    for (;;) {
      const page = this.options.log.read(0, this.state.position, LIMITS.readPageEvents)
      // A store that was cut off may never answer; the page that comes too late is dropped.
      const events = await within(LIMITS.keyringReadMs, page, 'the control partition')
      for (const event of events) this.state.apply(decode(event))
      if (events.length < LIMITS.readPageEvents) break
    }
    this.readAt = began
  }

  private async follow(signal: AbortSignal): Promise<void> {
    for (;;) {
      const stopped = await delay(LIMITS.keyringPollMs, false, { signal }).catch(() => true)
      if (stopped) return
      await this.refreshQuietly(() => this.refreshVouched())
    }
  }

  /** The epoch first, the log after: what was taken away before the epoch was read is then in the state. */
  private async refreshVouched(): Promise<void> {
    const { epoch } = this.options
    const seen = await epoch?.current()
    this.vouched &&= this.covers(seen)
    await this.refresh()
    this.vouched = epoch !== undefined && seen !== undefined && (seen === this.state.withdrawnAt || (await this.announce(epoch, seen)))
    this.asked = undefined
  }

  /** Whoever took the right away may have died before it could say so, and Redis may have lost that it did. */
  private async announce(epoch: Epoch, seen: number | null): Promise<boolean> {
    try {
      // What was announced before this reading and is not in the log is of another log.
      await epoch.announce(this.state.withdrawnAt, seen ?? undefined)
      return true
    } catch (error) {
      this.options.logger.debug('a withdrawal could not be announced', { error })
      return false
    }
  }

  private async vouches(): Promise<boolean> {
    const { epoch } = this.options
    if (!this.vouched || epoch === undefined) return false
    const now = this.elapsedMs()
    if (this.asked === undefined || now - this.asked.at > LIMITS.keyringPollMs) this.asked = { at: now, answer: epoch.current() }
    const { asked } = this
    const seen = await asked.answer
    if (this.covers(seen)) return this.vouched
    // Unless a reading has succeeded since.
    if (this.asked === asked) this.vouched = false
    return false
  }

  private covers(announced: number | null | undefined): boolean {
    return typeof announced === 'number' && announced <= this.state.withdrawnAt
  }

  private async refreshQuietly(read: () => Promise<void>): Promise<void> {
    try {
      await read()
      if (this.failing) this.options.logger.info('the control partition can be read again')
      this.failing = false
    } catch (error) {
      if (!this.failing) this.options.logger.error('the control partition cannot be read', { error })
      this.failing = true
    }
  }
}
