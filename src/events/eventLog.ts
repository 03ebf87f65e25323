// The contract of the log, whichever engine keeps it. Positions are dense, from 1, in commit order within a partition; an
// (app, event id) is stored once; nothing is updated or deleted, except that redaction replaces an event's data. The suite
// in test/contracts/ holds every engine to this.

/** An event on its way into the log. */
export interface NewEvent {
  /** UUID text. The same (appId, eventId) is stored once, however often it is appended. */
  readonly eventId: string
  /** UUID text; NIL_UUID for what belongs to no app (accounts). */
  readonly appId: string
  readonly type: string
  readonly schemaVersion: number
  /** Epoch milliseconds. */
  readonly occurredAt: number
  /** JSON text, kept to the byte. */
  readonly data: string
  /** JSON text: who and what caused it (keyId, actor, command); null when there is nothing to say. */
  readonly meta: string | null
  /** The aggregate this event belongs to (`app:<id>`, `key:<id>`, …); absent for collected events. */
  readonly stream?: string
}

/** An event as the log keeps it. */
export interface StoredEvent extends Omit<NewEvent, 'data' | 'stream'> {
  readonly partition: number
  readonly position: number
  /** Epoch milliseconds, never less than that of the position before. */
  readonly recordedAt: number
  /** null only where redaction removed everything. */
  readonly data: string | null
  readonly stream: string | null
  /** From 1 within its stream; null for collected events. */
  readonly streamVersion: number | null
}

/** What an answer from the log needs of an event. */
export type ScannedEvent = Pick<StoredEvent, 'position' | 'type' | 'schemaVersion' | 'occurredAt' | 'recordedAt' | 'data'>

/** An input that was refused and is kept aside for its app: never silently dropped, never in the log. */
export interface RejectedEvent {
  readonly appId: string
  readonly code: string
  readonly detail: string
  /** The event as received, with addresses and URLs already reduced; bounded by LIMITS.metadataBytes. */
  readonly body: string
  /** It came over a public write key: what a person lets in of it stays what anybody could have sent. */
  readonly viaPublicKey?: true
  /** More of it was reduced than is of an event that is taken, so that the body is not the event any more. */
  readonly altered?: true
  /** Added to its timestamp: how far the clock of the request's sender was behind ours. Absent: 0. */
  readonly skewMs?: number
}

/** What a person did with an event in quarantine. Commits with the append that it travels with. */
export interface Resolution {
  readonly appId: string
  /** Of the event in its app's quarantine. */
  readonly number: number
  readonly as: 'released' | 'discarded'
  /** The account that acted. */
  readonly by: string
  /** As which event it went into the log; null where it was discarded. */
  readonly eventId: string | null
}

/** What travels together: one hand-over to the queue, one delivery to the log. */
export interface Pack {
  /** UUID text. The ledger moves once per delivery id, however often the pack is delivered. */
  readonly deliveryId: string
  readonly partition: number
  /** Epoch milliseconds at which the newest request in it was received. */
  readonly receivedAt: number
  readonly events: readonly NewEvent[]
  readonly rejected: readonly RejectedEvent[]
  /** Then `receivedAt` is that of the event in quarantine: it was received once. */
  readonly resolves?: Resolution
}

export interface Append {
  readonly partition: number
  readonly packs: readonly Pack[]
  /** Streams that must be at exactly this version (0: must not exist), checked under the head lock. */
  readonly expected?: readonly { readonly stream: string; readonly version: number }[]
}

/** What became of one event: its place, and whether it was there before. */
export interface Appended {
  readonly position: number
  readonly duplicate: boolean
}

export interface Head {
  readonly partition: number
  /** The last position, 0 when the partition is empty. */
  readonly position: number
  /** Epoch milliseconds of the last event, 0 when the partition is empty. */
  readonly recordedAt: number
  /** The head of the append chain, 32 bytes; zeros when the partition is empty. */
  readonly hash: Uint8Array
}

export interface BrowseOptions {
  /** Only positions below this one; absent: from the newest. */
  readonly before?: number
  readonly limit: number
  readonly type?: string
}

/** Thrown by append when an expected stream version does not hold; nothing was written. */
export class VersionConflict extends Error {
  constructor(
    readonly stream: string,
    readonly expected: number,
    readonly actual: number,
  ) {
    super(`stream ${stream} is at version ${actual}, not ${expected}`)
    this.name = 'VersionConflict'
  }
}

export type StoreFault = 'transient' | 'deterministic' | 'defect'

export interface EventLog {
  /** Number of data partitions, 1…n; partition 0 is the control partition. Fixed when the store was initialised. */
  readonly partitions: number
  /** The data partition of an app: a stable hash of its id. */
  partitionOf(appId: string): number
  /**
   * One transaction: lock the head, drop ids already stored, check expected versions, insert, move the head, move the
   * ledger, commit. Answers one array per pack, in order. Throws VersionConflict, or the driver's error (see classify).
   */
  append(append: Append): Promise<readonly (readonly Appended[])[]>
  /** Events after `after` in position order, at most `limit`. */
  read(partition: number, after: number, limit: number): Promise<StoredEvent[]>
  /** One app's events after `after` in position order, by index, at most `limit`. */
  readApp(appId: string, after: number, limit: number): Promise<StoredEvent[]>
  /**
   * One app's events after `after` in position order, at most `limit`, with no more than folding needs: what an answer from
   * the log reads, so it has to be cheap. Resolves to an empty page at the end of the log.
   */
  scan(appId: string, after: number, limit: number): Promise<ScannedEvent[]>
  /** Events at these positions of a partition, in position order; positions beyond the head are left out. */
  readAt(partition: number, positions: readonly number[]): Promise<StoredEvent[]>
  /** The last position that was recorded at or before an instant (epoch milliseconds); 0 when there is none. */
  positionAt(partition: number, recordedAtMs: number): Promise<number>
  /** All events of one aggregate, in version order. */
  readStream(partition: number, stream: string): Promise<StoredEvent[]>
  /** One app's events, newest position first. */
  browse(appId: string, options: BrowseOptions): Promise<StoredEvent[]>
  find(appId: string, eventId: string): Promise<StoredEvent | undefined>
  /** What the append chain seals of an event: the hash of its data as appended, in hex, also when it was redacted since. */
  contentHash(appId: string, eventId: string): Promise<string | undefined>
  heads(): Promise<Head[]>
  head(partition: number): Promise<Head>
  /**
   * Erases what an event says: data becomes `redacted` (or null) and seal the original content hash. Position, id and
   * chain stay whole. Answers false when there is no such event; redacting twice keeps the first content hash.
   */
  redact(appId: string, eventId: string, redacted: string | null): Promise<boolean>
  /** What an error thrown by this engine means for a retry. */
  classify(error: unknown): StoreFault
  /** Calls back after each append of this process commits: a poke for projectors in the same process, never relied on. */
  onAppended(listener: (partition: number, position: number) => void): () => void
}
