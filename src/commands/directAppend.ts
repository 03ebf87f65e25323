// Appends by this process itself, without a queue between: a store that is away is waited for a little, then the caller is
// told to try again. Ids make a second append of the same events safe.
import { Problem } from '../errors.ts'
import { type Append, type Appended, type EventLog, VersionConflict } from '../events/eventLog.ts'
import { retry } from '../kernel/retry.ts'
import { LIMITS } from '../limits.ts'

type Places = readonly (readonly Appended[])[]
type Log = Pick<EventLog, 'append' | 'classify'>

/** Throws VersionConflict, Problem `unavailable`, or what no retry mends. */
export async function appendDirectly(log: Log, append: Append): Promise<Places> {
  try {
    return await appendRetrying(log, append, LIMITS.directAppendMs)
  } catch (error) {
    if (error instanceof VersionConflict || log.classify(error) !== 'transient') throw error
    throw new Problem('unavailable', undefined, { retryAfterSeconds: 2, cause: error })
  }
}

export function appendRetrying(log: Log, append: Append, forMs: number): Promise<Places> {
  // Of a clock that nobody sets: a jump must not keep the caller waiting.
  const deadline = performance.now() + forMs
  return retry(() => log.append(append), {
    maxPauseMs: 250,
    retryable: (error) => !(error instanceof VersionConflict) && log.classify(error) === 'transient' && performance.now() < deadline,
  })
}
