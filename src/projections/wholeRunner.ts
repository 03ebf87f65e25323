// Folds one unit of a whole build that is not live yet, or no longer, up to a position of the log: the same in the thread that
// rebuilds and in threads of its own.
import type { FoldEvent } from '../events/catalogue.ts'
import type { EventLog } from '../events/eventLog.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import type { Logger } from '../kernel/logger.ts'
import { retry } from '../kernel/retry.ts'
import { WholePlaces } from './appPlaces.ts'
import { newestTermsIn } from './appTerms.ts'
import { liveBuild } from './builds.ts'
import { type Checkpoint, Fenced, type Unit } from './checkpoints.ts'
import { Folder } from './folder.ts'
import type { Source } from './logPages.ts'
import type { Projection } from './projection.ts'
import { rebuildRunner, type UnitRunner } from './unitRunner.ts'

/** What becomes of an event that the build cannot digest and that the live build has counted. */
export type OnPoison = 'fail' | 'bury'

export interface Stores {
  readonly log: EventLog
  readonly database: Database
  readonly clock: Clock
  readonly logger: Logger
}

export interface WholeRunnerOptions extends Stores {
  readonly projection: Projection
  readonly unit: Unit
  readonly source: Source
  readonly onPoison: OnPoison
}

/** The unit is leased, and stands at `checkpoint`. */
export function wholeRunner({ source, onPoison, ...options }: WholeRunnerOptions, checkpoint: Checkpoint): UnitRunner {
  const { log, database, clock, logger, projection, unit } = options
  const places = new WholePlaces(database.knex, unit, projection, newestTermsIn(log, projection))
  const folder = new Folder({ log, database, clock, projection, unit, source, places })
  const judge: UnitRunner['options']['onPoison'] = async (event) => {
    const live = await liveBuild(database.knex, projection.name)
    return onPoison === 'bury' || (live !== undefined && (await deadIn(database, { ...unit, build: live }, event))) ? 'bury' : 'fail'
  }
  return rebuildRunner({ database, folder, unit, logger, onPoison: judge }, checkpoint)
}

export interface CatchUpOptions extends Pick<Stores, 'log' | 'logger'> {
  /** By whom the unit is leased. */
  readonly owner: string
  readonly signal: AbortSignal
}

/** Folds until there is nothing more up to `upTo`. Transient faults are waited out. Throws PoisonEvent, or the reason of the abort. */
export async function catchUp(runner: UnitRunner, upTo: number, { log, logger, owner, signal }: CatchUpOptions): Promise<void> {
  let failed = false
  const step = async (): Promise<boolean> => {
    if (failed && (await runner.reload())?.owner !== owner) throw new Error('another process has taken the rebuild over')
    failed = false
    return runner.step(upTo)
  }
  const retryable = (error: unknown): boolean => {
    failed = error instanceof Fenced || log.classify(error) === 'transient'
    return failed
  }
  const onRetry = (error: unknown): void => logger.warn('a rebuild waits for the store', { error })
  while (await retry(step, { retryable, onRetry, signal })) signal.throwIfAborted()
}

/** Whether an event that a new build cannot digest was dead in the unit of the live one already: then it is nothing new. */
export async function deadIn(database: Database, { projection, build }: Unit, { partition, position }: FoldEvent): Promise<boolean> {
  return (await database.knex('dead_events').where({ projection, build, partition, position }).first<object | undefined>('position')) !== undefined
}
