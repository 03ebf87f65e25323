// Puts exported events back as they are: same ids, same bytes, no second reduction. Streams (apps, keys, settings) must
// continue exactly where the store stands, because two histories of one app cannot be merged line by line.
import { compile } from '../kernel/validation.ts'
import { CATALOGUE } from '../events/catalogue.ts'
import { eventCollected } from '../events/eventCollected.ts'
import { eventCorrected } from '../events/eventCorrected.ts'
import { eventRetracted } from '../events/eventRetracted.ts'
import type { EventLog, NewEvent } from '../events/eventLog.ts'
import type { ExportedEvent } from './exportLine.ts'

/** These say where in its partition the event is that they are about. */
const NAMES_POSITIONS: ReadonlySet<string> = new Set([eventCorrected.type, eventRetracted.type])

/** Where an exported event goes; 'skip' where it has no place; else what is wrong in words. */
export type Restored = { readonly partition: number; readonly event: NewEvent } | 'skip' | { readonly reason: string }

export interface Restorer {
  place(event: ExportedEvent): Promise<Restored>
}

/** With `appId` only collected events are taken, and they become that app's: its settings and keys are its own. */
export function createRestorer(log: EventLog, appId: string | undefined): Restorer {
  const streams = new Map<string, { version: number; readonly ids: Set<string> }>()

  const inStream = async (partition: number, event: ExportedEvent, stream: string): Promise<Restored> => {
    const key = `${partition} ${stream}`
    let known = streams.get(key)
    if (known === undefined) {
      const stored = await log.readStream(partition, stream)
      known = { version: stored.length, ids: new Set(stored.map(({ eventId }) => eventId)) }
      streams.set(key, known)
    }
    const { streamVersion } = event
    if (known.ids.has(event.eventId)) return { partition, event }
    if (streamVersion !== known.version + 1) {
      return { reason: `${stream} has another history in this store (version ${known.version} there, ${streamVersion ?? 'none'} here)` }
    }
    known.version += 1
    known.ids.add(event.eventId)
    return { partition, event }
  }

  return {
    async place(event) {
      const type = CATALOGUE.get(event.type)
      if (type === undefined || event.schemaVersion > type.schemaVersion) {
        return { reason: `is an event of type ${event.type} version ${event.schemaVersion}, which this program does not know` }
      }
      if (appId !== undefined && event.type !== eventCollected.type) return 'skip'
      if (event.partition !== 0) {
        const partition = log.partitionOf(appId ?? event.appId)
        if (NAMES_POSITIONS.has(event.type) && partition !== event.partition) {
          return { reason: `is a ${event.type}, which names positions: restore into a store with as many partitions (PARTITIONS) as this file's` }
        }
        if (event.stream !== undefined) return inStream(partition, event, event.stream)
        return { partition, event: appId === undefined ? event : { ...event, appId } }
      }
      if (event.stream === undefined) return { reason: `is a ${event.type} outside any stream` }
      // The keyring stops at control data that it cannot fold; a damaged file must not get that far.
      const fault = faultOf(event)
      return fault === undefined ? inStream(0, event, event.stream) : { reason: fault }
    },
  }
}

function faultOf(event: ExportedEvent): string | undefined {
  const type = CATALOGUE.get(event.type)!
  if (event.schemaVersion !== type.schemaVersion || event.data === 'null') return undefined
  let data: unknown
  try {
    data = JSON.parse(event.data)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return `is a ${event.type} whose data is not JSON`
  }
  const [fault] = compile(type.schema)(data)
  return fault === undefined ? undefined : `is a ${event.type} whose data is wrong: ${fault.path} ${fault.detail}`
}
