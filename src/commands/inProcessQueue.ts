// The way into the log without Redis: requests that arrive together are committed together, and each is answered after the
// commit, so an acknowledged event is in the log.
import { Problem } from '../errors.ts'
import type { EventLog, Pack } from '../events/eventLog.ts'
import { readNothingQueued } from '../events/ledger.ts'
import { CoalescerClosed } from '../kernel/coalescer.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import type { WatchedQueue } from './appendQueue.ts'
import { createLogAppender } from './logAppender.ts'
import type { Placed } from './packStore.ts'
import { createParcelPacker } from './parcelPacker.ts'

export function createInProcessQueue(options: {
  readonly log: EventLog
  readonly appendMaxEvents: number
  readonly appendMaxWaitMs: number
  readonly logger: Logger
}): WatchedQueue {
  const { log, appendMaxEvents, logger } = options
  const appender = createLogAppender({ log, logger, maxEvents: appendMaxEvents, maxWaitMs: 0, giveUpMs: LIMITS.directAppendMs })
  // One pack at a time: what arrives during a commit makes the next one. Waiting for more on top would only add latency.
  const packer = createParcelPacker({ handOver, maxEvents: appendMaxEvents, maxInFlight: 1 })

  async function handOver(pack: Pack): Promise<Placed> {
    try {
      return await appender.append(pack)
    } catch (error) {
      throw asProblem(error, log)
    }
  }
  return {
    append: (parcel) => packer.add(parcel),
    appendStored: (parcel) => packer.add(parcel),
    appendControl: (append) => log.append(append),
    depth: () => Promise.resolve({ packs: 0, pendingBytes: packer.pendingBytes() }),
    queued: readNothingQueued,
    close: async () => {
      await packer.close()
      await appender.close()
    },
  }
}

/** What a client is told when the log did not take its events; a defect stays what it is. */
export function asProblem(error: unknown, log: Pick<EventLog, 'classify'>): unknown {
  if (error instanceof Problem) return error
  if (error instanceof CoalescerClosed || log.classify(error) === 'transient') {
    return new Problem('unavailable', undefined, { retryAfterSeconds: 1, cause: error })
  }
  return error
}
