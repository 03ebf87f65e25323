// The contract of the way into the log. `append` answers when the pack is as safe as the mode promises: on Redis' disk
// (BullMQ) or committed (in-process); what it cannot make safe it refuses with `unavailable` or `overloaded`.
import type { Append, Appended, NewEvent, RejectedEvent } from '../events/eventLog.ts'
import type { ReadQueued } from '../events/ledger.ts'

/** One request's share of a partition; the queue packs whatever arrived while its previous hand-over was in flight. */
export interface Parcel {
  readonly partition: number
  /** Epoch milliseconds. */
  readonly receivedAt: number
  readonly events: readonly NewEvent[]
  readonly rejected: readonly RejectedEvent[]
}

/** What waits, for those who watch. */
export interface QueueDepth {
  /** Handed over and not yet committed; undefined while the queue cannot be asked. */
  readonly packs: number | undefined
  /** Of events that wait in this process for their hand-over. */
  readonly pendingBytes: number
}

export interface AppendQueue {
  /** Resolves once the parcel is safe. Throws Problem `unavailable` or `overloaded`, with Retry-After: nothing was kept. */
  append(parcel: Parcel): Promise<unknown>
  /**
   * Resolves with places in the log once committed, null for an event that the store cannot hold (it is in quarantine);
   * with undefined when it is safe but no commit was seen in ackStoredMs.
   */
  appendStored(parcel: Parcel): Promise<readonly (Appended | null)[] | undefined>
  /** Control commands: their own queue, answered after the commit. Throws VersionConflict as the log does. */
  appendControl(append: Append): Promise<readonly (readonly Appended[])[]>
  /** Takes nothing more, hands over what it holds, and resolves when that is safe. */
  close(): Promise<void>
}

/** One that can be looked into. */
export interface WatchedQueue extends AppendQueue {
  depth(): Promise<QueueDepth>
  readonly queued: ReadQueued
}
