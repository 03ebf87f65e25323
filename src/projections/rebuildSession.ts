// What every rebuild needs while it runs: a name to hold leases by, a beat that keeps them, progress that other processes can
// read from the tables, and the short hold on the live build's checkpoints under which it takes over.
import { performance } from 'node:perf_hooks'
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import type { EventLog } from '../events/eventLog.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import { type Logger, silentLogger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import { type Checkpoint, readCheckpoint, readCheckpoints, releaseLeases, takeLease, type Unit } from './checkpoints.ts'
import type { Projection } from './projection.ts'
import type { UnitRunner } from './unitRunner.ts'
import { catchUp } from './wholeRunner.ts'
import { keepBeating, signOff, signOn, Workers } from './workers.ts'

export interface ReplayProgress {
  /** Positions of the log that the new build has passed, and those there are. */
  readonly events: number
  readonly total: number
  readonly eventsPerSecond: number
  readonly percent: number
  /** null until there is a rate to reckon with. */
  readonly etaSeconds: number | null
}

export interface RebuildOptions {
  readonly log: EventLog
  readonly database: Database
  readonly projection: Projection
  readonly onProgress?: ((progress: ReplayProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
  readonly clock?: Clock | undefined
  readonly logger?: Logger | undefined
  readonly leaseMs?: number | undefined
  /** How many threads may fold, where that pays; one unless told otherwise. */
  readonly threads?: number | undefined
}

/** Another process is at work on this build. */
export class RebuildBusy extends Error {
  constructor(unit: Unit) {
    super(`another process is rebuilding ${unit.projection} (build ${unit.build})`)
    this.name = 'RebuildBusy'
  }
}

/** An operator halted the rebuild; what it has built stays, and asking for the rebuild again goes on from there. */
export class RebuildPaused extends Error {
  constructor(projection: string, build: number) {
    super(`the rebuild of ${projection} (build ${build}) was paused`)
    this.name = 'RebuildPaused'
  }
}

export class RebuildSession {
  /** Ends the work: the caller's wish, or an operator's pause. */
  readonly signal: AbortSignal
  private readonly halt = new AbortController()
  readonly clock: Clock
  readonly logger: Logger
  private readonly leaseMs: number
  private readonly workers: Workers

  private constructor(
    readonly options: RebuildOptions,
    readonly owner: string,
    private readonly stopBeating: () => void,
  ) {
    this.clock = options.clock ?? systemClock
    this.logger = options.logger ?? silentLogger
    this.leaseMs = options.leaseMs ?? LIMITS.leaseMs
    this.workers = new Workers(options.database, this.leaseMs)
    this.signal = AbortSignal.any([this.halt.signal, ...(options.signal === undefined ? [] : [options.signal])])
  }

  /** Runs `work` under a worker's name and gives every lease back, however it ends. */
  static async run<T>(options: RebuildOptions, work: (session: RebuildSession) => Promise<T>): Promise<T> {
    const { database, clock = systemClock, logger = silentLogger } = options
    const owner = await signOn(database, clock, 'rebuild')
    const stopBeating = keepBeating(database, clock, owner, logger, options.leaseMs)
    const session = new RebuildSession(options, owner, stopBeating)
    try {
      return await work(session)
    } finally {
      session.stopBeating()
      await releaseLeases(database, owner)
      await signOff(database, owner)
    }
  }

  /** Takes the lease of a unit of the new build, after a dead owner's has run out. Throws RebuildBusy. */
  async lease(unit: Unit): Promise<Checkpoint> {
    const { database } = this.options
    const { signal } = this
    for (let waitedMs = 0; ; waitedMs += this.leaseMs / 10) {
      const found = await readCheckpoint(database.knex, unit)
      if (found === undefined) throw new Error(`build ${unit.build} of ${unit.projection} is gone`)
      await this.workers.watch()
      if (found.owner === null || !this.workers.alive(found.owner)) {
        const taken = await takeLease(database, unit, this.owner, found.owner)
        if (taken !== undefined) return taken
      }
      if (waitedMs > 2 * this.leaseMs) throw new RebuildBusy(unit)
      await pause(this.leaseMs / 10, undefined, { signal })
    }
  }

  /** Folds until there is nothing more up to `upTo`. Transient faults are waited out. */
  catchUp(runner: UnitRunner, upTo: number): Promise<void> {
    const { owner, signal, logger, options: { log } } = this // prettier-ignore
    return catchUp(runner, upTo, { log, logger, owner, signal })
  }

  /** Halts the live build in these partitions while `work` runs: it stands at exactly the positions that are handed over. */
  async holding<T>(live: number, partitions: readonly number[], work: (at: ReadonlyMap<number, Checkpoint>) => Promise<T>): Promise<T> {
    const { database, projection } = this.options
    const units = partitions.map((partition) => ({ projection: projection.name, build: live, partition }))
    try {
      const at = new Map<number, Checkpoint>()
      for (const unit of units) at.set(unit.partition, await this.seize(unit))
      return await work(at)
    } finally {
      for (const unit of units) await releaseLeases(database, this.owner, unit)
    }
  }

  private async seize(unit: Unit): Promise<Checkpoint> {
    for (;;) {
      const found = await readCheckpoint(this.options.database.knex, unit)
      if (found === undefined) throw new Error(`build ${unit.build} of ${unit.projection} is gone`)
      const taken = await takeLease(this.options.database, unit, this.owner, found.owner)
      if (taken !== undefined) return taken
    }
  }

  /** Ends the work if an operator has paused it. */
  async heed(build: number): Promise<void> {
    // On SQLite no fold gives way to messages, and one may say that the process stops.
    await turn()
    const where = { projection: this.options.projection.name, build, paused: 1 }
    const halted = await this.options.database.knex('projection_builds').where(where).first<object | undefined>('build')
    if (halted !== undefined) this.halt.abort(new RebuildPaused(where.projection, build))
  }

  /** Reports while `work` runs: to the caller, and to the tables for whoever watches from elsewhere. */
  async reporting<T>(build: number, partitions: readonly number[], work: () => Promise<T>): Promise<T> {
    const progress = new ProgressReport(this.options, build, partitions)
    const look = async (): Promise<void> => {
      await progress.report()
      await this.heed(build)
    }
    await look()
    const timer = setInterval(() => {
      look().catch((error: unknown) => this.logger.debug('progress could not be written', { error }))
    }, LIMITS.progressMs)
    try {
      const result = await work()
      await progress.report('done')
      return result
    } finally {
      clearInterval(timer)
    }
  }
}

class ProgressReport {
  private readonly started = performance.now()
  private startedAt: number | undefined

  constructor(
    private readonly options: RebuildOptions,
    private readonly build: number,
    private readonly partitions: readonly number[],
  ) {}

  /** A build that is done has everything it was to have, whatever has arrived since. */
  async report(state: 'running' | 'done' = 'running'): Promise<void> {
    const { database, log, projection, onProgress, clock = systemClock } = this.options
    const heads = await log.heads()
    const places = await readCheckpoints(database.knex, projection.name, this.build)
    const head = sum(heads.filter(({ partition }) => this.partitions.includes(partition)).map(({ position }) => position))
    const events = sum([...places.values()].map(({ position }) => position))
    const total = state === 'done' ? events : head
    this.startedAt ??= events
    const seconds = (performance.now() - this.started) / 1_000
    const eventsPerSecond = seconds < 0.01 ? 0 : Math.round((events - this.startedAt) / seconds)
    await database
      .knex('projection_builds')
      .where({ projection: projection.name, build: this.build })
      .update({ events_folded: events, events_total: total, events_per_second: eventsPerSecond, progress_at: clock.now() })
    onProgress?.(progressOf(events, total, eventsPerSecond))
  }
}

export function progressOf(events: number, total: number, eventsPerSecond: number): ReplayProgress {
  const percent = total === 0 ? 100 : Math.min(100, Math.floor((events / total) * 1_000) / 10)
  const etaSeconds = eventsPerSecond > 0 ? Math.ceil(Math.max(0, total - events) / eventsPerSecond) : null
  return { events, total, eventsPerSecond, percent, etaSeconds }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
