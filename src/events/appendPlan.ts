// What one append will write, decided from what its transaction has read under the head lock: pure, and the same for every
// engine. Engines read `Known`, call planAppend, and write the plan.
import { isUuid } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import type { Append, Appended, Head, NewEvent, Pack, RejectedEvent, Resolution } from './eventLog.ts'
import { VersionConflict } from './eventLog.ts'
import { CONTROL_PARTITION, partitionOf } from './partitioning.ts'
import { chainFrom, newSeals } from './sealing.ts'

/** What the transaction found, under the head lock. */
export interface Known {
  readonly head: Head
  /** Places of events that are stored already, by idKey. */
  readonly positions: ReadonlyMap<string, number>
  /** Versions of the streams that the append touches; absent is 0. */
  readonly versions: ReadonlyMap<string, number>
  /** Delivery ids that were counted before. */
  readonly delivered: ReadonlySet<string>
  /** Events ever refused, per app with something refused in this append. */
  readonly refused: ReadonlyMap<string, number>
}

export interface PlannedRow {
  readonly event: NewEvent
  readonly position: number
  readonly streamVersion: number | null
  readonly seal: Buffer
}

/** By the hour of receipt, but for `recorded`: that of the log's own clock. */
export interface LedgerDelta {
  readonly appId: string
  readonly hour: number
  stored: number
  duplicate: number
  rejected: number
  released: number
  discarded: number
  recorded: number
}

export interface QuarantineRow extends RejectedEvent {
  readonly number: number
  readonly receivedAt: number
}

export interface Plan {
  readonly results: readonly (readonly Appended[])[]
  readonly rows: readonly PlannedRow[]
  readonly recordedAt: number
  readonly head: Head
  readonly deliveries: readonly Pack[]
  readonly ledger: readonly LedgerDelta[]
  readonly quarantine: readonly QuarantineRow[]
  readonly resolutions: readonly Resolution[]
}

/** An event that can never be stored, whoever tries again. */
export class EventRefused extends Error {
  constructor(
    readonly eventId: string,
    detail: string,
  ) {
    super(`event ${eventId}: ${detail}`)
    this.name = 'EventRefused'
  }
}

export const HOUR_MS = 3_600_000
const TYPE_CHARS = 64
const STREAM_CHARS = 128

export function idKey(appId: string, eventId: string): string {
  return appId + eventId
}

/** Checks what no engine can store or what would break a promise of the log. Throws EventRefused or RangeError. */
export function checkAppend(append: Append, partitions: number): void {
  const { partition } = append
  if (!Number.isInteger(partition) || partition < 0 || partition > partitions) {
    throw new RangeError(`partition ${partition} is not in 0…${partitions}`)
  }
  for (const pack of append.packs) {
    if (pack.partition !== partition) throw new RangeError(`pack of partition ${pack.partition} in an append to ${partition}`)
    if (!isUuid(pack.deliveryId)) throw new RangeError('a delivery id is a lower-case UUID')
    let lastApp: string | undefined
    for (const event of pack.events) {
      // Neighbours are mostly of one app.
      if (event.appId !== lastApp) checkApp(event, partition, partitions)
      lastApp = event.appId
      checkEvent(event)
    }
    for (const { appId } of pack.rejected) if (!isUuid(appId)) throw new RangeError('an app id is a lower-case UUID')
  }
}

function checkApp({ eventId, appId }: NewEvent, partition: number, partitions: number): void {
  if (!isUuid(appId)) throw new EventRefused(eventId, 'ids are lower-case UUIDs')
  if (partition !== CONTROL_PARTITION && partitionOf(appId, partitions) !== partition) {
    throw new RangeError(`app ${appId} does not live in partition ${partition}`)
  }
}

function checkEvent(event: NewEvent): void {
  const { eventId, type, data, meta, stream } = event
  if (!isUuid(eventId)) throw new EventRefused(eventId, 'ids are lower-case UUIDs')
  if (type.length === 0 || type.length > TYPE_CHARS) throw new EventRefused(eventId, `a type has 1 to ${TYPE_CHARS} characters`)
  if (stream !== undefined && stream.length > STREAM_CHARS) throw new EventRefused(eventId, `a stream has at most ${STREAM_CHARS} characters`)
  if (!isPlainText(type) || !isPlainText(stream ?? '')) throw new EventRefused(eventId, 'type and stream are well-formed text without NUL')
  if (!isPlainText(data) || (meta !== null && !isPlainText(meta))) throw new EventRefused(eventId, 'data and meta are well-formed text without NUL')
  // A character has at most three bytes of UTF-8 per UTF-16 unit; only text near the bound is measured.
  const chars = data.length + (meta?.length ?? 0)
  if (chars * 3 > LIMITS.appendMaxBytes && Buffer.byteLength(data) + Buffer.byteLength(meta ?? '') > LIMITS.appendMaxBytes) {
    throw new EventRefused(eventId, `is larger than ${LIMITS.appendMaxBytes} bytes`)
  }
  if (!Number.isSafeInteger(event.occurredAt)) throw new EventRefused(eventId, 'occurredAt is a whole number of milliseconds')
}

// NUL ends text on its way out of libsql; a lone surrogate has no UTF-8. JSON text escapes both.
function isPlainText(text: string): boolean {
  return !text.includes('\0') && (text as string & { isWellFormed(): boolean }).isWellFormed()
}

/** Throws VersionConflict; nothing was written. */
export function planAppend(append: Append, known: Known, nowMs: number): Plan {
  const recordedAt = Math.max(nowMs, known.head.recordedAt)
  const places = new Map(known.positions)
  const versions = new Map(known.versions)
  const rows: PlannedRow[] = []
  const seals = newSeals(append.packs.reduce((count, { events }) => count + events.length, 0))
  let { position } = known.head
  const results = append.packs.map(({ events }) =>
    events.map((event): Appended => {
      const key = idKey(event.appId, event.eventId)
      const place = places.get(key)
      if (place !== undefined) return { position: place, duplicate: true }
      position++
      places.set(key, position)
      let streamVersion: number | null = null
      if (event.stream !== undefined) {
        streamVersion = (versions.get(event.stream) ?? 0) + 1
        versions.set(event.stream, streamVersion)
      }
      rows.push({ event, position, streamVersion, seal: seals[rows.length]! })
      return { position, duplicate: false }
    }),
  )
  // A command that is sent again finds all its events stored: the same command, not a conflict.
  if (rows.length > 0) checkExpected(append, known.versions)
  const chain = chainFrom(known.head.hash)
  for (const { event, seal } of rows) chain.add(seal, event.data)
  const hash = rows.length === 0 ? known.head.hash : chain.hash()
  const head = rows.length === 0 ? known.head : { partition: append.partition, position, recordedAt, hash }
  return { results, rows, recordedAt, head, ...planLedger(append.packs, results, known, rows, recordedAt) }
}

function checkExpected(append: Append, versions: ReadonlyMap<string, number>): void {
  for (const { stream, version } of append.expected ?? []) {
    const actual = versions.get(stream) ?? 0
    if (actual !== version) throw new VersionConflict(stream, version, actual)
  }
}

function planLedger(
  packs: readonly Pack[],
  results: readonly (readonly Appended[])[],
  known: Known,
  rows: readonly PlannedRow[],
  recordedAt: number,
): Pick<Plan, 'deliveries' | 'ledger' | 'quarantine' | 'resolutions'> {
  const deliveries: Pack[] = []
  const seen = new Set(known.delivered)
  const ledger = new Deltas()
  const numbers = new Map(known.refused)
  const quarantine: QuarantineRow[] = []
  const resolutions: Resolution[] = []
  packs.forEach((pack, packIndex) => {
    if (seen.has(pack.deliveryId)) return
    seen.add(pack.deliveryId)
    deliveries.push(pack)
    pack.events.forEach(({ appId, stream }, index) => {
      // The ledger accounts for what producers sent; what aggregates decided was never received.
      if (stream !== undefined) return
      if (results[packIndex]![index]!.duplicate) ledger.of(appId, pack.receivedAt).duplicate++
      else ledger.of(appId, pack.receivedAt).stored++
    })
    for (const rejected of pack.rejected) {
      ledger.of(rejected.appId, pack.receivedAt).rejected++
      const number = (numbers.get(rejected.appId) ?? 0) + 1
      numbers.set(rejected.appId, number)
      quarantine.push({ ...rejected, number, receivedAt: pack.receivedAt })
    }
    if (pack.resolves !== undefined) {
      ledger.of(pack.resolves.appId, pack.receivedAt)[pack.resolves.as]++
      resolutions.push(pack.resolves)
    }
  })
  // Of the rows and not of the packs: so it says what is in the log, whatever was made of the deliveries.
  for (const { event } of rows) if (event.stream === undefined) ledger.of(event.appId, recordedAt).recorded++
  return { deliveries, ledger: ledger.all(), quarantine, resolutions }
}

/** Neighbours are mostly of one app and hour, which are looked up once. */
class Deltas {
  private readonly byKey = new Map<string, LedgerDelta>()
  private last: LedgerDelta | undefined

  of(appId: string, atMs: number): LedgerDelta {
    const hour = Math.floor(atMs / HOUR_MS) * HOUR_MS
    if (this.last?.appId === appId && this.last.hour === hour) return this.last
    const key = `${appId}${hour}`
    let delta = this.byKey.get(key)
    if (delta === undefined) {
      delta = { appId, hour, stored: 0, duplicate: 0, rejected: 0, released: 0, discarded: 0, recorded: 0 }
      this.byKey.set(key, delta)
    }
    this.last = delta
    return delta
  }

  all(): LedgerDelta[] {
    return [...this.byKey.values()]
  }
}
