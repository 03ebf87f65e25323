// A stored event as a fold sees it: its data is parsed when first read, because many folds need only a few events' data
// and parsing is what a rebuild pays for. Bytes that cannot be parsed throw there, inside the fold that asked.
import { decodeData, type FoldEvent } from '../events/catalogue.ts'
import type { Content, KeepsContent } from '../events/content.ts'
import type { StoredEvent } from '../events/eventLog.ts'

const UNREAD = Symbol('unread')

/** Copies only what every fold asks of every event: a rebuild makes one of these per event of the log. */
export class FoldingEvent implements FoldEvent, KeepsContent {
  readonly appId: string
  readonly position: number
  readonly occurredAt: number
  content: Content | null = null
  private parsed: unknown = UNREAD

  constructor(readonly stored: StoredEvent) {
    this.appId = stored.appId
    this.position = stored.position
    this.occurredAt = stored.occurredAt
  }

  /** Spelt out only for folds that ask: the log keeps ids as bytes. */
  get eventId(): string {
    return this.stored.eventId
  }

  get partition(): number {
    return this.stored.partition
  }

  get type(): string {
    return this.stored.type
  }

  get schemaVersion(): number {
    return this.stored.schemaVersion
  }

  get recordedAt(): number {
    return this.stored.recordedAt
  }

  get meta(): string | null {
    return this.stored.meta
  }

  get stream(): string | null {
    return this.stored.stream
  }

  get streamVersion(): number | null {
    return this.stored.streamVersion
  }

  get data(): unknown {
    if (this.parsed === UNREAD) this.parsed = decodeData(this.stored)
    return this.parsed
  }
}
