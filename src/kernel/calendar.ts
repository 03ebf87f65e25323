// Civil days of a time zone as instants. A day is the number of its date since 1 January 1970, starts at its first existing
// instant and ends where the next one starts, so days tile time without gap or overlap: clock changes at midnight, dates
// that were skipped and dates that seem to come back included. Answers are cached, because Intl costs microseconds.

export const DAY_MS = 86_400_000
const CACHED_DAYS = 40_000
/** The largest shift of a clock that one change of a zone has made: a whole day (Apia, Kwajalein, Manila). */
const SHIFT_MS = 26 * 3_600_000

export interface LocalDay {
  /** Days since 1970-01-01 of the local date. */
  readonly day: number
  /** First instant, epoch milliseconds. */
  readonly fromMs: number
  /** First instant of the next existing day. */
  readonly toMs: number
}

export class LocalDays {
  private readonly format: Intl.DateTimeFormat | undefined
  /** By UTC day: the local days that touch it, in order. */
  private readonly cache = new Map<number, readonly LocalDay[]>()
  private readonly starts = new Map<number, number>()

  /** Throws RangeError when the zone is unknown. */
  constructor(readonly timezone: string) {
    const fields = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const
    const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, calendar: 'gregory', hourCycle: 'h23', era: 'short', ...fields })
    this.format = /^(Etc\/)?(UTC|GMT|UCT|Zulu|Universal)$/.test(format.resolvedOptions().timeZone) ? undefined : format
  }

  /** Milliseconds that local time is ahead of UTC at an instant. */
  offsetMs(atMs: number): number {
    if (this.format === undefined) return 0
    const seconds = Math.floor(atMs / 1_000) * 1_000
    const part = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 }
    for (const { type, value } of this.format.formatToParts(seconds)) if (type in part) part[type as keyof typeof part] = Number(value)
    return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - seconds
  }

  /** The local day that an instant falls on. */
  at(atMs: number): LocalDay {
    const utcDay = Math.floor(atMs / DAY_MS)
    for (const day of this.around(utcDay)) if (atMs < day.toMs) return day
    throw new RangeError(`no local day at ${atMs} in ${this.timezone}`)
  }

  /** The day of a date, or the next one where the zone skipped that date. */
  of(day: number): LocalDay {
    return this.at(this.startMs(day))
  }

  /** The first instant whose local date is this one or a later one. */
  startMs(day: number): number {
    let atMs = this.starts.get(day)
    if (atMs === undefined) {
      if (this.starts.size >= CACHED_DAYS) this.starts.clear()
      this.starts.set(day, (atMs = this.instantOf(day * DAY_MS)))
    }
    return atMs
  }

  /**
   * The first instant at which local clocks show this time (milliseconds as if it were UTC) or later: the earlier of two
   * where clocks went back, the first after the gap where they went forward.
   */
  instantOf(localMs: number): number {
    if (this.format === undefined) return localMs
    const before = localMs - this.offsetMs(localMs - SHIFT_MS)
    const after = localMs - this.offsetMs(localMs + SHIFT_MS)
    const shown = (atMs: number): number => atMs + this.offsetMs(atMs)
    let low = Math.min(before, after) - 3_600_000
    while (shown(low) >= localMs) low -= 6 * 3_600_000
    // Local time may step back between low and high; walk in quarters of an hour to the first instant that qualifies.
    const stepMs = 900_000
    if (shown(before) === localMs && this.offsetMs(low) === this.offsetMs(before)) return before
    while (shown(low + stepMs) < localMs) low += stepMs
    let high = low + stepMs
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (shown(middle) >= localMs) high = middle
      else low = middle
    }
    return high
  }

  private around(utcDay: number): readonly LocalDay[] {
    const known = this.cache.get(utcDay)
    if (known !== undefined) return known
    if (this.cache.size >= CACHED_DAYS) this.cache.clear()
    const days: LocalDay[] = []
    // Local dates lie within a day of the UTC date, two where a zone sat on the other side of the date line.
    let start = { day: utcDay - 2, atMs: this.startMs(utcDay - 2) }
    for (let day = utcDay - 1; day <= utcDay + 3; day++) {
      const atMs = this.startMs(day)
      if (atMs === start.atMs) start = { day, atMs }
      if (atMs <= start.atMs) continue
      if (atMs > utcDay * DAY_MS && start.atMs < (utcDay + 1) * DAY_MS) days.push({ day: start.day, fromMs: start.atMs, toMs: atMs })
      start = { day, atMs }
    }
    this.cache.set(utcDay, days)
    return days
  }
}

const zones = new Map<string, LocalDays>()

/** The shared calendar of a zone; there are only some 600 names. */
export function localDays(timezone: string): LocalDays {
  let zone = zones.get(timezone)
  if (zone === undefined) zones.set(timezone, (zone = new LocalDays(timezone)))
  return zone
}

/** Days since 1970 of a date's parts; undefined for a date that no calendar has. */
export function dayNumber(year: number, month: number, day: number): number | undefined {
  const ms = Date.UTC(year, month - 1, day)
  const date = new Date(ms)
  const real = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return real ? ms / DAY_MS : undefined
}
