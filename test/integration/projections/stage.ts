// What the tests of the projector stand on: a store of either engine, a projection that only counts, and the words to
// append to the log and read what was counted.
import { createLogger, silentLogger } from '../../../src/kernel/logger.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import type { Database } from '../../../src/kernel/database.ts'
import { openDatabase } from '../../../src/kernel/database/open.ts'
import { uuidToBytes, uuidv5, uuidv7 } from '../../../src/kernel/ids.ts'
import { migrate } from '../../../src/kernel/migrations.ts'
import type { EventLog, NewEvent } from '../../../src/events/eventLog.ts'
import { openEventLog } from '../../../src/events/openEventLog.ts'
import type { Projection } from '../../../src/projections/projection.ts'
import { type Projector, type ProjectorOptions, startProjector } from '../../../src/projections/projector.ts'
import { insertOrReplace, rowsByIds } from '../../../src/projections/storage/upsert.ts'
import { readPointer } from '../../../src/projections/builds.ts'
import { textOfId } from '../../../src/projections/storage/rows.ts'
import { eventually } from '../../support/eventually.ts'
import { freshDatabase, freshSqlite } from '../../support/servers.ts'

export const ENGINES = ['sqlite', 'mysql'] as const
export const LEASE_MS = 1_000

export interface Stage {
  readonly url: string
  readonly database: Database
  readonly log: EventLog
  /** Starts a projector that the stage closes. */
  project(options?: Partial<ProjectorOptions>): Projector
  close(): Promise<void>
}

export async function openStage(engine: (typeof ENGINES)[number], partitions = 2): Promise<Stage> {
  const url = engine === 'sqlite' ? freshSqlite() : await freshDatabase()
  const stage = await openStageAt(url, partitions, true)
  await stage.database.knex.schema.createTable('test_counts', (table) => {
    table.integer('build').notNullable()
    table.specificType('app_id', 'binary(16)').notNullable()
    table.bigInteger('events').notNullable()
    table.bigInteger('positions').notNullable()
    table.string('zone', 64).notNullable()
    table.string('mark', 16).notNullable()
    table.primary(['build', 'app_id'])
  })
  return stage
}

export async function openStageAt(url: string, partitions: number, migrated = false): Promise<Stage> {
  const database = await openDatabase(url)
  if (migrated) await migrate(database)
  const log = await openEventLog(database, { url, partitions })
  const projectors: Projector[] = []
  return {
    url,
    database,
    log,
    project: (options = {}) => {
      const projector = startProjector({
        log,
        database,
        projections: [counting()],
        clock: systemClock,
        logger: process.env['TEST_LOG'] === undefined ? silentLogger : createLogger('debug'),
        leaseMs: LEASE_MS,
        pollMs: 20,
        ...options,
      })
      projectors.push(projector)
      return projector
    },
    close: async () => {
      await Promise.all(projectors.map((projector) => projector.close()))
      await log.close()
      await database.close()
    },
  }
}

interface CountRow {
  readonly app_id: Uint8Array
  readonly events: number
  readonly positions: number
  readonly zone: string
  readonly mark: string | null
}

export interface CountingOptions {
  readonly name?: string
  readonly codeVersion?: number
  readonly zoned?: boolean
  /** Written into every row, to tell one version's rows from another's. */
  readonly mark?: string
  /** Called before each write. */
  readonly onWrite?: () => Promise<void> | void
  /** The events named 'poison' do no harm to a fold that knows how to take them. */
  readonly digestsPoison?: boolean
}

/**
 * Counts events per app and adds up their positions, so that a lost and a doubled event both show. An event named `poison`
 * makes fold throw, one named `refused` makes the database refuse the row.
 */
export function counting(options: CountingOptions = {}): Projection {
  const { name = 'counting', codeVersion = 1, zoned = false, mark = 'v1' } = options
  const projection: Projection<{ rows: Map<string, CountRow>; zone: (appId: string) => string }, null> = {
    name,
    codeVersion,
    source: 'apps',
    zoned,
    eventTypes: ['EventCollected'],
    tables: [{ name: 'test_counts', key: ['app_id'] }],
    memory: () => null,
    start: (_memory, context) => ({ rows: new Map(), zone: (appId) => context.timezoneOf(appId) }),
    async load(db, build, { rows }, events) {
      const missing = new Set(events.map(({ appId }) => appId).filter((appId) => !rows.has(appId)))
      for (const row of await rowsByIds<CountRow>(db, 'test_counts', build, 'app_id', missing)) rows.set(textOfId(row.app_id), row)
    },
    fold({ rows, zone }, events) {
      for (const { appId, data, position } of events) {
        const { event } = data as { event: string }
        if (event === 'poison' && options.digestsPoison !== true) throw new Error('poison')
        const row = rows.get(appId)
        const refused = event === 'refused' || row?.mark === null
        rows.set(appId, {
          app_id: uuidToBytes(appId),
          events: (row?.events ?? 0) + 1,
          positions: (row?.positions ?? 0) + position,
          zone: zone(appId),
          mark: refused ? null : mark,
        })
      }
    },
    async write(trx, build, { rows }) {
      await options.onWrite?.()
      await insertOrReplace(trx, 'test_counts', ['app_id'], build, [...rows.values()])
    },
  }
  return projection
}

let named = 0

/** An app whose partition is this one. */
export function appIn(log: EventLog, partition: number): string {
  for (;;) {
    const appId = uuidv5('00000000-0000-0000-0000-000000000000', `app ${named++}`)
    if (log.partitionOf(appId) === partition) return appId
  }
}

export function collected(appId: string, event = 'seen'): NewEvent {
  return { eventId: uuidv7(), appId, type: 'EventCollected', schemaVersion: 1, occurredAt: Date.now(), data: JSON.stringify({ event }), meta: null }
}

/** Appends to the partition of the first event's app; answers the last position. */
export async function append(log: EventLog, events: readonly NewEvent[]): Promise<number> {
  const partition = log.partitionOf(events[0]!.appId)
  const [places] = await log.append({ partition, packs: [{ deliveryId: uuidv7(), partition, receivedAt: Date.now(), events, rejected: [] }] })
  return places!.at(-1)!.position
}

export function many(appId: string, count: number, event = 'seen'): NewEvent[] {
  return Array.from({ length: count }, () => collected(appId, event))
}

export function settings(appId: string, timezone: string): NewEvent {
  const data = JSON.stringify({ timezone, ip: 'truncate', keepQuery: [] })
  return { eventId: uuidv7(), appId, type: 'AppSettingsApplied', schemaVersion: 1, occurredAt: Date.now(), data, meta: null, stream: `settings:${appId}` }
}

export interface Seen {
  readonly build: number
  readonly position: number
  readonly lastPosition: number
  readonly events: number
  readonly positions: number
  readonly zone: string | undefined
  readonly timezone: string | undefined
  readonly mark: string | undefined
}

/** What a reader sees of an app: pointer and rows from one snapshot. */
export function seen({ database, log }: Stage, appId: string, projection = 'counting'): Promise<Seen> {
  return database.snapshot(async (trx) => {
    const pointer = await readPointer(trx, projection, log.partitionOf(appId), appId)
    const build = pointer?.build ?? 0
    const row = await trx('test_counts').where({ build, app_id: uuidToBytes(appId) }).first<CountRow | undefined>()
    return {
      build,
      position: pointer?.position ?? 0,
      lastPosition: pointer?.lastPosition ?? 0,
      events: row?.events ?? 0,
      positions: row?.positions ?? 0,
      zone: row?.zone,
      timezone: pointer?.timezone,
      mark: row?.mark ?? undefined,
    }
  })
}

/** Waits until the live build has folded the app's partition up to here. */
export function foldedTo(stage: Stage, appId: string, position: number): Promise<Seen> {
  return eventually(async () => {
    const now = await seen(stage, appId)
    return now.position >= position ? now : undefined
  })
}

export function sumTo(position: number): number {
  return (position * (position + 1)) / 2
}

/** What the store's driver throws while it cannot be reached. */
export function storeAway({ database }: Stage): Error {
  return Object.assign(new Error('the store is away'), database.engine === 'sqlite' ? { code: 'SQLITE_BUSY' } : { code: 'ECONNRESET', fatal: true })
}
