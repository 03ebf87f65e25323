// Local days by their ISO date, for whoever works with dates as text; the calendar does the cutting.
import { DAY_MS, localDays } from './calendar.ts'

export interface IsoDay {
  /** YYYY-MM-DD. */
  readonly day: string
  readonly startMs: number
  readonly endMs: number
}

export function localDay(timezone: string, atMs: number): IsoDay {
  const { day, fromMs, toMs } = localDays(timezone).at(atMs)
  return { day: new Date(day * DAY_MS).toISOString().slice(0, 10), startMs: fromMs, endMs: toMs }
}

/** The first instant at which clocks of the zone show this time (given as if it were UTC) or later. */
export function localToInstant(timezone: string, localMs: number): number {
  return localDays(timezone).instantOf(localMs)
}

/** True for a zone that this Node knows. */
export function isTimeZone(name: string): boolean {
  try {
    return localDays(name).timezone === name
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}
