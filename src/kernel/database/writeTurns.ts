// Turns at the one write lock of a SQLite file between the threads of a process: whoever answers clients goes first. Whoever can wait
// lets those go who wait, and keeps off the lock for a while after holding it while others write, because each of its
// transactions is long beside theirs. SQLite itself knows no order: who comes while the lock is held tries again now and then.
import { setTimeout as pause } from 'node:timers/promises'

const WAITING = 0
const BEGUN = 1
/** For how long those who can wait let others go first. */
const PATIENCE_MS = 200
/** How many times as long as they held the lock they keep off it, while there are others; half as many a second behind the log, a third two seconds behind. */
const RESTS = 4
/** However far behind: what is acknowledged can wait to be counted. */
const LEAST_RESTS = 1

/** What the threads share. */
export function newTurns(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)
}

export interface WriteTurns {
  /** How long, in milliseconds, to pause at most before the lock is tried for again. */
  readonly retryMs: number
  /** Resolves when it is this thread's turn to try; to be called before each transaction. */
  come(): Promise<void>
  /** The lock was taken by somebody else. */
  wait(): void
  /** The lock is taken, or nobody tries for it any more. */
  begin(): void
  /** The transaction has ended. */
  end(): void
  /** How far behind the log, in milliseconds, what this thread writes is now. */
  behind(ms: number): void
}

/** Of the thread that answers clients. */
export class FirstTurns implements WriteTurns {
  readonly retryMs = 1
  private readonly counts: Int32Array
  private waiting = false

  constructor(shared: SharedArrayBuffer) {
    this.counts = new Int32Array(shared)
  }

  come(): Promise<void> {
    Atomics.add(this.counts, BEGUN, 1)
    return Promise.resolve()
  }

  wait(): void {
    if (!this.waiting) Atomics.add(this.counts, WAITING, 1)
    this.waiting = true
  }

  begin(): void {
    if (this.waiting) Atomics.sub(this.counts, WAITING, 1)
    this.waiting = false
  }

  end(): void {
    // Those who wait look by themselves.
  }

  behind(): void {
    // It waits for nobody.
  }
}

/** Of a thread that can wait, though not for ever. */
export class SecondTurns implements WriteTurns {
  readonly retryMs = 3
  private readonly counts: Int32Array
  private heldSince = 0
  private othersBegun = 0
  private restUntil = 0
  private behindMs = 0

  constructor(shared: SharedArrayBuffer) {
    this.counts = new Int32Array(shared)
  }

  async come(): Promise<void> {
    const came = performance.now()
    for (let now = came; now - came < PATIENCE_MS; now = performance.now()) {
      if (now >= this.restUntil && Atomics.load(this.counts, WAITING) === 0) break
      await pause(1)
    }
    this.othersBegun = Atomics.load(this.counts, BEGUN)
  }

  wait(): void {
    // It has let everybody go before.
  }

  begin(): void {
    this.heldSince = performance.now()
  }

  end(): void {
    const now = performance.now()
    const others = Atomics.load(this.counts, BEGUN) !== this.othersBegun
    // Else steady appends, which leave the lock free most of the time, would leave their numbers ever further behind.
    const rests = Math.max(LEAST_RESTS, RESTS / (1 + this.behindMs / 1_000))
    this.restUntil = others ? now + rests * (now - this.heldSince) : 0
  }

  behind(ms: number): void {
    this.behindMs = ms
  }
}
