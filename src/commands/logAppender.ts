// Brings packs into the log: packs of a partition that arrive together go in one transaction, a store that is away is
// waited for, and an event that the store cannot hold goes to quarantine without holding up its neighbours. Used by the
// append worker and wherever a process appends by itself.
import type { Appended, EventLog, NewEvent, Pack } from '../events/eventLog.ts'
import { Coalescer } from '../kernel/coalescer.ts'
import { uuidv5 } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import { retry } from '../kernel/retry.ts'
import { LIMITS } from '../limits.ts'

/** One entry per event of the pack; null for an event that went to quarantine because the store cannot hold it. */
export type Placed = readonly (Appended | null)[]

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

const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 1_000
const DETAIL_CHARS = 500
const BODY_CHARS = LIMITS.metadataBytes / 4

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
  const { log, logger, maxEvents, maxWaitMs } = options
  const partitions = new Map<number, Coalescer<Pack, Outcome>>()
  const away = new Set<number>()
  const stop = new AbortController()

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

  const store = async (partition: number, packs: readonly Pack[]): Promise<readonly Outcome[]> => {
    try {
      return (await persist(partition, packs)).map((placed) => ({ placed }))
    } catch (error) {
      if (!(error instanceof Unstorable)) return packs.map(() => ({ error }))
      if (packs.length === 1) return [await splitPack(partition, packs[0]!, error)]
      const middle = packs.length >> 1
      const first = await store(partition, packs.slice(0, middle))
      return [...first, ...(await store(partition, packs.slice(middle)))]
    }
  }

  /** Halves get ids derived from the delivery's, so a redelivery splits into the same halves and the ledger moves once. */
  const splitPack = async (partition: number, pack: Pack, fault: Unstorable): Promise<Outcome> => {
    if (pack.events.length === 0 || (pack.events.length === 1 && pack.rejected.length === 0)) return isolate(partition, pack, fault)
    const middle = pack.events.length >> 1
    const halves = [
      { ...pack, deliveryId: uuidv5(pack.deliveryId, `to ${middle}`), events: pack.events.slice(0, middle) },
      { ...pack, deliveryId: uuidv5(pack.deliveryId, `from ${middle}`), events: pack.events.slice(middle), rejected: [] },
    ]
    const placed: (Appended | null)[] = []
    for (const half of halves) {
      const [outcome] = await store(partition, [half])
      if (outcome === undefined || 'error' in outcome) return outcome ?? { error: fault }
      placed.push(...outcome.placed)
    }
    return { placed }
  }

  const isolate = async (partition: number, pack: Pack, fault: Unstorable): Promise<Outcome> => {
    const [event] = pack.events
    if (event === undefined || fault.defect) return { error: fault.cause }
    const { eventId, appId, data } = event
    logger.error('an event that the store cannot hold goes to quarantine', { eventId, appId, error: fault.cause })
    const rejected = { appId, code: 'not_storable', detail: reason(fault.cause), body: data.slice(0, BODY_CHARS) }
    try {
      await persist(partition, [{ ...pack, deliveryId: uuidv5(pack.deliveryId, 'not storable'), events: [], rejected: [rejected] }])
      return { placed: [null] }
    } catch (error) {
      return { error: error instanceof Unstorable ? error.cause : error }
    }
  }

  const persist = async (partition: number, packs: readonly Pack[]): Promise<readonly Placed[]> => {
    const deadline = options.giveUpMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + options.giveUpMs
    try {
      const placed = await retry(() => log.append({ partition, packs }), {
        firstPauseMs: FIRST_PAUSE_MS,
        maxPauseMs: MAX_PAUSE_MS,
        signal: stop.signal,
        retryable: (error) => log.classify(error) === 'transient' && Date.now() < deadline,
        onRetry: (error, tries) => {
          away.add(partition)
          if (tries === 1 || tries % 30 === 0) logger.warn('the log does not take events; trying again', { partition, tries, error })
        },
      })
      away.delete(partition)
      return placed
    } catch (error) {
      const fault = stop.signal.aborted ? 'transient' : log.classify(error)
      if (fault === 'transient') throw error
      away.delete(partition)
      throw new Unstorable(error, fault === 'defect')
    }
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

/** Boxed, so that one pack's failure is its own and not that of the packs it travelled with. */
type Outcome = { readonly placed: Placed } | { readonly error: unknown }

/** Trying the same statement again gives the same error. */
class Unstorable extends Error {
  constructor(
    override readonly cause: unknown,
    readonly defect: boolean,
  ) {
    super('cannot be stored')
    this.name = 'Unstorable'
  }
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, DETAIL_CHARS)
}
