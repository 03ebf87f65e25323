// A history in a real log, folded live in random stretches while it is written, and rebuilt in others; and questions put to
// the tables, to the log, and to the reference.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { NewEvent } from '../../src/events/eventLog.ts'
import { uuidv5, uuidv7 } from '../../src/kernel/ids.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { LIMITS } from '../../src/limits.ts'
import { eventSummary as summaries } from '../../src/projections/eventSummary/eventSummary.ts'
import type { Projection } from '../../src/projections/projection.ts'
import { restatements } from '../../src/projections/restatements/restatements.ts'
import { userStats as persons } from '../../src/projections/userStats/userStats.ts'
import { web as webNumbers } from '../../src/projections/web/web.ts'
import { createQueryBus } from '../../src/queries/bus.ts'
import { createMemoryCache } from '../../src/queries/memoryCache.ts'
import type { QueryBus } from '../../src/queries/query.ts'
import { type Driver, type Engine, openDriver } from '../integration/readModels/driver.ts'
import type { History, Mended, Sent } from './histories.ts'
import { withLimits } from '../support/limits.ts'

/** Every read model of apps that a history's events reach. */
export const FOLDED = [webNumbers, summaries, persons, restatements].map((projection) => projection as unknown as Projection)

export interface Stage {
  readonly driver: Driver
  readonly bus: QueryBus
  /** By index of the history's apps. */
  readonly apps: readonly string[]
  /** Of each step, the position in its app's partition after it; absent where the step changed nothing. */
  readonly positions: readonly (number | undefined)[]
  /** The app that a step is about. */
  appOf(step: number): string
}

interface Known {
  readonly appId: string
  readonly eventId: string
  readonly position: number
  contentPosition: number
  gone: boolean
}

const NOW = Date.parse('2026-01-01T00:00:00Z')

/** Runs `check` on a history that was written and folded; each run has its own store. */
export async function staged(engine: Engine, history: History, cuts: Cuts, check: (stage: Stage) => Promise<void>): Promise<void> {
  const driver = await openDriver(engine)
  try {
    const apps = history.zones.map((_, index) => uuidv5('6f2f4d7e-95c1-4c1c-8a39-21c1be3be6ab', `app ${index}`))
    for (const [index, zone] of history.zones.entries()) await driver.register(apps[index]!, zone)
    const builds = new Map<Projection, number>()
    for (const projection of FOLDED) builds.set(projection, await driver.build(projection))
    const writer = new Writer(driver, apps)
    const positions: (number | undefined)[] = []
    const about: string[] = []
    for (const [index, step] of history.steps.entries()) {
      const { appId, position } = step.kind === 'collected' ? await writer.collect(step) : await writer.mend(step)
      positions.push(position)
      about.push(appId)
      if (index % cuts.foldEvery === cuts.foldEvery - 1) await foldAll(driver, builds, cuts)
    }
    await foldAll(driver, builds, cuts)
    const clock = { now: () => NOW }
    const bus = createQueryBus({ database: driver.database, log: driver.log, cache: createMemoryCache({ clock }), clock, logger: silentLogger })
    await check({ driver, bus, apps, positions, appOf: (index) => about[index]! })
  } finally {
    await driver.close()
  }
}

/** How folding is cut: how many steps are written before each fold, how many events a stretch takes, and how long rows are whose changes wait. */
export interface Cuts {
  readonly foldEvery: number
  readonly stretch: number
  readonly forgetEvery: number
  readonly cellPendingFromBytes: number
}

export const cuts: fc.Arbitrary<Cuts> = fc.record({
  foldEvery: fc.constantFrom(1, 3, 7, 1_000),
  stretch: fc.constantFrom(1, 2, 5, 13, 5_000),
  forgetEvery: fc.constantFrom(1, 2, 1_000),
  cellPendingFromBytes: fc.constantFrom(0, LIMITS.cellPendingFromBytes),
})

async function foldAll(driver: Driver, builds: ReadonlyMap<Projection, number>, { stretch, forgetEvery, cellPendingFromBytes }: Cuts): Promise<void> {
  for (const [projection, build] of builds) await withLimits({ cellPendingFromBytes }, () => driver.fold(projection, build, stretch, forgetEvery))
}

/** Folds everything again into a build of its own, cut otherwise, and compares the rows of all tables. */
export async function assertRebuilds({ driver }: Stage, projection: Projection, other: Cuts): Promise<void> {
  const build = await driver.build(projection, true)
  await withLimits({ cellPendingFromBytes: other.cellPendingFromBytes }, () => driver.fold(projection, build, other.stretch, other.forgetEvery))
  assert.deepEqual(await driver.rows(projection, build), await driver.rows(projection, 1))
}

interface Written {
  readonly appId: string
  /** Absent where nothing was written. */
  readonly position: number | undefined
}

class Writer {
  private readonly known: Known[] = []
  private readonly ids = new Set<string>()

  constructor(
    private readonly driver: Driver,
    private readonly apps: readonly string[],
  ) {}

  async collect({ app, id, at, data }: Sent): Promise<Written> {
    const appId = this.apps[app]!
    const eventId = uuidv5(appId, String(id))
    const position = await this.append({ eventId, appId, type: 'EventCollected', schemaVersion: 1, occurredAt: at, data: JSON.stringify(data), meta: null })
    if (this.ids.has(eventId)) return { appId, position: undefined }
    this.ids.add(eventId)
    this.known.push({ appId, eventId, position, contentPosition: position, gone: false })
    return { appId, position }
  }

  async mend({ kind, target, at, data }: Mended): Promise<Written> {
    const known = this.known[Math.floor(target * this.known.length)]!
    if (known.gone) return { appId: known.appId, position: undefined }
    const { appId, eventId, position, contentPosition } = known
    const about = { eventId, position, contentPosition, reason: 'a test' }
    const fact = kind === 'retracted' ? about : { ...about, occurredAt: at, data }
    const type = kind === 'retracted' ? 'EventRetracted' : 'EventCorrected'
    const event = { eventId: uuidv7(), appId, type, schemaVersion: 1, occurredAt: NOW, data: JSON.stringify(fact), meta: null, stream: `correction:${eventId}` }
    const now = await this.append(event)
    if (kind === 'retracted') known.gone = true
    else known.contentPosition = now
    return { appId, position: now }
  }

  private async append(event: NewEvent): Promise<number> {
    const partition = this.driver.log.partitionOf(event.appId)
    const pack = { deliveryId: uuidv7(), partition, receivedAt: NOW, events: [event], rejected: [] }
    const [[place] = []] = await this.driver.log.append({ partition, packs: [pack] })
    return place!.position
  }
}
