// Instants as producers write them.
import assert from 'node:assert/strict'
import { parseInstant } from '../../../src/kernel/instants.ts'

const READ: [text: string, zone: string, iso: string | undefined][] = [
  ['2026-11-22T10:30:00Z', 'UTC', '2026-11-22T10:30:00.000Z'],
  ['2026-11-22T10:30Z', 'UTC', '2026-11-22T10:30:00.000Z'],
  ['2026-11-22T10:30:00.5Z', 'UTC', '2026-11-22T10:30:00.500Z'],
  ['2026-11-22T10:30:00.29Z', 'UTC', '2026-11-22T10:30:00.290Z'],
  ['2026-11-22T10:30:00.999999999Z', 'UTC', '2026-11-22T10:30:00.999Z'],
  ['2026-11-22T10:30:00+05:45', 'UTC', '2026-11-22T04:45:00.000Z'],
  ['2026-11-22T10:30:00-0330', 'UTC', '2026-11-22T14:00:00.000Z'],
  ['2026-11-22T10:30:00+01', 'UTC', '2026-11-22T09:30:00.000Z'],
  ['2026-11-22T10:30:00', 'Asia/Kathmandu', '2026-11-22T04:45:00.000Z'],
  ['2026-07-01T00:00:00', 'Europe/Berlin', '2026-06-30T22:00:00.000Z'],
  ['2026-03-29T02:30:00', 'Europe/Berlin', '2026-03-29T01:00:00.000Z'],
  ['2026-10-25T02:30:00', 'Europe/Berlin', '2026-10-25T00:30:00.000Z'],
  ['2026-11-22', 'America/New_York', '2026-11-22T05:00:00.000Z'],
  ['2024-02-29T00:00:00Z', 'UTC', '2024-02-29T00:00:00.000Z'],
  ['2026-02-29T00:00:00Z', 'UTC', undefined],
  ['2026-02-30T00:00:00Z', 'UTC', undefined],
  ['2026-13-01T00:00:00Z', 'UTC', undefined],
  ['2026-00-01T00:00:00Z', 'UTC', undefined],
  ['2026-11-22T24:00:00Z', 'UTC', undefined],
  ['2026-11-22T10:60:00Z', 'UTC', undefined],
  ['2026-11-22T10:30:60Z', 'UTC', undefined],
  ['2026-11-22T10:30:00+24:00', 'UTC', undefined],
  ['2026-11-22 10:30:00', 'UTC', undefined],
  ['22/11/2026', 'UTC', undefined],
  ['1700000000000', 'UTC', undefined],
  ['0026-11-22T10:30:00Z', 'UTC', undefined],
  ['2026-11-22T10:30:00Z ', 'UTC', undefined],
  ['', 'UTC', undefined],
]

describe('instants', () => {
  for (const [text, zone, iso] of READ) {
    it(`"${text}" in ${zone} is ${iso ?? 'refused'}`, () => {
      const at = parseInstant(text, zone)
      assert.equal(at === undefined ? undefined : new Date(at).toISOString(), iso)
    })
  }
})
