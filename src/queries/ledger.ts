// What became of everything that an app was sent, hour by hour: one snapshot of the ledger, of how far the read models are, and
// of which queued packs are committed already. Uncached, because it is asked when something is in doubt.
import type { Knex } from 'knex'
import { Problem } from '../errors.ts'
import type { EventLog } from '../events/eventLog.ts'
import { countEvents, type LedgerHour, type LedgerSums, type QueuedPacks, readDeliveries, readLedger, type ReadQueued, sumLedger, sumRefused } from '../events/ledger.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import { uuidToBytes } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { PROJECTIONS } from '../projections/all.ts'
import { liveBuild } from '../projections/builds.ts'
import { readCheckpoint } from '../projections/checkpoints.ts'
import type { Range } from './query.ts'
import { type RangeParams, resolveRange, wholeRange } from './range.ts'

export interface LedgerApp {
  readonly appId: string
  readonly partition: number
  readonly timezone: string
}

/** Of an hour or of several; null: not known. */
export interface LedgerCounts {
  readonly received: number
  readonly accepted: number
  readonly stored: number
  readonly duplicates: number
  readonly inFlight: number | null
  readonly rejected: number
  readonly quarantined: number
  readonly released: number
  readonly discarded: number
  readonly recorded: number
  readonly projected: number
  readonly behind: number
  readonly dead: number
}

export interface Difference {
  readonly what: string
  readonly expected: number
  readonly found: number
}

export interface LedgerAnswer {
  readonly appId: string
  readonly hours: readonly (LedgerCounts & { readonly hour: string })[]
  readonly total: LedgerCounts
  readonly exact: { readonly inFlight: boolean; readonly behind: boolean }
  readonly reconciles: boolean
  readonly differences: readonly Difference[]
  readonly range: { readonly from: string; readonly to: string; readonly timezone: string }
  readonly asOf: { readonly position: number; readonly recordedAt: string | null; readonly lagEvents: number }
}

export interface LedgerOptions {
  readonly database: Database
  readonly log: Pick<EventLog, 'head' | 'readAt'>
  readonly clock: Clock
  readonly queued: ReadQueued
  /** However many hours those are: for one who is not answered over HTTP. */
  readonly unbounded?: boolean
}

/** What the slowest live read model has of a partition. */
interface Slowest {
  readonly position: number
  readonly recordedAt: number
}

const HOUR_MS = 3_600_000
const FOLLOWING = PROJECTIONS.filter(({ source }) => source !== 'control')

/** Throws Problem `invalid_parameter`, `empty_range`, `too_many_rows`. */
export async function readLedgerOf({ database, log, clock, queued, unbounded = false }: LedgerOptions, app: LedgerApp, params: RangeParams): Promise<LedgerAnswer> {
  const asked = resolveRange(params, app.timezone, clock.now())
  const packs = await queued(app.partition)
  return database.snapshot(async (trx) => {
    const sums = await sumLedger(trx, app.appId)
    const range = hoursOf(asked ?? wholeRange(extentOf(sums, clock.now()), app.timezone, clock.now()))
    const rows = await readLedger(trx, app.appId, range.fromMs, range.toMs, unbounded ? undefined : LIMITS.ledgerHours + 1)
    if (!unbounded && rows.length > LIMITS.ledgerHours) throw new Problem('too_many_rows', `More than ${LIMITS.ledgerHours} hours: ask for a shorter range`)
    const flying = packs === undefined ? undefined : await inFlight(trx, app, packs, range)
    const slowest = await slowestOf(trx, app.partition)
    const behind = await behindOf(trx, app, rows, slowest)
    const dead = await deadOf(trx, log, app, slowest)
    const hours = withFlying(rows, flying).map((row) => hourOf(row, flying, behind.byHour.get(row.hour) ?? 0, dead.get(row.hour) ?? 0))
    const refused = await sumRefused(trx, app.appId)
    const differences = differencesOf(sums, refused, hours)
    const head = await log.head(app.partition)
    return {
      appId: app.appId,
      hours,
      total: totalOf(hours, flying !== undefined),
      exact: { inFlight: packs?.whole === true, behind: behind.exact },
      ...{ reconciles: differences.length === 0, differences },
      range: { from: new Date(range.fromMs).toISOString(), to: new Date(range.toMs).toISOString(), timezone: range.timezone },
      asOf: {
        position: slowest.position,
        recordedAt: slowest.recordedAt === 0 ? null : new Date(slowest.recordedAt).toISOString(),
        lagEvents: Math.max(0, head.position - slowest.position),
      },
    }
  })
}

/** Outwards to whole hours. */
function hoursOf({ fromMs, toMs, timezone }: Range): Range {
  return { fromMs: Math.floor(fromMs / HOUR_MS) * HOUR_MS, toMs: Math.ceil(toMs / HOUR_MS) * HOUR_MS, timezone }
}

function extentOf({ firstHour }: LedgerSums, nowMs: number): Pick<Range, 'fromMs' | 'toMs'> | undefined {
  return firstHour === undefined ? undefined : { fromMs: firstHour, toMs: nowMs }
}

type Flying = ReadonlyMap<number, { accepted: number; rejected: number }>

async function inFlight(trx: Knex, { appId, partition }: LedgerApp, { packs }: QueuedPacks, { fromMs, toMs }: Range): Promise<Flying> {
  const ours = packs.filter(({ apps }) => apps.has(appId))
  const delivered = await readDeliveries(trx, partition, ours.map(({ deliveryId }) => deliveryId))
  const flying = new Map<number, { accepted: number; rejected: number }>()
  for (const { deliveryId, receivedAt, apps } of ours) {
    const hour = Math.floor(receivedAt / HOUR_MS) * HOUR_MS
    if (delivered.has(deliveryId) || hour < fromMs || hour >= toMs) continue
    const { accepted, rejected } = apps.get(appId)!
    const sofar = flying.get(hour) ?? { accepted: 0, rejected: 0 }
    flying.set(hour, { accepted: sofar.accepted + accepted, rejected: sofar.rejected + rejected })
  }
  return flying
}

/** An hour of which nothing is committed yet has no row. */
function withFlying(rows: readonly LedgerHour[], flying: Flying | undefined): LedgerHour[] {
  const known = new Set(rows.map(({ hour }) => hour))
  const none = { stored: 0, duplicate: 0, rejected: 0, released: 0, discarded: 0, recorded: 0 }
  const more = [...(flying?.keys() ?? [])].filter((hour) => !known.has(hour)).map((hour) => ({ hour, ...none }))
  return [...rows, ...more].sort((left, right) => left.hour - right.hour)
}

async function slowestOf(trx: Knex, partition: number): Promise<Slowest> {
  let slowest: Slowest | undefined
  for (const { name } of FOLLOWING) {
    const build = await liveBuild(trx, name)
    const at = build === undefined ? undefined : await readCheckpoint(trx, { projection: name, build, partition })
    const found = { position: at?.position ?? 0, recordedAt: at?.recordedAt ?? 0 }
    if (slowest === undefined || found.position < slowest.position) slowest = found
  }
  return slowest ?? { position: 0, recordedAt: 0 }
}

/** recordedAt never falls within a partition, so only the hour in which the slowest read model stands has to be counted. */
async function behindOf(trx: Knex, { appId, partition }: LedgerApp, rows: readonly LedgerHour[], slowest: Slowest): Promise<{ byHour: ReadonlyMap<number, number>; exact: boolean }> {
  const present = Math.floor(slowest.recordedAt / HOUR_MS) * HOUR_MS
  const limit = LIMITS.ledgerCountedEvents
  const byHour = new Map<number, number>()
  for (const { hour, recorded } of rows) {
    if (hour > present) byHour.set(hour, recorded)
    else if (hour === present) byHour.set(hour, await countEvents(trx, appId, partition, { after: slowest.position, beforeMs: hour + HOUR_MS, limit }))
  }
  return { byHour, exact: (byHour.get(present) ?? 0) < limit }
}

/** By hour of recording: events that the slowest read model has passed, and that some read model set aside. */
async function deadOf(trx: Knex, log: Pick<EventLog, 'readAt'>, { appId, partition }: LedgerApp, slowest: Slowest): Promise<Map<number, number>> {
  const positions = new Set<number>()
  for (const { name } of FOLLOWING) {
    const build = await liveBuild(trx, name)
    const rows = await trx('dead_events')
      .where({ projection: name, build: build ?? 0, partition, app_id: uuidToBytes(appId) })
      .where('position', '<=', slowest.position)
      .limit(LIMITS.ledgerDeadEvents)
      .select<{ position: number | string }[]>('position')
    for (const { position } of rows) positions.add(Number(position))
  }
  const byHour = new Map<number, number>()
  for (const { recordedAt, stream } of await log.readAt(partition, [...positions])) {
    const hour = Math.floor(recordedAt / HOUR_MS) * HOUR_MS
    if (stream === null) byHour.set(hour, (byHour.get(hour) ?? 0) + 1)
  }
  return byHour
}

function hourOf(row: LedgerHour, flying: Flying | undefined, behind: number, dead: number): LedgerAnswer['hours'][number] {
  const { hour, stored, duplicate: duplicates, released, discarded, recorded } = row
  const underWay = flying?.get(hour) ?? { accepted: 0, rejected: 0 }
  const rejected = row.rejected + underWay.rejected
  const accepted = stored + duplicates + underWay.accepted
  return {
    hour: new Date(hour).toISOString(),
    ...{ received: accepted + rejected - released, accepted, stored, duplicates, inFlight: flying === undefined ? null : underWay.accepted },
    ...{ rejected, quarantined: rejected - released - discarded, released, discarded },
    ...{ recorded, projected: recorded - behind - dead, behind, dead },
  }
}

const SUMMED = ['received', 'accepted', 'stored', 'duplicates', 'rejected', 'quarantined', 'released', 'discarded', 'recorded', 'projected', 'behind', 'dead'] as const

/** Of several hours, or of several apps. */
export function totalOf(counts: readonly LedgerCounts[], flyingKnown: boolean): LedgerCounts {
  const sum = (count: (one: LedgerCounts) => number): number => counts.reduce((total, one) => total + count(one), 0)
  const sums = Object.fromEntries(SUMMED.map((name) => [name, sum((one) => one[name])])) as unknown as Omit<LedgerCounts, 'inFlight'>
  return { ...sums, inFlight: flyingKnown ? sum(({ inFlight: events }) => events ?? 0) : null }
}

function differencesOf(sums: LedgerSums, refused: number, hours: LedgerAnswer['hours']): Difference[] {
  const found: Difference[] = [
    { what: 'events stored and events recorded by the log', expected: sums.stored, found: sums.recorded },
    { what: 'events refused and events counted by reason', expected: sums.rejected, found: refused },
    { what: 'events released or discarded and events refused', expected: Math.max(sums.rejected, sums.released + sums.discarded), found: sums.rejected },
    ...hours.map(({ hour, recorded, projected, behind, dead }) => ({ what: `events recorded from ${hour} on and events projected, behind or dead`, expected: recorded, found: Math.max(0, projected) + behind + dead })),
  ]
  return found.filter(({ expected, found: count }) => expected !== count)
}
