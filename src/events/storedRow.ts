// One row of the events table as the program sees it. Ids stay bytes until somebody asks, and app ids are shared strings:
// folding a million events a second leaves no time to spell out ids that nobody reads.
import { bytesToUuid } from '../kernel/ids.ts'
import { Lru } from '../kernel/lru.ts'
import type { StoredEvent } from './eventLog.ts'

/** The order in which every engine selects, with `partition` first. */
export const EVENT_COLUMNS =
  '`partition`, position, app_id, event_id, type, schema_version, occurred_at, recorded_at, stream, stream_version, data, meta'

export type EventRow = readonly [
  partition: number,
  position: number,
  appId: Buffer,
  eventId: Buffer,
  type: string,
  schemaVersion: number,
  occurredAt: number,
  recordedAt: number,
  stream: string | null,
  streamVersion: number | null,
  data: string | null,
  meta: string | null,
]

/** `{ ...event }` copies no getter: name the fields that a copy needs. */
export class StoredRow implements StoredEvent {
  readonly partition: number
  readonly position: number
  readonly type: string
  readonly schemaVersion: number
  readonly occurredAt: number
  readonly recordedAt: number
  readonly stream: string | null
  readonly streamVersion: number | null
  readonly data: string | null
  readonly meta: string | null
  private readonly appBytes: Buffer
  private readonly eventBytes: Buffer

  constructor(row: EventRow) {
    this.partition = row[0]
    this.position = row[1]
    this.appBytes = row[2]
    this.eventBytes = row[3]
    this.type = row[4]
    this.schemaVersion = row[5]
    this.occurredAt = row[6]
    this.recordedAt = row[7]
    this.stream = row[8]
    this.streamVersion = row[9]
    this.data = row[10]
    this.meta = row[11]
  }

  get appId(): string {
    return appIdOf(this.appBytes)
  }

  get eventId(): string {
    return bytesToUuid(this.eventBytes)
  }

  toJSON(): StoredEvent {
    const { partition, position, appId, eventId, type, schemaVersion, occurredAt, recordedAt, stream, streamVersion, data, meta } = this
    return { partition, position, appId, eventId, type, schemaVersion, occurredAt, recordedAt, stream, streamVersion, data, meta }
  }
}

export function toStoredEvents(rows: readonly EventRow[]): StoredEvent[] {
  return rows.map((row) => new StoredRow(row))
}

const known = new Lru<string, string>(10_000)
let lastBytes: Buffer | undefined
let last = ''

function appIdOf(bytes: Buffer): string {
  // Neighbours in the log are mostly of one app.
  if (lastBytes?.equals(bytes) === true) return last
  const key = bytes.toString('latin1')
  let appId = known.get(key)
  if (appId === undefined) {
    appId = bytesToUuid(bytes)
    known.set(key, appId)
  }
  // A copy: the bytes may be a view into a whole page of rows.
  lastBytes = Buffer.from(bytes)
  last = appId
  return appId
}
