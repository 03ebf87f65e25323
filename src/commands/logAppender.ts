// Brings packs into the log: packs of a partition that arrive together go in one transaction. Used by the append worker and
// wherever a process appends by itself.
import type { EventLog, NewEvent, Pack } from '../events/eventLog.ts'
import { Coalescer } from '../kernel/coalescer.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import { createPackStore, type Outcome, type Placed } from './packStore.ts'

export interface LogAppender {
  /** Resolves after the commit. Rejects when `giveUpMs` has passed, or at a defect, which retrying cannot mend. */
  append(pack: Pack): Promise<Placed>
  /** Bytes that wait for their transaction. */
  pendingBytes(): number
  /** True while the last try of any partition failed because the store is away. */
  stalled(): boolean
  /** Takes nothing more and finishes what it holds; after `abort`, gives up on a store that is away. */
  close(): Promise<void>
  abort(): void
}

export interface LogAppenderOptions {
  readonly log: EventLog
  readonly logger: Logger
  readonly maxEvents: number
  readonly maxWaitMs: number
  /** How long a store may be away before the packs are handed back; for ever unless given. */
  readonly giveUpMs?: number
}

export function packBytes(pack: Pack): number {
  let bytes = 0
  for (const event of pack.events) bytes += eventBytes(event)
  for (const rejected of pack.rejected) bytes += rejected.body.length + 100
  return bytes
}

/** About what an event takes in a statement; text counts by its length, which is its bytes for all but rare scripts. */
export function eventBytes(event: NewEvent): number {
  return event.data.length + 160
}

export function createLogAppender(options: LogAppenderOptions): LogAppender {
  const { maxEvents, maxWaitMs } = options
  const partitions = new Map<number, Coalescer<Pack, Outcome>>()
  const away = new Set<number>()
  const stop = new AbortController()
  const store = createPackStore({ ...options, signal: stop.signal, away })

  const coalescerOf = (partition: number): Coalescer<Pack, Outcome> => {
    let coalescer = partitions.get(partition)
    if (coalescer === undefined) {
      coalescer = new Coalescer<Pack, Outcome>({
        flush: (packs) => store(partition, packs),
        maxItems: maxEvents,
        maxBytes: LIMITS.appendMaxBytes,
        countOf: (pack) => Math.max(1, pack.events.length),
        sizeOf: packBytes,
        maxWaitMs,
      })
      partitions.set(partition, coalescer)
    }
    return coalescer
  }

  return {
    append: async (pack) => {
      const outcome = await coalescerOf(pack.partition).add(pack)
      if ('error' in outcome) throw outcome.error
      return outcome.placed
    },
    pendingBytes: () => [...partitions.values()].reduce((sum, coalescer) => sum + coalescer.queuedBytes, 0),
    stalled: () => away.size > 0,
    close: async () => {
      await Promise.all([...partitions.values()].map((coalescer) => coalescer.close()))
    },
    abort: () => stop.abort(),
  }
}
