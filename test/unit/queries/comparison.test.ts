// What a range is compared with: by dates where it is cut at local midnights, by length otherwise, never empty.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { comparedRange } from '../../../src/queries/comparison.ts'
import { resolveRange } from '../../../src/queries/range.ts'

function compared(compare: 'previous' | 'year', from: string, to: string, timezone = 'UTC'): string {
  const { fromMs, toMs } = comparedRange(resolveRange({ from, to }, timezone, 0)!, compare)
  return `${new Date(fromMs).toISOString()} ${new Date(toMs).toISOString()}`
}

describe('a comparison', () => {
  it('with the range before counts local days, although clocks change', () => {
    // Clocks went forward on 29 March 2026: that day has 23 hours, the day before 24.
    assert.equal(compared('previous', '2026-03-29', '2026-03-30', 'Europe/Berlin'), '2026-03-27T23:00:00.000Z 2026-03-28T23:00:00.000Z')
    assert.equal(compared('previous', '2026-11-01', '2026-12-01'), '2026-10-02T00:00:00.000Z 2026-11-01T00:00:00.000Z')
  })

  it('with the range before has the same length where bounds are no midnights', () => {
    assert.equal(compared('previous', '2026-11-10T10:00', '2026-11-10T12:30', 'Asia/Kathmandu'), '2026-11-10T01:45:00.000Z 2026-11-10T04:15:00.000Z')
  })

  it('with the year before takes the same local dates, and finds something for 29 February', () => {
    assert.equal(compared('year', '2026-03-29', '2026-03-30', 'Europe/Berlin'), '2025-03-28T23:00:00.000Z 2025-03-29T23:00:00.000Z')
    assert.equal(compared('year', '2026-07-01T09:00', '2026-07-01T10:00', 'Europe/Berlin'), '2025-07-01T07:00:00.000Z 2025-07-01T08:00:00.000Z')
    const last = '2023-02-28T00:00:00.000Z 2023-03-01T00:00:00.000Z'
    assert.equal(compared('year', '2024-02-28', '2024-02-29'), last)
    assert.equal(compared('year', '2024-02-29', '2024-03-01'), last)
    assert.equal(compared('year', '2024-02-27', '2024-02-29'), '2023-02-27T00:00:00.000Z 2023-03-01T00:00:00.000Z')
    assert.equal(compared('year', '2024-02-01', '2024-03-01'), '2023-02-01T00:00:00.000Z 2023-03-01T00:00:00.000Z')
  })

  it('is never empty, and the range before always ends where the range begins', () => {
    const instant = fc.integer({ min: Date.parse('2010-01-01'), max: Date.parse('2030-01-01') })
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'Pacific/Apia', 'America/Sao_Paulo')
    fc.assert(
      fc.property(instant, fc.integer({ min: 1, max: 400 * 86_400_000 }), zone, (fromMs, lengthMs, timezone) => {
        const range = { fromMs, toMs: fromMs + lengthMs, timezone }
        const [previous, year] = [comparedRange(range, 'previous'), comparedRange(range, 'year')]
        assert.ok(previous.fromMs < previous.toMs && year.fromMs < year.toMs)
        assert.equal(previous.toMs, fromMs)
      }),
    )
  })
})
