// Folds one stretch of one unit: reads and folds outside any transaction, then moves checkpoint, rows, apps' places and dead
// events in one. What fails leaves nothing behind, neither in the tables nor in memory.
import { setImmediate as breathe } from 'node:timers/promises'
import type { Knex } from 'knex'
import type { EventLog } from '../events/eventLog.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import type { Places } from './appPlaces.ts'
import { type Checkpoint, moveCheckpoint, type Unit, writing } from './checkpoints.ts'
import { eventReader } from './eventReader.ts'
import type { FoldingEvent } from './foldingEvent.ts'
import type { Source } from './logPages.ts'
import type { EventReader, FoldContext, Projection } from './projection.ts'

/** A stretch holds an event that this projection cannot digest, however often it is tried. */
export class Indigestible extends Error {
  constructor(
    /** How many events the stretch had. */
    readonly events: number,
    readonly first: FoldingEvent,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.name = 'Indigestible'
  }
}

export interface FolderOptions {
  readonly log: EventLog
  readonly database: Database
  readonly clock: Clock
  readonly projection: Projection
  readonly unit: Unit
  readonly source: Source
  readonly places: Places
  /** Awaited between write and commit, for tests of what happens there. */
  readonly beforeCommit?: ((unit: Unit) => Promise<void>) | undefined
}

export interface Stretch {
  readonly maxEvents: number
  /** Nothing beyond this position is folded. */
  readonly upTo?: number | undefined
}

export interface Folded {
  readonly events: number
  readonly checkpoint: Checkpoint
}

interface Work {
  readonly states: Map<number, unknown>
  events: number
  first: FoldingEvent | undefined
  last: FoldingEvent | undefined
}

export class Folder {
  private readonly types: ReadonlySet<string>
  private readonly memories = new Map<number, unknown>()
  private readonly context: FoldContext
  private readonly reader: EventReader
  /** The first page of the next stretch, read while this one is committed. */
  private ahead: { readonly after: number; readonly page: Promise<readonly FoldingEvent[]> } | undefined

  constructor(private readonly options: FolderOptions) {
    this.types = new Set(options.projection.eventTypes)
    const { places } = options
    this.context = { timezoneOf: (appId) => places.timezoneOf(appId), definitionsOf: (appId) => places.definitionsOf(appId) }
    this.reader = eventReader(options.log, options.unit.partition)
  }

  /** Undefined when there is nothing to fold. Throws Indigestible, Fenced, or the store's error; then forget() and read again. */
  async fold(from: Checkpoint, stretch: Stretch): Promise<Folded | undefined> {
    const work: Work = { states: new Map(), events: 0, first: undefined, last: undefined }
    let page = await this.page(from.position, stretch, 0)
    while (page.length > 0) {
      const last = page.at(-1)!
      const read = work.events + page.length
      // The next page is on its way while this one is folded.
      const next = this.page(last.position, stretch, read)
      next.catch(() => undefined)
      work.first ??= page[0]!
      work.events = read
      work.last = last
      await this.digest(work, page)
      // SQLite answers within the turn, so without this a rebuild would keep every request waiting until it is done.
      await breathe()
      page = await next
    }
    if (work.last === undefined) return undefined
    const to = { position: work.last.position, recordedAt: work.last.recordedAt }
    if (work.events === stretch.maxEvents && to.position < (stretch.upTo ?? Infinity)) this.readAhead(to.position)
    await this.commit(from, to, work)
    return { events: work.events, checkpoint: { ...from, ...to } }
  }

  /** Steps over the one event after the checkpoint and records it as dead, in one transaction. */
  async bury(from: Checkpoint, event: FoldingEvent, error: string): Promise<Folded> {
    const { database, unit, clock } = this.options
    const to = { position: event.position, recordedAt: event.recordedAt }
    await writing(database, async (trx) => {
      await moveCheckpoint(trx, unit, from, to)
      const dead = { event_id: uuidToBytes(event.eventId), app_id: uuidToBytes(event.appId), error: error.slice(0, 1_000) }
      await trx('dead_events').insert({ ...unit, position: event.position, ...dead, recorded_at: clock.now() })
    })
    return { events: 1, checkpoint: { ...from, ...to } }
  }

  forget(): void {
    this.memories.clear()
    this.ahead = undefined
    this.options.places.forget()
  }

  private async page(after: number, { maxEvents, upTo }: Stretch, sofar: number): Promise<readonly FoldingEvent[]> {
    const limit = Math.min(maxEvents - sofar, LIMITS.readPageEvents)
    if (limit <= 0 || (upTo !== undefined && after >= upTo)) return []
    let events = await this.readBefore(after)
    // What was the end of the log then may not be now.
    if (events.length === 0) events = await this.options.source(after, limit)
    if (events.length > limit) {
      // Small stretches take many turns to eat up one page, which is not read again for each of them.
      this.ahead = { after: events[limit - 1]!.position, page: Promise.resolve(events.slice(limit)) }
      events = events.slice(0, limit)
    }
    if (upTo === undefined || (events.at(-1)?.position ?? 0) <= upTo) return events
    return events.filter(({ position }) => position <= upTo)
  }

  private readAhead(after: number): void {
    if (this.ahead?.after === after) return
    const page = this.options.source(after, LIMITS.readPageEvents)
    page.catch(() => undefined)
    this.ahead = { after, page }
  }

  private async readBefore(after: number): Promise<readonly FoldingEvent[]> {
    const { ahead } = this
    this.ahead = undefined
    return ahead?.after === after ? ahead.page : []
  }

  private async digest(work: Work, page: readonly FoldingEvent[]): Promise<void> {
    const { places, projection, database } = this.options
    await places.prepare(page)
    for (const [build, events] of this.byBuild(page, work)) {
      let state = work.states.get(build)
      if (state === undefined) {
        if (!this.memories.has(build)) this.memories.set(build, projection.memory())
        state = projection.start(this.memories.get(build), this.context)
        work.states.set(build, state)
      }
      await this.blaming(work, () => projection.load?.(database.knex, build, state, events, this.reader))
      try {
        projection.fold(state, events)
      } catch (error) {
        throw new Indigestible(work.events, work.first!, error)
      }
    }
  }

  /** The page's events that this projection folds, by the build that holds their app's rows. */
  private byBuild(page: readonly FoldingEvent[], work: Work): Map<number, FoldingEvent[]> {
    const { places } = this.options
    const groups = new Map<number, FoldingEvent[]>()
    let appId: string | undefined
    let group: FoldingEvent[] = []
    for (const event of page) {
      const counted = this.types.has(event.type)
      try {
        places.note(event, counted)
      } catch (error) {
        throw new Indigestible(work.events, work.first!, error)
      }
      if (!counted) continue
      if (event.appId !== appId) {
        appId = event.appId
        const build = places.rowsBuildOf(appId)
        group = groups.get(build) ?? []
        groups.set(build, group)
      }
      group.push(event)
    }
    return groups
  }

  private async commit(from: Checkpoint, to: Pick<Checkpoint, 'position' | 'recordedAt'>, work: Work): Promise<void> {
    const { database, unit, projection, places, beforeCommit } = this.options
    await this.blaming(work, () =>
      writing(database, async (trx: Knex.Transaction) => {
        await moveCheckpoint(trx, unit, from, to)
        for (const [build, state] of work.states) await projection.write(trx, build, state)
        await places.write(trx)
        await beforeCommit?.(unit)
      }),
    )
  }

  /** Tells what the data is to blame for from what the store is. */
  private async blaming(work: Work, statements: () => Promise<void> | undefined): Promise<void> {
    try {
      await statements()
    } catch (error) {
      if (this.options.log.classify(error) !== 'deterministic') throw error
      throw new Indigestible(work.events, work.first!, error)
    }
  }
}
