// Keeps the live builds of all projections up with the log. Any number of processes share the work by leases; each unit is
// followed by one of them, and what a crash, a freeze or a lost lease leaves half done was never written.
import { setTimeout as pause } from 'node:timers/promises'
import type { EventLog } from '../events/eventLog.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import { WholePlaces } from './appPlaces.ts'
import { termsFromEvents } from './appTerms.ts'
import { BackgroundRebuilds } from './backgroundRebuilds.ts'
import { ensureFirstBuild } from './builds.ts'
import { type Checkpoint, releaseLeases, takeLease, type Unit } from './checkpoints.ts'
import { Folder } from './folder.ts'
import { Follower } from './follower.ts'
import { type LiveUnit, liveUnits, Shares, unitKey } from './leases.ts'
import { LivePages } from './livePages.ts'
import type { Projection } from './projection.ts'
import { UnitRunner } from './unitRunner.ts'
import { beat, signOff, signOn, Workers } from './workers.ts'

export interface ProjectorOptions {
  readonly log: EventLog
  readonly database: Database
  readonly projections: readonly Projection[]
  readonly clock: Clock
  readonly logger: Logger
  /** Subscribes to appends of other processes; polling finds them anyway. */
  readonly poke?: (listener: (partition: number, position: number) => void) => () => void
  readonly leaseMs?: number
  readonly pollMs?: number
  /** Rebuilds what a new code version or time zone asks for; on unless told otherwise. */
  readonly rebuilds?: boolean
  /** What a fold may take before the next is made smaller; LIMITS.foldTargetMs unless given. */
  readonly targetMs?: number
  /** Told now and then how far behind the log the unit is that is furthest, in milliseconds. */
  readonly onBehind?: (ms: number) => void
  /** Awaited between write and commit, for tests of what happens there. */
  readonly beforeCommit?: (unit: Unit) => Promise<void>
}

export interface Projector {
  /** Units that this process follows now. */
  following(): readonly Unit[]
  /** Stops after the transactions under way and gives the leases back. */
  close(): Promise<void>
}

export function startProjector(options: ProjectorOptions): Projector {
  const projector = new LeasedProjector(options)
  projector.start()
  return projector
}

class LeasedProjector implements Projector {
  private readonly followers = new Map<string, { unit: LiveUnit; follower: Follower }>()
  private readonly stopping = new AbortController()
  private readonly leaseMs: number
  private readonly workers: Workers
  private readonly shares: Shares
  private readonly known: ReadonlyMap<string, Projection>
  private readonly rebuilds: BackgroundRebuilds
  private readonly pages: LivePages
  private readonly unsubscribe: (() => void)[] = []
  private owner: string | undefined
  private waiting = false
  private loops: Promise<unknown> = Promise.resolve()
  private lookNow: () => void = () => undefined
  private readonly warned = new Set<string>()

  constructor(private readonly options: ProjectorOptions) {
    this.leaseMs = options.leaseMs ?? LIMITS.leaseMs
    this.workers = new Workers(options.database, this.leaseMs)
    this.shares = new Shares(this.workers, this.leaseMs)
    this.known = new Map(options.projections.map((projection) => [projection.name, projection]))
    this.pages = new LivePages(options.log)
    this.rebuilds = new BackgroundRebuilds(options, this.leaseMs, this.stopping.signal)
  }

  start(): void {
    const poke = (partition: number, position: number): void => this.poke(partition, position)
    this.unsubscribe.push(this.options.log.onAppended(poke))
    if (this.options.poke !== undefined) this.unsubscribe.push(this.options.poke(poke))
    this.loops = Promise.all([this.lookLoop(), this.pollLoop()])
  }

  following(): readonly Unit[] {
    return [...this.followers.values()].map(({ unit }) => unit)
  }

  async close(): Promise<void> {
    this.stopping.abort()
    this.lookNow()
    for (const unsubscribe of this.unsubscribe) unsubscribe()
    await this.loops
    await Promise.all([this.rebuilds.done(), ...[...this.followers.values()].map(({ follower }) => follower.stop())])
    this.followers.clear()
    if (this.owner === undefined) return
    try {
      await releaseLeases(this.options.database, this.owner)
      await signOff(this.options.database, this.owner)
    } catch (error) {
      this.options.logger.warn('leases could not be given back; they run out by themselves', { error })
    }
  }

  private poke(partition: number, position: number): void {
    for (const { unit, follower } of this.followers.values()) if (unit.partition === partition) follower.poke(position)
  }

  private async pollLoop(): Promise<void> {
    const { log, logger, pollMs = LIMITS.pollMs, onBehind } = this.options
    while (!this.stopping.signal.aborted) {
      onBehind?.(Math.max(0, ...[...this.followers.values()].map(({ follower }) => follower.behindMs)))
      try {
        if (this.followers.size > 0) for (const { partition, position } of await log.heads()) this.poke(partition, position)
      } catch (error) {
        logger.debug('the heads of the log could not be read', { error })
      }
      await this.rest(pollMs, this.stopping.signal)
    }
  }

  private async lookLoop(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      // Made before the look, so that a lease lost meanwhile is looked at next; ended with its rest, so that nothing adds up.
      const rested = new AbortController()
      this.lookNow = () => rested.abort()
      try {
        await this.look()
      } catch (error) {
        this.options.logger.warn('leases could not be looked after', { error })
      }
      // Whoever holds a unit for a switch holds it for moments only.
      await this.rest(this.waiting ? LIMITS.pollMs : Math.min(1_000, this.leaseMs / 5), rested.signal)
    }
  }

  private async rest(ms: number, signal: AbortSignal): Promise<void> {
    await pause(ms, undefined, { signal }).catch(() => undefined)
  }

  /** Beats, looks at who else does, and takes or gives up units. */
  private async look(): Promise<void> {
    const { database } = this.options
    const me = await this.present()
    // Leases first: whoever owns one has signed on before, so nobody alive is taken for dead.
    const units = await liveUnits(database)
    await this.workers.watch()
    await this.workers.bury()
    await this.stopStale(units, me)
    const { take, giveUp, waiting } = this.shares.divide(units, me, new Set(this.followers.keys()), (unit) => this.able(unit))
    this.waiting = waiting
    await this.handOver(giveUp, me)
    for (const unit of take) {
      if (this.stopping.signal.aborted) return
      const checkpoint = await takeLease(database, unit, me, unit.owner)
      if (checkpoint !== undefined) this.follow(unit, me, checkpoint)
    }
    await this.rebuilds.look([...this.followers.values()].map(({ unit }) => unit))
  }

  private async present(): Promise<string> {
    const { database, clock, projections, log } = this.options
    if (this.owner !== undefined && (await beat(database, clock, this.owner))) return this.owner
    if (this.owner !== undefined) {
      this.options.logger.warn('this process was taken for dead; its leases are gone')
      await this.stopFollowing([...this.followers.keys()])
    }
    for (const projection of projections) await ensureFirstBuild(database, projection, log.partitions, clock.now())
    this.owner = await signOn(database, clock, 'live')
    return this.owner
  }

  /** A program older than a build would corrupt it; one that does not know a projection leaves it to those that do. */
  private able(unit: LiveUnit): boolean {
    const projection = this.known.get(unit.projection)
    if (projection !== undefined && projection.codeVersion >= unit.codeVersion) return true
    const key = `${unit.projection} ${unit.codeVersion}`
    if (!this.warned.has(key)) this.options.logger.warn('a live build is of a newer program and is left alone', { projection: unit.projection })
    this.warned.add(key)
    return false
  }

  private follow(unit: LiveUnit, owner: string, checkpoint: Checkpoint): void {
    const { log, database, clock, logger, beforeCommit, targetMs = LIMITS.foldTargetMs } = this.options
    const projection = this.known.get(unit.projection)!
    const plain: Unit = { projection: unit.projection, build: unit.build, partition: unit.partition }
    const places = new WholePlaces(database.knex, plain, projection, termsFromEvents)
    const key = unitKey(unit)
    const folder = new Folder({ log, database, clock, projection, unit: plain, source: this.pages.source(unit.partition, key), places, beforeCommit })
    const runner = new UnitRunner({ database, folder, unit: plain, logger, onPoison: () => 'bury', targetMs }, checkpoint)
    const onLost = (): void => {
      if (this.followers.get(key)?.follower === follower) this.followers.delete(key)
      this.lookNow()
    }
    const follower = new Follower({ runner, owner, logger, onLost })
    void follower.done.then(() => this.pages.leave(unit.partition, key))
    this.followers.set(key, { unit, follower })
  }

  private async stopStale(units: readonly LiveUnit[], me: string): Promise<void> {
    const mine = new Set(units.filter(({ owner }) => owner === me).map(unitKey))
    await this.stopFollowing([...this.followers.keys()].filter((key) => !mine.has(key)))
  }

  private async handOver(units: readonly LiveUnit[], me: string): Promise<void> {
    await this.stopFollowing(units.map(unitKey))
    for (const unit of units) {
      // Whoever ends gives all leases back at once.
      if (this.stopping.signal.aborted) return
      await releaseLeases(this.options.database, me, unit)
    }
  }

  /** Together: one after the other would each wait for a fold, and those that wait their turn would begin another. */
  private async stopFollowing(keys: readonly string[]): Promise<void> {
    await Promise.all(
      keys.map(async (key) => {
        await this.followers.get(key)?.follower.stop()
        this.followers.delete(key)
      }),
    )
  }
}
