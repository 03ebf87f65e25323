// A log with a projector in hand: folds builds in stretches of a chosen size, so that tests can compare how it was cut.
import { LIMITS } from '../../../src/limits.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { migrate } from '../../../src/kernel/migrations.ts'
import { openDatabase } from '../../../src/kernel/database/open.ts'
import { bytesToUuid, uuidv7 } from '../../../src/kernel/ids.ts'
import { openEventLog } from '../../../src/events/openEventLog.ts'
import type { EventCollected } from '../../../src/events/eventCollected.ts'
import type { NewEvent } from '../../../src/events/eventLog.ts'
import { DEFAULT_SETTINGS } from '../../../src/events/schemas.ts'
import { WholePlaces } from '../../../src/projections/appPlaces.ts'
import { termsFromEvents } from '../../../src/projections/appTerms.ts'
import { createBuild, ensureFirstBuild, partitionsOf } from '../../../src/projections/builds.ts'
import { readCheckpoint } from '../../../src/projections/checkpoints.ts'
import { Folder } from '../../../src/projections/folder.ts'
import { partitionPages } from '../../../src/projections/logPages.ts'
import type { Projection } from '../../../src/projections/projection.ts'
import { bytesOf } from '../../../src/projections/storage/rows.ts'
import { scratchDirectory } from '../../support/scratch.ts'
import { freshDatabase } from '../../support/servers.ts'

export type Engine = 'sqlite' | 'mysql'

export interface Collected {
  readonly id: string
  readonly appId: string
  readonly at: number
  readonly data: EventCollected
}

export async function openDriver(engine: Engine, partitions = 2) {
  const url = engine === 'sqlite' ? `sqlite:${scratchDirectory('read-models')}/recount.db` : await freshDatabase()
  const database = await openDatabase(url)
  await migrate(database)
  const log = await openEventLog(database, { url, partitions })

  const append = async (events: readonly NewEvent[]): Promise<void> => {
    for (let partition = 0; partition <= partitions; partition++) {
      const mine = events.filter(({ appId }) => log.partitionOf(appId) === partition)
      for (let at = 0; at < mine.length; at += 500) {
        const pack = { deliveryId: uuidv7(), partition, receivedAt: Date.now(), events: mine.slice(at, at + 500), rejected: [] }
        await log.append({ partition, packs: [pack] })
      }
    }
  }

  return {
    database,
    log,
    append,
    async register(appId: string, timezone: string): Promise<void> {
      const data = JSON.stringify({ ...DEFAULT_SETTINGS, timezone })
      await append([{ eventId: uuidv7(), appId, type: 'AppSettingsApplied', schemaVersion: 1, occurredAt: Date.now(), data, meta: null, stream: `settings:${appId}` }])
    },
    collect: (events: readonly Collected[]) =>
      append(events.map(({ id, appId, at, data }) => ({ eventId: id, appId, type: 'EventCollected', schemaVersion: 1, occurredAt: at, data: JSON.stringify(data), meta: null }))),
    /** A new empty build, or the first one. */
    async build(projection: Projection, fresh = false): Promise<number> {
      const first = await ensureFirstBuild(database, projection, partitions, 0)
      return fresh ? (await createBuild(database, projection, partitionsOf(projection, partitions), 0)).build : first
    },
    /** Folds a build to the end of the log in stretches of at most so many events; forgets its memory between some of them. */
    async fold(projection: Projection, build: number, stretchEvents: number = LIMITS.foldMaxEvents, forgetEvery = Infinity): Promise<void> {
      for (const partition of partitionsOf(projection, partitions)) {
        const unit = { projection: projection.name, build, partition }
        const places = new WholePlaces(database.knex, unit, projection, termsFromEvents)
        const folder = new Folder({ log, database, clock: systemClock, projection, unit, places, source: partitionPages(log, partition) })
        let checkpoint = (await readCheckpoint(database.knex, unit))!
        for (let stretch = 1; ; stretch++) {
          const folded = await folder.fold(checkpoint, { maxEvents: stretchEvents })
          if (folded === undefined) break
          checkpoint = folded.checkpoint
          if (stretch % forgetEvery === 0) folder.forget()
        }
      }
    },
    /** All rows of a build's tables, in order, without the build itself. */
    /** As far as `verify` compares them. */
    async rows(projection: Projection, build: number): Promise<Record<string, unknown[]>> {
      const tables: Record<string, unknown[]> = {}
      for (const table of projection.tables) {
        const { name, key } = table
        const rows = await database.knex(name).where({ build }).orderBy([...key]).select<Record<string, unknown>[]>('*')
        tables[name] = rows.map((row) => Object.fromEntries(Object.entries(table.comparable?.(row) ?? row).filter(([column]) => column !== 'build').map(([column, value]) => [column, plain(value)])))
      }
      return tables
    },
    async close(): Promise<void> {
      await log.close()
      await database.close()
    },
  }
}

export type Driver = Awaited<ReturnType<typeof openDriver>>

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) {
    const bytes = bytesOf(value)
    return bytes.length === 16 ? bytesToUuid(bytes) : bytes.toString('hex')
  }
  return value
}
