// The log as a fold may read it again: by position, and one app from its beginning.
import type { EventLog } from '../events/eventLog.ts'
import { LIMITS } from '../limits.ts'
import { FoldingEvent } from './foldingEvent.ts'
import type { EventReader } from './projection.ts'

export function eventReader(log: Pick<EventLog, 'readAt' | 'readApp'>, partition: number): EventReader {
  return {
    async at(positions) {
      const found = await log.readAt(partition, positions)
      return new Map(found.map((event) => [event.position, new FoldingEvent(event)]))
    },
    async *scan(appId, upTo) {
      for (let after = 0; after < upTo; ) {
        const page = (await log.readApp(appId, after, LIMITS.readPageEvents)).filter(({ position }) => position <= upTo)
        if (page.length === 0) return
        after = page.at(-1)!.position
        yield page.map((event) => new FoldingEvent(event))
      }
    },
  }
}
