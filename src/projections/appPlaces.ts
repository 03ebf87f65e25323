// Where each app's rows are, by which zone and definitions they are folded, and when the app last changed: kept beside the
// checkpoint and written in its transaction, so that a reader who sees one sees the other. A change of zone or definitions is
// only noted here; the old ones stay named until a rebuild of the app has switched.
import type { Knex } from 'knex'
import { appSettingsApplied } from '../events/appSettingsApplied.ts'
import type { FoldEvent } from '../events/catalogue.ts'
import { applyDefinition, covers, type Definitions, isDefinitionEvent } from '../events/definitions.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { DEFAULT_TERMS, type Depends, type FirstTerms, formatDefinitions, parseDefinitions, pick, type Terms, zoneIn } from './appTerms.ts'
import type { Unit } from './checkpoints.ts'
import { textOfId } from './storage/rows.ts'

/** What a fold needs to know of apps, and how it keeps that in step with the checkpoint. */
export interface Places {
  /** Makes the events' apps known. Reads only. */
  prepare(events: readonly FoldEvent[]): Promise<void>
  /** Takes note of an event, in position order; `counted` when the projection folds it. */
  note(event: FoldEvent, counted: boolean): void
  rowsBuildOf(appId: string): number
  timezoneOf(appId: string): string
  definitionsOf(appId: string): Definitions
  write(trx: Knex.Transaction): Promise<void>
  /** Drops what is remembered, after a failure or a change of hands. */
  forget(): void
}

export interface AppPlace extends Terms {
  readonly rowsBuild: number
  readonly wantedTimezone: string | null
  /** What a rebuild is to apply; null when the rows have it all. */
  readonly wantedDefinitions: Definitions | null
  readonly lastPosition: number
  readonly lastRecordedAt: number
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
    private readonly depends: Depends,
    private readonly firstTerms: FirstTerms,
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
    const found = missing.size === 0 ? undefined : await this.firstTerms([...missing])
    for (const appId of missing) {
      const terms = found?.get(appId) ?? DEFAULT_TERMS
      const nothing = { wantedTimezone: null, wantedDefinitions: null, lastPosition: 0, lastRecordedAt: 0 }
      this.known.set(appId, { ...terms, ...nothing, rowsBuild: this.unit.build })
    }
  }

  note(event: FoldEvent, counted: boolean): void {
    const { appId } = event
    const place = appId === this.lastNoted ? this.lastPlace! : this.known.get(appId)!
    if (this.settle(place, event)) this.changed.add(appId)
    if (!counted) return
    place.lastPosition = event.position
    place.lastRecordedAt = event.recordedAt
    if (appId === this.lastNoted) return
    this.changed.add(appId)
    this.lastNoted = appId
    this.lastPlace = place
  }

  /** False when the event says nothing of an app's terms that is not known already. */
  private settle(place: KeptPlace, event: FoldEvent): boolean {
    const { type, position } = event
    if (type === appSettingsApplied.type) return position > place.zonePosition && this.settleZone(place, event)
    if (!isDefinitionEvent(type) || this.depends.defined === undefined || position <= place.definitionsPosition) return false
    const newest = pick(this.depends, applyDefinition(place.wantedDefinitions ?? place.definitions, event))
    place.definitionsPosition = position
    if (place.lastPosition === 0) place.definitions = newest
    else place.wantedDefinitions = covers(place.definitions, newest) ? null : newest
    return true
  }

  private settleZone(place: KeptPlace, event: FoldEvent): boolean {
    const timezone = zoneIn(event)
    if (timezone === undefined) return false
    place.zonePosition = event.position
    if (this.depends.zoned !== true || place.lastPosition === 0) {
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

  definitionsOf(appId: string): Definitions {
    return this.known.get(appId)!.definitions
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
    private readonly terms: Terms,
  ) {}

  prepare(): Promise<void> {
    return Promise.resolve()
  }
  note(): void {
    // Settings and definitions that arrive meanwhile are looked at before the flip.
  }
  rowsBuildOf(): number {
    return this.build
  }
  timezoneOf(): string {
    return this.terms.timezone
  }
  definitionsOf(): Definitions {
    return this.terms.definitions
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
  readonly definitions: string | null
  readonly definitions_position: number
  readonly wanted_definitions: string | null
  readonly wanted_position: number | null
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
    definitions: formatDefinitions(place.definitions),
    definitions_position: place.definitionsPosition,
    wanted_definitions: place.wantedDefinitions === null ? null : formatDefinitions(place.wantedDefinitions),
    wanted_position: place.wantedDefinitions === null ? null : place.definitionsPosition,
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
    definitions: parseDefinitions(row.definitions),
    definitionsPosition: row.definitions_position,
    wantedDefinitions: row.wanted_position === null ? null : parseDefinitions(row.wanted_definitions),
    lastPosition: row.last_position,
    lastRecordedAt: row.last_recorded_at,
  }
}
