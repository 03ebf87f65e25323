// The thread in which units of builds are folded, on connections of its own. It takes no lease and gives none back: its owner
// does, and whatever is folded after that is void by the fence.
import { parentPort, workerData } from 'node:worker_threads'
import type { EventLog } from '../events/eventLog.ts'
import { openEventLog } from '../events/openEventLog.ts'
import { systemClock } from '../kernel/clock.ts'
import { openDatabase } from '../kernel/database/open.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import { PROJECTIONS } from './all.ts'
import type { Unit } from './checkpoints.ts'
import type { FoldThreadSettings, FromFoldThread, ToFoldThread } from './foldThreadMessages.ts'
import { unitKey } from './leases.ts'
import { partitionPages, SharedPages } from './logPages.ts'
import type { UnitRunner } from './unitRunner.ts'
import { catchUp, type Stores, wholeRunner } from './wholeRunner.ts'

interface Taken {
  readonly runner: UnitRunner
  readonly owner: string
  readonly abort: AbortController
}

const port = parentPort!
const settings = workerData as FoldThreadSettings
const tell = (message: FromFoldThread): void => port.postMessage(message)

class Folds {
  private readonly pages: ReadonlyMap<number, SharedPages>
  private readonly taken = new Map<string, Taken>()
  private readonly underWay = new Set<Promise<void>>()

  constructor(private readonly stores: Stores) {
    this.pages = sharedPages(stores.log)
  }

  take({ unit, checkpoint, owner, onPoison }: Extract<ToFoldThread, { do: 'take' }>): void {
    const projection = PROJECTIONS.find(({ name }) => name === unit.projection)!
    const source = this.pages.get(unit.partition)?.source(unit.projection) ?? partitionPages(this.stores.log, unit.partition)
    const runner = wholeRunner({ ...this.stores, projection, unit, source, onPoison }, checkpoint)
    this.taken.set(unitKey(unit), { runner, owner, abort: new AbortController() })
  }

  catchUp({ unit, upTo, call }: Extract<ToFoldThread, { do: 'catchUp' }>): void {
    const { runner, owner, abort } = this.taken.get(unitKey(unit))!
    const work = catchUp(runner, upTo, { ...this.stores, owner, signal: abort.signal })
      .then(() => tell({ tell: 'reached', call, position: runner.checkpoint.position }))
      .catch((error: unknown) => {
        const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
        tell({ tell: 'failed', call, failure: { name, message, stack } })
      })
      .finally(() => this.underWay.delete(work))
    this.underWay.add(work)
  }

  abort(unit: Unit): void {
    this.taken.get(unitKey(unit))?.abort.abort()
  }

  leave(projection: string, partition: number | undefined): void {
    for (const [of, shared] of this.pages) if (partition === undefined || partition === of) shared.leave(projection)
  }

  async end(): Promise<void> {
    for (const { abort } of this.taken.values()) abort.abort()
    await Promise.all(this.underWay)
  }
}

void fold()

async function fold(): Promise<void> {
  const database = await openDatabase(settings.url)
  const log = await openEventLog(database, settings)
  const folds = new Folds({ log, database, clock: systemClock, logger: relay({}) })
  // What came in meanwhile has waited.
  port.on('message', (message: ToFoldThread) => {
    if (message.do === 'take') folds.take(message)
    else if (message.do === 'catchUp') folds.catchUp(message)
    else if (message.do === 'abort') folds.abort(message.unit)
    else if (message.do === 'leave') folds.leave(message.projection, message.partition)
    else void end()
  })

  async function end(): Promise<void> {
    await folds.end()
    await log.close()
    await database.close()
    port.close()
  }
}

function sharedPages(log: EventLog): Map<number, SharedPages> {
  const names = new Map<number, string[]>()
  for (const { projection, partition } of settings.units) {
    const known = names.get(partition)
    if (known === undefined) names.set(partition, [projection])
    else known.push(projection)
  }
  const several = [...names].filter(([, consumers]) => consumers.length > 1)
  return new Map(several.map(([partition, consumers]) => [partition, new SharedPages(log, partition, consumers, LIMITS.sharedPageEvents)]))
}

/** Errors travel; what else a driver hangs on them does not. */
function relay(more: Record<string, unknown>): Logger {
  const at = (level: 'info' | 'warn' | 'error') => (message: string, fields: Record<string, unknown> = {}) => {
    tell({ tell: 'log', level, message, fields: { ...more, ...fields } })
  }
  return { debug: () => undefined, info: at('info'), warn: at('warn'), error: at('error'), with: (fields) => relay({ ...more, ...fields }) }
}
