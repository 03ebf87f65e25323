// Where the units of whole builds are folded: in the thread that rebuilds, or spread over threads where there is more than one
// unit's work and more than one processor to do it.
import type { MysqlDatabase } from '../kernel/database/mysql.ts'
import { LIMITS } from '../limits.ts'
import { PROJECTIONS } from './all.ts'
import { partitionsOf } from './builds.ts'
import type { Checkpoint, Unit } from './checkpoints.ts'
import { FoldThreads } from './foldThreads.ts'
import { partitionPages, SharedPages } from './logPages.ts'
import type { Projection } from './projection.ts'
import type { RebuildOptions, RebuildSession } from './rebuildSession.ts'
import { spread } from './spread.ts'
import { type OnPoison, wholeRunner } from './wholeRunner.ts'

/** A unit of a build on its way to the head of the log. */
export interface FoldedUnit {
  readonly unit: Unit
  readonly position: number
  /** Folds until there is nothing more up to `upTo`. Throws what ends a rebuild. */
  readonly catchUp: (upTo: number) => Promise<void>
}

export interface Folding {
  /** Takes on a unit that is leased to the session and stands at `checkpoint`. */
  take(session: RebuildSession, unit: Unit, checkpoint: Checkpoint, onPoison: OnPoison): FoldedUnit
  /** The projection needs no more pages of the partition, or of any: those who share them need not wait for it. */
  leave(projection: string, partition?: number): void
}

export type FoldingOptions = Pick<RebuildOptions, 'log' | 'database' | 'logger'> & {
  readonly projections: readonly Projection[]
  /** How many there may be; one: all is folded in the thread that asks. */
  readonly threads?: number | undefined
}

/** Runs `work` with somewhere to fold, and ends whatever threads that takes. */
export async function withFolding<T>(options: FoldingOptions, work: (folding: Folding) => Promise<T>): Promise<T> {
  const threads = await foldThreads(options)
  if (threads === undefined) return work(new FoldingHere(options))
  try {
    return await work(threads)
  } finally {
    await threads.close()
  }
}

/** Undefined where threads would not pay. SQLite has one writer at a time, and a thread knows no projection but our own. */
async function foldThreads({ log, database, logger, projections, threads = 1 }: FoldingOptions): Promise<FoldThreads | undefined> {
  if (threads < 2 || database.engine === 'sqlite' || !projections.every((projection) => PROJECTIONS.includes(projection))) return undefined
  const events = new Map((await log.heads()).map(({ partition, position }) => [partition, position]))
  if ([...events.values()].reduce((sum, some) => sum + some, 0) < LIMITS.threadedEvents) return undefined
  const units = projections.flatMap((projection) =>
    partitionsOf(projection, log.partitions).map((partition) => ({ projection: projection.name, partition, cost: (events.get(partition) ?? 0) * (projection.cost ?? 1) })),
  )
  const shares = spread(units, threads)
  return shares.length < 2 ? undefined : new FoldThreads({ url: (database as MysqlDatabase).url, partitions: log.partitions, logger }, shares)
}

class FoldingHere implements Folding {
  /** Of several projections, by partition. */
  private readonly pages = new Map<number, SharedPages>()

  constructor({ log, projections }: FoldingOptions) {
    if (projections.length < 2) return
    const names = projections.map(({ name }) => name)
    for (let partition = 1; partition <= log.partitions; partition++) this.pages.set(partition, new SharedPages(log, partition, names, LIMITS.sharedPageEvents))
  }

  take(session: RebuildSession, unit: Unit, checkpoint: Checkpoint, onPoison: OnPoison): FoldedUnit {
    const { log, database, projection } = session.options
    const { clock, logger } = session
    const source = this.pages.get(unit.partition)?.source(unit.projection) ?? partitionPages(log, unit.partition)
    const runner = wholeRunner({ log, database, clock, logger, projection, unit, source, onPoison }, checkpoint)
    return {
      unit,
      get position() {
        return runner.checkpoint.position
      },
      catchUp: (upTo) => session.catchUp(runner, upTo),
    }
  }

  leave(projection: string, partition?: number): void {
    for (const [of, pages] of this.pages) if (partition === undefined || partition === of) pages.leave(projection)
  }
}
