// Where each app's rows are, in which zone its days are cut and when it last changed: kept beside the checkpoint and written
// in its transaction, so that a reader who sees one sees the other. A change of zone is only noted here; the old one stays
// named until a rebuild of the app has switched.
import type { Knex } from 'knex'
import { decode, type FoldEvent } from '../events/catalogue.ts'
import { appSettingsApplied, type AppSettingsApplied } from '../events/appSettingsApplied.ts'
import type { EventLog } from '../events/eventLog.ts'
import { DEFAULT_SETTINGS } from '../events/schemas.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { textOfId } from './rows.ts'
import type { Unit } from './checkpoints.ts'

/** A zone and the position of the settings event that says so. */
export interface Zone {
  readonly timezone: string
  readonly zonePosition: number
}

/** What a fold needs to know of apps, and how it keeps that in step with the checkpoint. */
export interface Places {
  /** Makes the events' apps known. Reads only. */
  prepare(events: readonly FoldEvent[]): Promise<void>
  /** Takes note of an event, in position order; `counted` when the projection folds it. */
  note(event: FoldEvent, counted: boolean): void
  rowsBuildOf(appId: string): number
  timezoneOf(appId: string): string
  write(trx: Knex.Transaction): Promise<void>
  /** Drops what is remembered, after a failure or a change of hands. */
  forget(): void
}

export interface AppPlace extends Zone {
  readonly rowsBuild: number
  readonly wantedTimezone: string | null
  readonly lastPosition: number
  readonly lastRecordedAt: number
}

/** Where the zones of apps come from that a build has not met yet; those it does not answer for start in the default. */
export type FirstZones = (appIds: readonly string[]) => Promise<ReadonlyMap<string, Zone>>

const DEFAULT_ZONE: Zone = { timezone: DEFAULT_SETTINGS.timezone, zonePosition: 0 }

/** Live builds learn an app's zone from the events they pass; its first settings come before its first event. */
export const zoneFromEvents: FirstZones = () => Promise.resolve(new Map())

/** The zone an app has now, for builds that are made to apply it to all of history. */
export async function newestZone(log: EventLog, appId: string): Promise<Zone> {
  const settings = await log.readStream(log.partitionOf(appId), `settings:${appId}`)
  const last = settings.at(-1)
  if (last === undefined) return DEFAULT_ZONE
  return { timezone: zoneIn(decode(last)) ?? DEFAULT_SETTINGS.timezone, zonePosition: last.position }
}

const ZONES_AT_ONCE = 16

export async function newestZones(log: EventLog, appIds: readonly string[]): Promise<Map<string, Zone>> {
  const zones = new Map<string, Zone>()
  for (let start = 0; start < appIds.length; start += ZONES_AT_ONCE) {
    const some = appIds.slice(start, start + ZONES_AT_ONCE)
    const found = await Promise.all(some.map((appId) => newestZone(log, appId)))
    for (const [index, appId] of some.entries()) zones.set(appId, found[index]!)
  }
  return zones
}

type KeptPlace = { -readonly [Field in keyof AppPlace]: AppPlace[Field] }

/** The places of a whole build's apps in one partition. */
export class WholePlaces implements Places {
  private readonly known = new Map<string, KeptPlace>()
  private readonly changed = new Set<string>()
  // Neighbours in the log are mostly of one app, and every event of a rebuild comes by here.
  private lastNoted: string | undefined
  private lastPlace: KeptPlace | undefined

  constructor(
    private readonly db: Knex,
    private readonly unit: Unit,
    private readonly zoned: boolean,
    private readonly firstZones: FirstZones,
  ) {}

  async prepare(events: readonly FoldEvent[]): Promise<void> {
    if (this.known.size > LIMITS.projectedAppsKept && this.changed.size === 0) this.forget()
    const missing = new Set<string>()
    let last: string | undefined
    for (const { appId } of events) {
      if (appId === last) continue
      last = appId
      if (!this.known.has(appId)) missing.add(appId)
    }
    if (missing.size === 0) return
    for (const [appId, place] of await readPlaces(this.db, this.unit, [...missing])) {
      this.known.set(appId, place)
      missing.delete(appId)
    }
    const zones = missing.size === 0 ? undefined : await this.firstZones([...missing])
    for (const appId of missing) {
      const zone = zones?.get(appId) ?? DEFAULT_ZONE
      this.known.set(appId, { ...zone, rowsBuild: this.unit.build, wantedTimezone: null, lastPosition: 0, lastRecordedAt: 0 })
    }
  }

  note(event: FoldEvent, counted: boolean): void {
    const { appId } = event
    const place = appId === this.lastNoted ? this.lastPlace! : this.known.get(appId)!
    if (event.type === appSettingsApplied.type && event.position > place.zonePosition && this.settle(place, event)) this.changed.add(appId)
    if (!counted) return
    place.lastPosition = event.position
    place.lastRecordedAt = event.recordedAt
    if (appId === this.lastNoted) return
    this.changed.add(appId)
    this.lastNoted = appId
    this.lastPlace = place
  }

  /** False when the event says nothing of a zone. */
  private settle(place: KeptPlace, event: FoldEvent): boolean {
    const timezone = zoneIn(event)
    if (timezone === undefined) return false
    place.zonePosition = event.position
    if (!this.zoned || place.lastPosition === 0) {
      place.timezone = timezone
      place.wantedTimezone = null
    } else {
      place.wantedTimezone = timezone === place.timezone ? null : timezone
    }
    return true
  }

  rowsBuildOf(appId: string): number {
    return this.known.get(appId)!.rowsBuild
  }

  timezoneOf(appId: string): string {
    return this.known.get(appId)!.timezone
  }

  async write(trx: Knex.Transaction): Promise<void> {
    const rows = [...this.changed].map((appId) => rowOf(this.unit, appId, this.known.get(appId)!))
    this.changed.clear()
    this.lastNoted = undefined
    await savePlaces(trx, rows)
  }

  forget(): void {
    this.known.clear()
    this.changed.clear()
    this.lastNoted = undefined
  }
}

/** The one app of a build of its own; its place in the whole build changes only at the flip. */
export class OwnPlace implements Places {
  constructor(
    private readonly build: number,
    private readonly timezone: string,
  ) {}

  prepare(): Promise<void> {
    return Promise.resolve()
  }
  note(): void {
    // Settings that arrive meanwhile are looked at before the flip.
  }
  rowsBuildOf(): number {
    return this.build
  }
  timezoneOf(): string {
    return this.timezone
  }
  write(): Promise<void> {
    return Promise.resolve()
  }
  forget(): void {
    // Nothing is remembered.
  }
}

export async function readPlaces(db: Knex, { projection, build }: Pick<Unit, 'projection' | 'build'>, appIds: readonly string[]): Promise<Map<string, AppPlace>> {
  const found = new Map<string, AppPlace>()
  for (let start = 0; start < appIds.length; start += LIMITS.rowsPerStatement) {
    const ids = appIds.slice(start, start + LIMITS.rowsPerStatement).map(uuidToBytes)
    const rows = await db<PlaceRow>('projection_apps').where({ projection, build }).whereIn('app_id', ids)
    for (const row of rows) found.set(textOfId(row.app_id), placeOf(row))
  }
  return found
}

/** Puts one app's place, in a transaction that holds the checkpoint of its partition. */
export async function savePlace(trx: Knex.Transaction, unit: Unit, appId: string, place: AppPlace): Promise<void> {
  await savePlaces(trx, [rowOf(unit, appId, place)])
}

async function savePlaces(trx: Knex.Transaction, rows: readonly PlaceRow[]): Promise<void> {
  for (let start = 0; start < rows.length; start += LIMITS.rowsPerStatement) {
    await trx('projection_apps')
      .insert(rows.slice(start, start + LIMITS.rowsPerStatement))
      .onConflict(['projection', 'build', 'app_id'])
      .merge()
  }
}

interface PlaceRow {
  readonly projection: string
  readonly build: number
  readonly partition: number
  readonly app_id: Uint8Array | ArrayBuffer
  readonly rows_build: number
  readonly timezone: string
  readonly wanted_timezone: string | null
  readonly zone_position: number
  readonly last_position: number
  readonly last_recorded_at: number
}

function rowOf({ projection, build, partition }: Unit, appId: string, place: AppPlace): PlaceRow {
  return {
    projection,
    build,
    partition,
    app_id: uuidToBytes(appId),
    rows_build: place.rowsBuild,
    timezone: place.timezone,
    wanted_timezone: place.wantedTimezone,
    zone_position: place.zonePosition,
    last_position: place.lastPosition,
    last_recorded_at: place.lastRecordedAt,
  }
}

function placeOf(row: PlaceRow): AppPlace {
  return {
    rowsBuild: row.rows_build,
    timezone: row.timezone,
    wantedTimezone: row.wanted_timezone,
    zonePosition: row.zone_position,
    lastPosition: row.last_position,
    lastRecordedAt: row.last_recorded_at,
  }
}

function zoneIn(event: FoldEvent): string | undefined {
  return (event.data as AppSettingsApplied | null)?.timezone
}
