// What a range is compared with. Where it is cut at local midnights, so is the other one, by dates: a day on which clocks
// change is no reason to compare with 23 hours.
import { DAY_MS, localDays, type LocalDays } from '../kernel/calendar.ts'
import type { Range } from './query.ts'
import type { Comparison } from './statsParameters.ts'

export function comparedRange(range: Range, compare: Comparison): Range {
  const zone = localDays(range.timezone)
  const { fromMs, toMs, timezone } = range
  if (compare === 'year') {
    const from = yearBefore(zone, fromMs, 28)
    const to = yearBefore(zone, toMs, isMidnight(zone, toMs) ? 29 : 28)
    return { fromMs: from, toMs: to > from ? to : from + (toMs - fromMs), timezone }
  }
  if (!isMidnight(zone, fromMs) || !isMidnight(zone, toMs)) return { fromMs: fromMs - (toMs - fromMs), toMs: fromMs, timezone }
  const first = zone.at(fromMs).day
  const days = zone.at(toMs).day - first
  return { fromMs: zone.startMs(first - days), toMs: fromMs, timezone }
}

function isMidnight(zone: LocalDays, atMs: number): boolean {
  return zone.at(atMs).fromMs === atMs
}

/** The same local date and time a year earlier. 29 February starts where `leap` says: a range never becomes empty by it. */
function yearBefore(zone: LocalDays, atMs: number, leap: 28 | 29): number {
  const day = zone.at(atMs)
  const date = new Date(day.day * DAY_MS)
  const [month, dayOfMonth] = [date.getUTCMonth(), date.getUTCDate()]
  // The 29th of a February that has none is the first of March.
  const before = Date.UTC(date.getUTCFullYear() - 1, month, month === 1 && dayOfMonth === 29 ? leap : dayOfMonth)
  if (day.fromMs === atMs) return zone.startMs(before / DAY_MS)
  return zone.instantOf(before + atMs + zone.offsetMs(atMs) - day.day * DAY_MS)
}
