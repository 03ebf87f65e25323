// Read your writes: waits, within a bound, until a given event is counted by a projection.
import { setTimeout as pause } from 'node:timers/promises'
import { Problem } from '../errors.ts'
import type { EventLog } from '../events/eventLog.ts'
import type { Database } from '../kernel/database.ts'
import { isUuid } from '../kernel/ids.ts'
import { LIMITS } from '../limits.ts'
import { readPlace } from './place.ts'

const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 100

interface Deps {
  readonly database: Database
  readonly log: EventLog
}

export type EventWait = (projection: string, appId: string, eventId: string) => Promise<void>

/** The event may still be on its way into the log. Throws Problem `not_counted_yet` or `invalid_parameter`. */
export function createEventWait({ database, log }: Deps, waitMs: number = LIMITS.waitForEventMs): EventWait {
  return async (projection, appId, given) => {
    const eventId = given.toLowerCase()
    if (!isUuid(eventId)) {
      throw new Problem('invalid_parameter', undefined, { errors: [{ path: 'after', detail: 'is no event id as /collect answers it' }] })
    }
    const partition = log.partitionOf(appId)
    // Of a clock that nobody sets: a jump must not keep the caller waiting.
    const untilMs = performance.now() + waitMs
    let position: number | undefined
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      position ??= (await log.find(appId, eventId))?.position
      if (position !== undefined) {
        const place = await database.snapshot((trx) => readPlace(trx, projection, partition, appId))
        if (place.position >= position) return
      }
      if (performance.now() + pauseMs > untilMs) throw new Problem('not_counted_yet')
      await pause(pauseMs)
    }
  }
}
