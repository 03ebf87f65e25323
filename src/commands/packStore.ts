// Stores packs whatever is in them: a store that is away is waited for, and where the store refuses the data the packs are
// halved until the offending event stands alone and goes to quarantine, so no event holds up its neighbours.
import type { Appended, EventLog, Pack } from '../events/eventLog.ts'
import { uuidv5 } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import { retry } from '../kernel/retry.ts'
import { LIMITS } from '../limits.ts'

/** One entry per event of the pack; null for an event that went to quarantine because the store cannot hold it. */
export type Placed = readonly (Appended | null)[]

/** Boxed, so that one pack's failure is its own and not that of the packs it travelled with. */
export type Outcome = { readonly placed: Placed } | { readonly error: unknown }

export interface PackStoreOptions {
  readonly log: EventLog
  readonly logger: Logger
  /** How long a store may be away before the packs are handed back; for ever unless given. */
  readonly giveUpMs?: number
  readonly signal: AbortSignal
  /** Partitions whose last try failed because the store is away. */
  readonly away: Set<number>
}

export type PackStore = (partition: number, packs: readonly Pack[]) => Promise<readonly Outcome[]>

const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 1_000
const DETAIL_CHARS = 500
const BODY_CHARS = LIMITS.metadataBytes / 4

export function createPackStore(options: PackStoreOptions): PackStore {
  const store = async (partition: number, packs: readonly Pack[]): Promise<readonly Outcome[]> => {
    try {
      return (await persist(options, partition, packs)).map((placed) => ({ placed }))
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
    options.logger.error('an event that the store cannot hold goes to quarantine', { eventId, appId, error: fault.cause })
    const rejected = { appId, code: 'not_storable', detail: reason(fault.cause), body: data.slice(0, BODY_CHARS) }
    try {
      await persist(options, partition, [{ ...pack, deliveryId: uuidv5(pack.deliveryId, 'not storable'), events: [], rejected: [rejected] }])
      return { placed: [null] }
    } catch (error) {
      return { error: error instanceof Unstorable ? error.cause : error }
    }
  }

  return store
}

async function persist(options: PackStoreOptions, partition: number, packs: readonly Pack[]): Promise<readonly Placed[]> {
  const { log, logger, signal, away } = options
  // Of a clock that nobody sets: a jump must not keep those waiting who are to be answered.
  const deadline = options.giveUpMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.giveUpMs
  try {
    const placed = await retry(() => log.append({ partition, packs }), {
      firstPauseMs: FIRST_PAUSE_MS,
      maxPauseMs: MAX_PAUSE_MS,
      signal,
      retryable: (error) => log.classify(error) === 'transient' && performance.now() < deadline,
      onRetry: (error, tries) => {
        away.add(partition)
        if (tries === 1 || tries % 30 === 0) logger.warn('the log does not take events; trying again', { partition, tries, error })
      },
    })
    away.delete(partition)
    return placed
  } catch (error) {
    const fault = signal.aborted ? 'transient' : log.classify(error)
    if (fault === 'transient') throw error
    away.delete(partition)
    throw new Unstorable(error, fault === 'defect')
  }
}

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
