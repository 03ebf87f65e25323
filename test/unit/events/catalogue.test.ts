// Stored bytes keep the shape they were written in; a reader sees the newest.
import assert from 'node:assert/strict'
import { CATALOGUE, decode, decodeData } from '../../../src/events/catalogue.ts'
import type { StoredEvent } from '../../../src/events/eventLog.ts'
import { eventType } from '../../../src/events/eventType.ts'

const renamed = eventType<{ full: string; length: number }>('Renamed', {}, [
  ({ name }: { name: string }) => ({ full: name }),
  ({ full }: { full: string }) => ({ full, length: full.length }),
])
const catalogue = new Map([...CATALOGUE, [renamed.type, renamed]])

describe('decoding stored events', () => {
  it('brings each older version up to the newest, step by step', () => {
    assert.equal(renamed.schemaVersion, 3)
    const versions = ['{"name":"Ann"}', '{"full":"Ann"}', '{"full":"Ann","length":3}']
    versions.forEach((data, index) => {
      assert.deepEqual(decodeData({ type: 'Renamed', schemaVersion: index + 1, data }, catalogue), { full: 'Ann', length: 3 })
    })
  })

  it('refuses types and versions that this program does not know, and data that is not JSON', () => {
    assert.throws(() => decodeData({ type: 'Renamed', schemaVersion: 4, data: '{}' }, catalogue), /newer than this program/)
    assert.throws(() => decodeData({ type: 'Unheard', schemaVersion: 1, data: '{}' }), /unknown event type/)
    assert.throws(() => decodeData({ type: 'EventCollected', schemaVersion: 1, data: '{' }), SyntaxError)
  })

  it('keeps everything else of the event, and null where redaction removed the data', () => {
    const stored: StoredEvent = {
      partition: 1, position: 2, eventId: 'e', appId: 'a', type: 'EventCollected', schemaVersion: 1, occurredAt: 3, recordedAt: 4,
      stream: null, streamVersion: null, meta: '{}', data: '{"event":"x"}',
    }
    const decoded = decode(stored)
    assert.deepEqual([decoded.eventId, decoded.appId, decoded.position, decoded.recordedAt, decoded.data], ['e', 'a', 2, 4, { event: 'x' }])
    assert.equal(decode({ ...stored, data: null }).data, null)
  })
})
