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
  /** Resolves when the pack that took the parcel is handed over, with its places where the hand-over knows them. */
  add(parcel: Parcel): Promise<Placed | undefined>
  pendingBytes(): number
  close(): Promise<void>
}

export interface ParcelPackerOptions {
  readonly handOver: (pack: Pack) => Promise<Placed | undefined>
  readonly maxEvents: number
  readonly maxInFlight: number
  readonly maxWaitMs?: number
  readonly maxPendingBytes?: number
}

export function createParcelPacker(options: ParcelPackerOptions): ParcelPacker {
  const { handOver, maxEvents, maxInFlight, maxPendingBytes = LIMITS.pendingBytes } = options
  const partitions = new Map<number, Coalescer<Parcel, Placed | undefined>>()
  let pending = 0

  const flush = async (parcels: readonly Parcel[]): Promise<readonly (Placed | undefined)[]> => {
    const placed = await handOver(packOf(parcels))
    if (placed === undefined) return parcels.map(() => undefined)
    let next = 0
    return parcels.map(({ events }) => placed.slice(next, (next += events.length)) as readonly (Appended | null)[])
  }

  const coalescerOf = (partition: number): Coalescer<Parcel, Placed | undefined> => {
    let coalescer = partitions.get(partition)
    if (coalescer === undefined) {
      coalescer = new Coalescer<Parcel, Placed | undefined>({
        flush,
        maxItems: maxEvents,
        maxBytes: LIMITS.packBytes,
        countOf: ({ events }) => Math.max(1, events.length),
        sizeOf: parcelBytes,
        maxInFlight,
        maxWaitMs: options.maxWaitMs ?? 0,
      })
      partitions.set(partition, coalescer)
    }
    return coalescer
  }

  return {
    async add(parcel) {
      // Counted until the hand-over is done, because what is in flight takes memory as well.
      const bytes = parcelBytes(parcel)
      if (pending + bytes > maxPendingBytes) throw new Problem('overloaded', undefined, { retryAfterSeconds: 1 })
      pending += bytes
      try {
        return await coalescerOf(parcel.partition).add(parcel)
      } finally {
        pending -= bytes
      }
    },
    pendingBytes: () => pending,
    close: async () => {
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

function packOf(parcels: readonly Parcel[]): Pack {
  const events: NewEvent[] = []
  const rejected: RejectedEvent[] = []
  let receivedAt = 0
  for (const parcel of parcels) {
    for (const event of parcel.events) events.push(event)
    for (const refused of parcel.rejected) rejected.push(refused)
    if (parcel.receivedAt > receivedAt) receivedAt = parcel.receivedAt
  }
  return { deliveryId: uuidv7(), partition: parcels[0]!.partition, receivedAt, events, rejected }
}
