// One row of the events table as the program sees it. Ids stay bytes until somebody asks, and app ids are shared strings:
// folding a million events a second leaves no time to spell out ids that nobody reads.
import { bytesToUuid } from '../kernel/ids.ts'
import { Lru } from '../kernel/lru.ts'
import type { StoredEvent } from './eventLog.ts'

/** The order in which every engine inserts, with the seal behind. */
export const EVENT_COLUMNS =
  '`partition`, position, app_id, event_id, type, schema_version, occurred_at, recorded_at, stream, stream_version, data, meta'

/** Bytes of an app's id and, behind them, an event's. */
export const IDS_BYTES = 32

/** `{ ...event }` copies no getter: name the fields that a copy needs. */
export class StoredRow implements StoredEvent {
  constructor(
    /** May be those of a whole page; this row's begin at `idsAt`. */
    private readonly ids: Buffer,
    private readonly idsAt: number,
    readonly partition: number,
    readonly position: number,
    readonly type: string,
    readonly schemaVersion: number,
    readonly occurredAt: number,
    readonly recordedAt: number,
    readonly stream: string | null,
    readonly streamVersion: number | null,
    readonly data: string | null,
    readonly meta: string | null,
  ) {}

  get appId(): string {
    return appIdOf(this.ids, this.idsAt)
  }

  get eventId(): string {
    return bytesToUuid(this.ids, this.idsAt + 16)
  }

  toJSON(): StoredEvent {
    const { partition, position, appId, eventId, type, schemaVersion, occurredAt, recordedAt, stream, streamVersion, data, meta } = this
    return { partition, position, appId, eventId, type, schemaVersion, occurredAt, recordedAt, stream, streamVersion, data, meta }
  }
}

const known = new Lru<string, string>(10_000)
const lastBytes = Buffer.alloc(16)
let last = '00000000-0000-0000-0000-000000000000'

function appIdOf(ids: Buffer, at: number): string {
  // Neighbours in the log are mostly of one app.
  if (lastBytes.compare(ids, at, at + 16) === 0) return last
  const key = ids.toString('latin1', at, at + 16)
  let appId = known.get(key)
  if (appId === undefined) {
    appId = bytesToUuid(ids, at)
    known.set(key, appId)
  }
  ids.copy(lastBytes, 0, at, at + 16)
  last = appId
  return appId
}
