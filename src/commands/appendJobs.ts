// What a job of the append queue looks like and where it lies in Redis: one queue per partition, hash-tagged, so that a
// Redis Cluster spreads partitions over nodes while each queue stays whole. What many events of a pack share is said once.
import type { NewEvent, Pack, RejectedEvent } from '../events/eventLog.ts'
import { isUuid } from '../kernel/ids.ts'

export const APPEND_QUEUE = 'append'
export const CONTROL_QUEUE = 'control'
export const CONTROL_PREFIX = '{recount:control}'
/** Old events of BullMQ's own stream serve nobody. */
export const STREAM_ENTRIES = 100

export function appendPrefix(partition: number): string {
  return `{recount:p${partition}}`
}

type Kind = readonly [appId: string, type: string, schemaVersion: number, meta: string | null]

export interface PackJob {
  readonly v: 1
  readonly partition: number
  readonly receivedAt: number
  readonly kinds: readonly Kind[]
  readonly events: readonly (readonly [kind: number, eventId: string, occurredAt: number, data: string])[]
  readonly rejected: readonly RejectedEvent[]
}

export function encodePack(pack: Pack): PackJob {
  const kinds: Kind[] = []
  let last: NewEvent | undefined
  let kind = -1
  const events = pack.events.map((event) => {
    if (last === undefined || !sameKind(last, event)) {
      kind = kinds.findIndex(([appId, type, version, meta]) =>
        sameKind(event, { appId, type, schemaVersion: version, meta }),
      )
      if (kind < 0) kind = kinds.push([event.appId, event.type, event.schemaVersion, event.meta]) - 1
    }
    last = event
    return [kind, event.eventId, event.occurredAt, event.data] as const
  })
  return { v: 1, partition: pack.partition, receivedAt: pack.receivedAt, kinds, events, rejected: pack.rejected }
}

/** Throws on a job that this program did not write: it is kept as failed and looked at by a person. */
export function decodePack(deliveryId: string, job: PackJob): Pack {
  if ((job.v as number) !== 1 || !isUuid(deliveryId)) throw new TypeError(`job ${deliveryId} has an unknown form`)
  const events = job.events.map(([kind, eventId, occurredAt, data]): NewEvent => {
    const [appId, type, schemaVersion, meta] = job.kinds[kind]!
    return { eventId, appId, type, schemaVersion, occurredAt, data, meta }
  })
  return { deliveryId, partition: job.partition, receivedAt: job.receivedAt, events, rejected: job.rejected }
}

type Shared = Pick<NewEvent, 'appId' | 'type' | 'schemaVersion' | 'meta'>

function sameKind(left: Shared, right: Shared): boolean {
  return (
    left.appId === right.appId &&
    left.meta === right.meta &&
    left.type === right.type &&
    left.schemaVersion === right.schemaVersion
  )
}
