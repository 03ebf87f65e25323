// Which way events take into the log: through Redis where there is one, else within the process. While a store is unsafe
// nothing is taken, because a 2xx would promise what the store cannot keep.
import type { WatchedQueue } from './commands/appendQueue.ts'
import { startAppendWorker } from './commands/appendWorker.ts'
import { createBullQueue } from './commands/bullQueue.ts'
import { createInProcessQueue } from './commands/inProcessQueue.ts'
import type { Config } from './config.ts'
import { Problem } from './errors.ts'
import type { EventLog } from './events/eventLog.ts'
import type { Logger } from './kernel/logger.ts'
import type { Stores } from './stores.ts'

export function openQueue(config: Config, { log, faults }: Pick<Stores, 'log' | 'faults'>, logger: Logger): WatchedQueue {
  const { redisUrl, appendMaxEvents, appendMaxWaitMs } = config
  const queue =
    redisUrl === undefined
      ? createInProcessQueue({ log, appendMaxEvents, appendMaxWaitMs, logger })
      : createBullQueue({ redisUrl, log, appendMaxEvents, logger })
  const whenSafe = <T>(take: () => Promise<T>): Promise<T> => {
    if (faults().length === 0) return take()
    return Promise.reject(new Problem('unavailable', 'A store is not set up safely; the server log says which', { retryAfterSeconds: 5 }))
  }
  return {
    append: (parcel) => whenSafe(() => queue.append(parcel)),
    appendStored: (parcel) => whenSafe(() => queue.appendStored(parcel)),
    appendControl: (append) => queue.appendControl(append),
    depth: () => queue.depth(),
    queued: (partition) => queue.queued(partition),
    close: () => queue.close(),
  }
}

/** Takes what others queued into the log; without Redis there is nothing to take. */
export function startQueueWorker(config: Config, log: EventLog, logger: Logger): Promise<{ close(): Promise<void> }> {
  const { redisUrl, appendMaxEvents, appendMaxWaitMs } = config
  if (redisUrl === undefined) return Promise.resolve({ close: () => Promise.resolve() })
  return startAppendWorker({ redisUrl, log, appendMaxEvents, appendMaxWaitMs, logger })
}
