// A stored event as a fold sees it: its data is parsed when first read, because many folds need only a few events' data
// and parsing is what a rebuild pays for. Bytes that cannot be parsed throw there, inside the fold that asked.
import { decodeData, type FoldEvent } from '../events/catalogue.ts'
import type { StoredEvent } from '../events/eventLog.ts'

const UNREAD = Symbol('unread')

export class FoldingEvent implements FoldEvent {
  readonly partition: number
  readonly position: number
  readonly appId: string
  readonly type: string
  readonly schemaVersion: number
  readonly occurredAt: number
  readonly recordedAt: number
  readonly meta: string | null
  readonly stream: string | null
  readonly streamVersion: number | null
  private parsed: unknown = UNREAD

  constructor(readonly stored: StoredEvent) {
    this.partition = stored.partition
    this.position = stored.position
    this.appId = stored.appId
    this.type = stored.type
    this.schemaVersion = stored.schemaVersion
    this.occurredAt = stored.occurredAt
    this.recordedAt = stored.recordedAt
    this.meta = stored.meta
    this.stream = stored.stream
    this.streamVersion = stored.streamVersion
  }

  /** Spelt out only for folds that ask: the log keeps ids as bytes. */
  get eventId(): string {
    return this.stored.eventId
  }

  get data(): unknown {
    if (this.parsed === UNREAD) this.parsed = decodeData(this.stored)
    return this.parsed
  }
}
