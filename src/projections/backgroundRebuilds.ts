// Rebuilds that nobody asked for by hand: of a projection whose code is newer than its live build, and of an app whose time
// zone or definitions have changed. One at a time in a process, by the process that follows the unit concerned.
import type { Database } from '../kernel/database.ts'
import { LIMITS } from '../limits.ts'
import { listBuilds } from './builds.ts'
import type { Unit } from './checkpoints.ts'
import type { LiveUnit } from './leases.ts'
import type { ProjectorOptions } from './projector.ts'
import { RebuildBusy, replay } from './replay.ts'
import { textOfId } from './storage/rows.ts'

export class BackgroundRebuilds {
  private running: Promise<void> | undefined
  /** By a clock that nobody sets: after a jump back, nothing would be tried again for as long. */
  private readonly notBefore = new Map<string, number>()

  constructor(
    private readonly options: ProjectorOptions,
    private readonly leaseMs: number,
    private readonly signal: AbortSignal,
  ) {}

  /** Starts what is due on the units that this process follows; returns at once. */
  async look(following: readonly LiveUnit[]): Promise<void> {
    if (this.running !== undefined || this.options.rebuilds === false || this.signal.aborted) return
    const due = (await this.newCode(following)) ?? (await this.newTerms(following))
    if (due === undefined) return
    this.running = this.rebuild(due).finally(() => {
      this.running = undefined
    })
  }

  async done(): Promise<void> {
    await this.running
  }

  private async newCode(following: readonly LiveUnit[]): Promise<Due | undefined> {
    for (const projection of this.options.projections) {
      const first = projection.source === 'control' ? 0 : 1
      const unit = following.find(({ projection: name, partition }) => name === projection.name && partition === first)
      if (unit === undefined || unit.codeVersion >= projection.codeVersion || this.tooSoon(projection.name)) continue
      const builds = await this.builds(projection.name)
      // One that was built and left again was rolled back from on purpose.
      const rolledBack = builds.some(({ status, codeVersion }) => status === 'kept' && codeVersion >= projection.codeVersion)
      const halted = builds.some(({ status, paused }) => status === 'building' && paused)
      if (!rolledBack && !halted) return { projection: projection.name }
    }
    return undefined
  }

  private async newTerms(following: readonly Unit[]): Promise<Due | undefined> {
    for (const { projection, appId, build, partition } of await wantedTerms(this.options.database)) {
      const mine = following.some((unit) => unit.projection === projection && unit.build === build && unit.partition === partition)
      if (mine && !this.tooSoon(`${projection} ${appId}`)) return { projection, appId }
    }
    return undefined
  }

  private async builds(name: string): Promise<Awaited<ReturnType<typeof listBuilds>>> {
    return (await listBuilds(this.options.database.knex, name)).filter(({ appId }) => appId === undefined)
  }

  private tooSoon(key: string): boolean {
    return performance.now() < (this.notBefore.get(key) ?? 0)
  }

  private async rebuild({ projection: name, appId }: Due): Promise<void> {
    const { log, database, projections, clock, logger } = this.options
    const projection = projections.find((known) => known.name === name)!
    const { signal, leaseMs } = this
    const about = { projection: name, ...(appId === undefined ? {} : { appId }) }
    logger.info('a rebuild starts', about)
    try {
      await replay({ log, database, projection, appId, signal, clock, logger, leaseMs })
      logger.info('a rebuild has switched', about)
    } catch (error) {
      if (this.signal.aborted) return
      this.notBefore.set(appId === undefined ? name : `${name} ${appId}`, performance.now() + LIMITS.rebuildRetryMs)
      if (error instanceof RebuildBusy) return
      logger.error('a rebuild failed; the live build stays', { ...about, error })
    }
  }
}

interface Due {
  readonly projection: string
  readonly appId?: string
}

/** Each by its own index: one statement over both would look at every app there is. */
async function wantedTerms(database: Database): Promise<(Unit & { appId: string })[]> {
  const found: (Unit & { appId: string })[] = []
  for (const column of ['a.wanted_timezone', 'a.wanted_position']) {
    const rows = await database
      .knex('projections as p')
      .join('projection_apps as a', (on) => on.on('a.projection', 'p.projection').andOn('a.build', 'p.live_build'))
      .whereNotNull(column)
      .orderBy(['a.projection', 'a.app_id'])
      .limit(LIMITS.pageMax)
      .select<(Unit & { app_id: Uint8Array })[]>('a.projection', 'a.build', 'a.partition', 'a.app_id')
    found.push(...rows.map(({ app_id, ...unit }) => ({ ...unit, appId: textOfId(app_id) })))
  }
  return found
}
