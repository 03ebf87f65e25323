import assert from 'node:assert/strict'
import fc from 'fast-check'
import { localDays } from '../../../src/kernel/calendar.ts'
import { LIMITS } from '../../../src/limits.ts'
import { type Span, spanAt, spansOf } from '../../../src/queries/intervals.ts'
import { type Interval, INTERVALS } from '../../../src/queries/stats.ts'

const HOUR_MS = 3_600_000

function cut(timezone: string, interval: Interval, from: string, to: string): Span[] {
  return spansOf({ fromMs: Date.parse(from), toMs: Date.parse(to), timezone }, interval)
}

const starts = (spans: readonly Span[]): string[] => spans.map(({ atMs }) => new Date(atMs).toISOString())
const hours = (spans: readonly Span[]): number[] => spans.map(({ fromMs, toMs }) => (toMs - fromMs) / HOUR_MS)

describe('the intervals of a range', () => {
  it('are 23 and 25 hours on the days on which clocks change, each hour once as it is shown', () => {
    const spring = cut('Europe/Berlin', 'hour', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z')
    assert.deepEqual([spring.length, new Set(hours(spring)).size], [23, 1])
    const autumn = cut('Europe/Berlin', 'hour', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z')
    assert.deepEqual([autumn.length, starts(autumn)[2], starts(autumn)[3]], [25, '2026-10-25T00:00:00.000Z', '2026-10-25T01:00:00.000Z'])
  })

  it('start where local clocks show a whole hour, 45 minutes past in Kathmandu', () => {
    const spans = cut('Asia/Kathmandu', 'hour', '2026-11-21T18:15:00Z', '2026-11-21T20:00:00Z')
    assert.deepEqual(starts(spans), ['2026-11-21T18:15:00.000Z', '2026-11-21T19:15:00.000Z'])
    assert.deepEqual(hours(spans), [1, 0.75])
  })

  it('are cut short where clocks move by half an hour', () => {
    const spans = cut('Australia/Lord_Howe', 'hour', '2026-04-04T13:00:00Z', '2026-04-04T17:30:00Z')
    assert.deepEqual(hours(spans), [1, 1, 0.5, 1, 1])
  })

  it('go on after a date that was skipped', () => {
    const spans = cut('Pacific/Apia', 'day', '2011-12-28T10:00:00Z', '2011-12-31T10:00:00Z')
    assert.deepEqual(starts(spans), ['2011-12-28T10:00:00.000Z', '2011-12-29T10:00:00.000Z', '2011-12-30T10:00:00.000Z'])
    assert.deepEqual(hours(cut('Pacific/Apia', 'week', '2011-12-26T10:00:00Z', '2012-01-01T10:00:00Z')), [144])
  })

  it('are weeks from Monday and months from the first, the first of which may begin before the range', () => {
    assert.deepEqual(starts(cut('UTC', 'week', '2026-11-22T00:00:00Z', '2026-11-24T00:00:00Z')), ['2026-11-16T00:00:00.000Z', '2026-11-23T00:00:00.000Z'])
    assert.deepEqual(starts(cut('UTC', 'week', '1969-12-29T00:00:00Z', '1970-01-05T00:00:00Z')), ['1969-12-29T00:00:00.000Z'])
    assert.deepEqual(starts(cut('America/New_York', 'month', '2026-02-28T12:00:00Z', '2026-04-01T04:00:01Z')), ['2026-02-01T05:00:00.000Z', '2026-03-01T05:00:00.000Z', '2026-04-01T04:00:00.000Z'])
  })

  it('show local minutes where a zone is seconds away from them', () => {
    const spans = cut('Africa/Monrovia', 'minute', '1971-06-01T00:00:00Z', '1971-06-01T00:02:00Z')
    assert.deepEqual(starts(spans), ['1971-05-31T23:59:30.000Z', '1971-06-01T00:00:30.000Z', '1971-06-01T00:01:30.000Z'])
  })

  it('tile the range, whatever the zone, and each instant is found in its own', () => {
    const zones = ['UTC', 'Asia/Kathmandu', 'Pacific/Apia', 'America/St_Johns', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'Africa/Monrovia']
    const range = { zone: fc.constantFrom(...zones), interval: fc.constantFrom(...INTERVALS), second: fc.integer({ min: 86_400, max: 1_900_000_000 }), length: fc.integer({ min: 1, max: 4_000_000 }) }
    fc.assert(
      fc.property(fc.record(range), ({ zone, interval, second, length }) => {
        const fromMs = second * 1_000
        const toMs = fromMs + (interval === 'minute' ? length % 200_000 : length) * 1_000 + 1
        const spans = spansOf({ fromMs, toMs, timezone: zone }, interval)
        assert.deepEqual([spans[0]!.fromMs, spans.at(-1)!.toMs], [fromMs, toMs])
        for (const [at, span] of spans.entries()) {
          assert.ok(span.atMs <= span.fromMs && span.fromMs < span.toMs)
          if (at > 0) assert.deepEqual([span.fromMs, span.atMs], [spans[at - 1]!.toMs, spans[at - 1]!.toMs])
          assert.deepEqual([spanAt(spans, span.fromMs), spanAt(spans, span.toMs - 1)], [at, at])
          if (interval === 'hour') assert.equal(shownHour(zone, span.fromMs), shownHour(zone, span.toMs - 1))
          if (interval === 'day') assert.equal(localDays(zone).at(span.fromMs).fromMs, span.atMs)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('ask the zone a few times each, so that thousands of them keep nobody waiting', () => {
    const original = Object.getOwnPropertyDescriptor(Intl.DateTimeFormat.prototype, 'formatToParts')!.value as Intl.DateTimeFormat['formatToParts']
    let asked = 0
    Intl.DateTimeFormat.prototype.formatToParts = function (date) {
      asked += 1
      return original.call(this, date)
    }
    try {
      assert.equal(cut('America/Bogota', 'month', '1930-01-01T05:00:00Z', '2130-01-01T05:00:00Z').length, 2_400)
      assert.ok(asked < 2_400 * 8, `${asked} times for 2,400 months`)
    } finally {
      Intl.DateTimeFormat.prototype.formatToParts = original
    }
  })

  it('are refused where there are too many, with a word on what to do', () => {
    const to = new Date(LIMITS.timeseriesPoints * 60_000).toISOString()
    assert.equal(cut('UTC', 'minute', '1970-01-01T00:00:00Z', to).length, LIMITS.timeseriesPoints)
    assert.throws(() => cut('UTC', 'minute', '1969-12-31T23:59:59Z', to), { code: 'invalid_parameter', message: /5,000 points/ })
  })
})

const clocks = new Map<string, Intl.DateTimeFormat>()

/** Independent of the code under test: what Intl prints. */
function shownHour(timeZone: string, atMs: number): string {
  let clock = clocks.get(timeZone)
  if (clock === undefined) clocks.set(timeZone, (clock = new Intl.DateTimeFormat('en-US', { timeZone, year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', hourCycle: 'h23' })))
  return clock.format(atMs)
}
