// Threads in which units of builds are folded, each with connections of its own, while leases, progress and the switch stay with
// the session that started them. What a thread does for a unit is fenced by that session's lease, as it would be here.
import type { Worker } from 'node:worker_threads'
import type { Logger } from '../kernel/logger.ts'
import { startThread } from '../kernel/threads.ts'
import { LIMITS } from '../limits.ts'
import type { Checkpoint, Unit } from './checkpoints.ts'
import type { FoldThreadSettings, FromFoldThread, ToFoldThread } from './foldThreadMessages.ts'
import type { FoldedUnit, Folding } from './folding.ts'
import { unitKey } from './leases.ts'
import type { RebuildSession } from './rebuildSession.ts'
import type { CostlyUnit } from './spread.ts'
import type { OnPoison } from './wholeRunner.ts'

export class FoldThreads implements Folding {
  private readonly threads: readonly FoldThread[]
  private readonly threadOf = new Map<string, FoldThread>()

  constructor({ logger, ...store }: Omit<FoldThreadSettings, 'units'> & { readonly logger?: Logger | undefined }, shares: readonly (readonly CostlyUnit[])[]) {
    this.threads = shares.map((units) => {
      const thread = new FoldThread({ ...store, units: units.map(({ projection, partition }) => ({ projection, partition })) }, logger)
      for (const unit of units) this.threadOf.set(placeOf(unit), thread)
      return thread
    })
  }

  take({ owner, signal }: RebuildSession, unit: Unit, checkpoint: Checkpoint, onPoison: OnPoison): FoldedUnit {
    const thread = this.threadOf.get(placeOf(unit))!
    thread.tell({ do: 'take', unit, checkpoint, owner, onPoison })
    let { position } = checkpoint
    return {
      unit,
      get position() {
        return position
      },
      catchUp: async (upTo) => {
        position = await thread.catchUp(unit, upTo, signal)
      },
    }
  }

  leave(projection: string, partition?: number): void {
    for (const thread of this.threads) thread.tell({ do: 'leave', projection, partition })
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()))
  }
}

interface Call {
  readonly resolve: (position: number) => void
  readonly reject: (error: unknown) => void
}

class FoldThread {
  private readonly worker: Worker
  private readonly calls = new Map<number, Call>()
  private readonly exited: Promise<void>
  private lastCall = 0
  /** Why it can do no more. */
  private ended: Error | undefined

  constructor(settings: FoldThreadSettings, logger: Logger | undefined) {
    this.worker = startThread(import.meta.url, 'foldThreadWorker', { workerData: settings })
    this.worker.on('message', (message: FromFoldThread) => {
      if (message.tell === 'log') logger?.[message.level](message.message, message.fields)
      else this.answer(message)
    })
    this.worker.on('error', (error) => this.fail(error))
    this.exited = new Promise((resolve) => {
      this.worker.on('exit', () => {
        this.fail(new Error('a thread that folds has ended'))
        resolve()
      })
    })
  }

  tell(message: ToFoldThread): void {
    this.worker.postMessage(message)
  }

  /** Resolves to where the unit stands then. */
  async catchUp(unit: Unit, upTo: number, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted()
    if (this.ended !== undefined) throw this.ended
    const call = ++this.lastCall
    const onAbort = (): void => this.tell({ do: 'abort', unit })
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await new Promise<number>((resolve, reject) => {
        this.calls.set(call, { resolve, reject })
        this.tell({ do: 'catchUp', unit, upTo, call })
      })
    } catch (error) {
      signal.throwIfAborted()
      throw error
    } finally {
      this.calls.delete(call)
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Waits for what is under way, for so long. */
  async close(): Promise<void> {
    this.tell({ do: 'end' })
    const timer = setTimeout(() => void this.worker.terminate(), LIMITS.foldThreadStopMs)
    await this.exited
    clearTimeout(timer)
  }

  private answer(message: Exclude<FromFoldThread, { tell: 'log' }>): void {
    const call = this.calls.get(message.call)
    if (message.tell === 'reached') call?.resolve(message.position)
    else call?.reject(Object.assign(new Error(message.failure.message), message.failure))
  }

  private fail(error: Error): void {
    this.ended ??= error
    for (const { reject } of this.calls.values()) reject(this.ended)
  }
}

function placeOf({ projection, partition }: Pick<Unit, 'projection' | 'partition'>): string {
  return unitKey({ projection, partition, build: 0 })
}
