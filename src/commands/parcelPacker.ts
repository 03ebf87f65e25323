// Packs requests' parcels per partition: whatever arrived while the earlier hand-overs were in flight goes together, under
// one delivery id, so packs size themselves to the load. What may wait is bounded; above the bound a request is refused.
import { Problem } from '../errors.ts'
import type { Appended, NewEvent, Pack, RejectedEvent } from '../events/eventLog.ts'
import { Coalescer } from '../kernel/coalescer.ts'
import { uuidv7 } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import type { Parcel } from './appendQueue.ts'
import { eventBytes } from './logAppender.ts'
import type { Placed } from './packStore.ts'

export interface ParcelPacker {
  /**
   * Resolves when the pack that took the parcel is handed over, with its places where the hand-over knows them. Throws
   * Problem `overloaded`, or `unavailable` after `close`: nothing was kept.
   */
  add(parcel: Parcel): Promise<Placed | undefined>
  pendingBytes(): number
  close(): Promise<void>
}

export interface ParcelPackerOptions {
  readonly handOver: (pack: Pack) => Promise<Placed | undefined>
  readonly maxEvents: number
  readonly maxInFlight: number
  /** How many events make a pack worth handing over beside one that is in flight; 1 unless given. */
  readonly minEventsBeside?: number
  readonly maxWaitMs?: number
  readonly maxPendingBytes?: number
}

interface Weighed {
  readonly parcel: Parcel
  readonly bytes: number
}

type Packing = Coalescer<Weighed, Placed | undefined>

export function createParcelPacker(options: ParcelPackerOptions): ParcelPacker {
  const { handOver, maxEvents, maxInFlight, minEventsBeside = 1, maxPendingBytes = LIMITS.pendingBytes } = options
  const partitions = new Map<number, Packing>()
  let pending = 0
  let closed = false

  const flush = async (weighed: readonly Weighed[]): Promise<readonly (Placed | undefined)[]> => {
    try {
      const placed = await handOver(packOf(weighed))
      if (placed === undefined) return weighed.map(() => undefined)
      let next = 0
      return weighed.map(({ parcel: { events } }) => placed.slice(next, (next += events.length)) as readonly (Appended | null)[])
    } finally {
      for (const { bytes } of weighed) pending -= bytes
    }
  }

  const coalescerOf = (partition: number): Packing => {
    let coalescer = partitions.get(partition)
    if (coalescer === undefined) {
      coalescer = new Coalescer<Weighed, Placed | undefined>({
        flush,
        maxItems: maxEvents,
        maxBytes: LIMITS.packBytes,
        countOf: ({ parcel }) => Math.max(1, parcel.events.length),
        sizeOf: ({ bytes }) => bytes,
        maxInFlight,
        minItemsBeside: minEventsBeside,
        maxWaitMs: options.maxWaitMs ?? 0,
      })
      partitions.set(partition, coalescer)
    }
    return coalescer
  }

  return {
    // No async function: each promise on this way is paid for by every event that comes in.
    add(parcel) {
      if (closed) return Promise.reject(new Problem('unavailable', undefined, { retryAfterSeconds: 1 }))
      const bytes = parcelBytes(parcel)
      if (pending + bytes > maxPendingBytes) return Promise.reject(new Problem('overloaded', undefined, { retryAfterSeconds: 1 }))
      // Counted until the hand-over is done, because what is in flight takes memory as well.
      pending += bytes
      return coalescerOf(parcel.partition).add({ parcel, bytes })
    },
    pendingBytes: () => pending,
    close: async () => {
      closed = true
      await Promise.all([...partitions.values()].map((coalescer) => coalescer.close()))
    },
  }
}

function parcelBytes({ events, rejected }: Parcel): number {
  let bytes = 0
  for (const event of events) bytes += eventBytes(event)
  for (const { body } of rejected) bytes += body.length + 100
  return bytes
}

function packOf(weighed: readonly Weighed[]): Pack {
  const events: NewEvent[] = []
  const rejected: RejectedEvent[] = []
  let receivedAt = 0
  for (const { parcel } of weighed) {
    for (const event of parcel.events) events.push(event)
    for (const refused of parcel.rejected) rejected.push(refused)
    if (parcel.receivedAt > receivedAt) receivedAt = parcel.receivedAt
  }
  return { deliveryId: uuidv7(), partition: weighed[0]!.parcel.partition, receivedAt, events, rejected }
}
