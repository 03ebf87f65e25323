// Parcels for tests of the way in.
import type { Parcel } from '../../src/commands/appendQueue.ts'
import type { NewEvent, Pack } from '../../src/events/eventLog.ts'
import { uuidv7 } from '../../src/kernel/ids.ts'

export const PARCEL_APP = '0190a0c2-0000-7000-8000-00000000000a'

export function newEvent(data: Record<string, unknown> = {}): NewEvent {
  return {
    eventId: uuidv7(),
    appId: PARCEL_APP,
    type: 'EventCollected',
    schemaVersion: 1,
    occurredAt: 1_700_000_000_000,
    data: JSON.stringify({ event: 'test', ...data }),
    meta: '{"keyId":"0190a0c2-0000-7000-8000-00000000000c"}',
  }
}

export function parcelOf(events: readonly NewEvent[], partition = 1): Parcel {
  return { partition, receivedAt: Date.now(), events, rejected: [] }
}

export function packOf(events: readonly NewEvent[], partition = 1): Pack {
  return { ...parcelOf(events, partition), deliveryId: uuidv7() }
}
