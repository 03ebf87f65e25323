import assert from 'node:assert/strict'
import fc from 'fast-check'
import { dayNumber, LocalDays } from '../../../src/kernel/calendar.ts'

const ZONES = ['UTC', 'Asia/Kathmandu', 'Pacific/Apia', 'America/New_York', 'America/St_Johns', 'America/Sao_Paulo', 'Africa/Monrovia', 'Pacific/Kiritimati', 'Australia/Lord_Howe', 'Asia/Beirut']

/** Independent of the code under test: the date that Intl prints. */
function dateAt(timezone: string, atMs: number): number {
  const [month, day, year] = new Intl.DateTimeFormat('en-US', { timeZone: timezone, year: 'numeric', month: 'numeric', day: 'numeric' }).format(atMs).split('/').map(Number)
  return Date.UTC(year!, month! - 1, day) / 86_400_000
}

describe('the days of a zone', () => {
  it('hold every instant, tile time, and start at the first instant of their date', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), fc.integer({ min: 86_400, max: 2_000_000_000 }), (timezone, second) => {
        const zone = new LocalDays(timezone)
        const atMs = second * 1_000
        const day = zone.at(atMs)
        assert.ok(day.fromMs <= atMs && atMs < day.toMs)
        assert.ok(dateAt(timezone, day.fromMs) === day.day && dateAt(timezone, day.fromMs - 1) < day.day)
        // Where clocks went back over midnight the earlier date shows again; the day has begun nevertheless.
        assert.ok(dateAt(timezone, atMs) === day.day || dateAt(timezone, atMs) === day.day - 1)
        assert.equal(zone.at(day.toMs).fromMs, day.toMs)
        assert.deepEqual(zone.of(day.day), day)
      }),
      { numRuns: 400 },
    )
  })

  const hours = (timezone: string, year: number, month: number, day: number): number => {
    const { fromMs, toMs } = new LocalDays(timezone).of(dayNumber(year, month, day)!)
    return (toMs - fromMs) / 3_600_000
  }

  it('have 23 and 25 hours around a change of clocks, 24.5 where it is half an hour', () => {
    assert.equal(hours('America/New_York', 2024, 3, 10), 23)
    assert.equal(hours('America/New_York', 2024, 11, 3), 25)
    assert.equal(hours('Australia/Lord_Howe', 2024, 4, 7), 24.5)
  })

  it('start at one o\'clock where midnight does not exist', () => {
    const day = new LocalDays('America/Sao_Paulo').of(dayNumber(2018, 11, 4)!)
    assert.equal(new Date(day.fromMs).toISOString(), '2018-11-04T03:00:00.000Z')
    assert.equal((day.toMs - day.fromMs) / 3_600_000, 23)
  })

  it('begin once where clocks went back one minute after midnight', () => {
    const day = new LocalDays('America/St_Johns').of(dayNumber(2010, 11, 7)!)
    assert.equal(new Date(day.fromMs).toISOString(), '2010-11-07T02:30:00.000Z')
    assert.equal((day.toMs - day.fromMs) / 3_600_000, 25)
  })

  it('leave out the date that Apia skipped', () => {
    const zone = new LocalDays('Pacific/Apia')
    const thursday = zone.of(dayNumber(2011, 12, 29)!)
    assert.equal(zone.at(thursday.toMs).day, dayNumber(2011, 12, 31))
    assert.deepEqual(zone.of(dayNumber(2011, 12, 30)!), zone.of(dayNumber(2011, 12, 31)!))
  })

  it('turn local times into instants: the earlier of two, the first after a gap', () => {
    const zone = new LocalDays('America/New_York')
    const instant = (text: string): string => new Date(zone.instantOf(Date.parse(`${text}Z`))).toISOString()
    assert.equal(instant('2024-11-03T01:30:00'), '2024-11-03T05:30:00.000Z')
    assert.equal(instant('2024-03-10T02:30:00'), '2024-03-10T07:00:00.000Z')
    assert.equal(instant('2024-07-01T00:00:00'), '2024-07-01T04:00:00.000Z')
    assert.equal(new LocalDays('Asia/Kathmandu').instantOf(Date.UTC(2024, 0, 1)), Date.parse('2023-12-31T18:15:00Z'))
  })

  it('know no impossible date and no unknown zone', () => {
    assert.equal(dayNumber(2023, 2, 29), undefined)
    assert.throws(() => new LocalDays('Mars/Olympus'), RangeError)
  })
})
