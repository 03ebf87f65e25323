// Moves one unit forward, one transaction at a time, and finds the poison event in a stretch that cannot be digested: once
// more as it was, then by halves, until it stands alone. What to do with it then differs between live and rebuild.
import { performance } from 'node:perf_hooks'
import type { FoldEvent } from '../events/catalogue.ts'
import type { Database } from '../kernel/database.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import { type Checkpoint, readCheckpoint, type Unit } from './checkpoints.ts'
import { type Folded, type Folder, Indigestible } from './folder.ts'

/** Ends a rebuild: an event that the live build has counted cannot be digested by the new one. */
export class PoisonEvent extends Error {
  constructor(unit: Unit, event: FoldEvent, cause: Error) {
    const where = `event ${event.eventId} at position ${event.position} of partition ${unit.partition}`
    super(`${unit.projection} build ${unit.build} cannot fold ${where}: ${cause.message}`, { cause })
    this.name = 'PoisonEvent'
  }
}

export interface RunnerOptions {
  readonly database: Database
  readonly folder: Folder
  readonly unit: Unit
  readonly logger: Logger
  /** `bury` records the event as dead and goes on. */
  readonly onPoison: (event: FoldEvent) => 'bury' | 'fail' | Promise<'bury' | 'fail'>
  /** What a stretch may take before the next is made smaller. */
  readonly targetMs?: number
}

/** Nobody waits for a rebuild, so its transactions are large from the first; but whoever appends to a file waits for each of them. */
export function rebuildRunner(options: Omit<RunnerOptions, 'targetMs'>, checkpoint: Checkpoint): UnitRunner {
  const [targetMs, firstEvents] = options.database.engine === 'sqlite' ? [LIMITS.rebuildBesideAppendsMs, LIMITS.foldMaxEvents] : [LIMITS.foldTargetMs, LIMITS.rebuildMaxEvents]
  return new UnitRunner({ ...options, targetMs }, checkpoint, firstEvents)
}

export class UnitRunner {
  /** How many of the next events are known to hold a poison event; 0 when none is suspected. */
  private suspects = 0
  private triedAgain = false
  private at: Checkpoint

  constructor(
    readonly options: RunnerOptions,
    checkpoint: Checkpoint,
    /** How many events one transaction takes at first; it adapts to how long they take. */
    private stretchEvents: number = LIMITS.foldMaxEvents,
  ) {
    this.at = checkpoint
  }

  get checkpoint(): Checkpoint {
    return this.at
  }

  /** Folds one stretch. False when there was nothing to fold. Throws Fenced, PoisonEvent, or the store's error: reload() then. */
  async step(upTo?: number): Promise<boolean> {
    for (;;) {
      const maxEvents = this.suspects > 0 ? Math.ceil(this.suspects / 2) : this.stretchEvents
      const started = performance.now()
      try {
        const folded = await this.options.folder.fold(this.at, { maxEvents, upTo })
        if (folded === undefined) return false
        this.adapt(folded.events, performance.now() - started)
        this.moved(folded)
        return true
      } catch (error) {
        this.options.folder.forget()
        if (!(error instanceof Indigestible)) throw error
        if (await this.isolated(error)) return true
      }
    }
  }

  /** Reads the checkpoint again after a failure, whose outcome may be unknown. Undefined when the build is gone. */
  async reload(): Promise<Checkpoint | undefined> {
    this.options.folder.forget()
    this.suspects = 0
    this.triedAgain = false
    const found = await readCheckpoint(this.options.database.knex, this.options.unit)
    if (found !== undefined) this.at = found
    return found
  }

  /** True once the poison event was stepped over. */
  private async isolated(error: Indigestible): Promise<boolean> {
    const { folder, logger, unit, onPoison } = this.options
    if (!this.triedAgain && (this.suspects === 0 || error.events === 1)) {
      this.triedAgain = true
      return false
    }
    this.triedAgain = false
    if (error.events > 1) {
      this.suspects = error.events
      return false
    }
    if ((await onPoison(error.first)) === 'fail') throw new PoisonEvent(unit, error.first, error)
    logger.error('an event cannot be folded and was set aside', { ...unit, position: error.first.position, eventId: error.first.eventId, error })
    this.moved(await folder.bury(this.at, error.first, error.message))
    this.suspects = 0
    return true
  }

  private moved({ events, checkpoint }: Folded): void {
    this.at = checkpoint
    this.triedAgain = false
    this.suspects = Math.max(0, this.suspects - events)
  }

  private adapt(events: number, tookMs: number): void {
    const { targetMs = LIMITS.foldTargetMs } = this.options
    if (tookMs > targetMs) {
      this.stretchEvents = Math.max(LIMITS.foldMinEvents, Math.floor(this.stretchEvents / 2))
    } else if (tookMs < targetMs / 4 && events === this.stretchEvents) {
      this.stretchEvents = Math.min(LIMITS.rebuildMaxEvents, this.stretchEvents * 2)
    }
  }
}
