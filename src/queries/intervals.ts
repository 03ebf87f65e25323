// Cuts a range into local minutes, hours, days, weeks or months: what a point of a time series spans. Intervals tile time
// without gap or overlap. Hours and minutes are those that local clocks show: an hour that is shown twice is two intervals, and
// one that a change of clocks cuts short is shorter. Weeks start on Monday.
import { Problem } from '../errors.ts'
import { DAY_MS, type LocalDay, localDays, type LocalDays } from '../kernel/calendar.ts'
import { LIMITS } from '../limits.ts'
import type { Range } from './query.ts'
import type { Interval } from './stats.ts'

export interface Span {
  /** First instant of the interval, epoch milliseconds; may lie before the range. */
  readonly atMs: number
  /** The part of it that lies in the range: the whole of it but for the first and the last. */
  readonly fromMs: number
  readonly toMs: number
}

/** All intervals of a range, in order. Throws Problem `invalid_parameter` where there are more than LIMITS.timeseriesPoints. */
export function spansOf({ fromMs, toMs, timezone }: Range, interval: Interval): Span[] {
  const spans: Span[] = []
  for (const [startMs, endMs] of intervalsFrom(localDays(timezone), interval, fromMs)) {
    if (spans.length === LIMITS.timeseriesPoints) throw tooMany(interval)
    spans.push({ atMs: startMs, fromMs: Math.max(startMs, fromMs), toMs: Math.min(endMs, toMs) })
    if (endMs >= toMs) break
  }
  return spans
}

/** Index of the span that an instant lies in; the instant lies in the range that was cut. */
export function spanAt(spans: readonly Span[], atMs: number): number {
  let low = 0
  let high = spans.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (spans[middle]!.fromMs <= atMs) low = middle
    else high = middle - 1
  }
  return low
}

type Bounds = readonly [startMs: number, endMs: number]

/** Starting with the interval that holds the instant; endless. */
function intervalsFrom(zone: LocalDays, interval: Interval, atMs: number): Generator<Bounds> {
  switch (interval) {
    case 'minute':
      return partsOfDays(zone, 60_000, atMs)
    case 'hour':
      return partsOfDays(zone, 3_600_000, atMs)
    case 'day':
      return groupsOfDays(zone, (day) => [day, day + 1], atMs)
    case 'week':
      return groupsOfDays(zone, weekOf, atMs)
    case 'month':
      return groupsOfDays(zone, monthOf, atMs)
  }
}

/** 1 January 1970 was a Thursday. */
function weekOf(day: number): readonly [number, number] {
  const monday = day - ((((day + 3) % 7) + 7) % 7)
  return [monday, monday + 7]
}

function monthOf(day: number): readonly [number, number] {
  const date = new Date(day * DAY_MS)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  return [Date.UTC(year, month, 1) / DAY_MS, Date.UTC(year, month + 1, 1) / DAY_MS]
}

function* groupsOfDays(zone: LocalDays, groupOf: (day: number) => readonly [number, number], atMs: number): Generator<Bounds> {
  for (let day = zone.at(atMs).day; ; ) {
    const [first, after] = groupOf(day)
    const bounds = [zone.startMs(first), zone.startMs(after)] as const
    // A date that the zone skipped takes no time. Asking which day begins where this one ends would cost seven times as much.
    if (bounds[0] < bounds[1]) yield bounds
    day = after
  }
}

function* partsOfDays(zone: LocalDays, partMs: number, atMs: number): Generator<Bounds> {
  for (let day = zone.at(atMs); ; day = zone.at(day.toMs)) {
    for (const part of partsOf(zone, day, partMs)) if (part[1] > atMs) yield part
  }
}

/** A day between changes of its clocks, each stretch cut where its clocks show a whole hour or minute. */
function* partsOf(zone: LocalDays, day: LocalDay, partMs: number): Generator<Bounds> {
  for (let startMs = day.fromMs; startMs < day.toMs; ) {
    const offsetMs = zone.offsetMs(startMs)
    const untilMs = zone.offsetMs(day.toMs - 1) === offsetMs ? day.toMs : changeOf(zone, startMs, day.toMs)
    while (startMs < untilMs) {
      const endMs = Math.min(untilMs, (Math.floor((startMs + offsetMs) / partMs) + 1) * partMs - offsetMs)
      yield [startMs, endMs]
      startMs = endMs
    }
  }
}

/** The first instant whose offset is not that of `fromMs`, somewhere before `toMs`: no zone changes its clocks twice a day. */
function changeOf(zone: LocalDays, fromMs: number, toMs: number): number {
  const offsetMs = zone.offsetMs(fromMs)
  let low = fromMs
  let high = toMs - 1
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (zone.offsetMs(middle) === offsetMs) low = middle
    else high = middle
  }
  return high
}

function tooMany(interval: Interval): Problem {
  const detail = `is too short for the range: it makes more than ${LIMITS.timeseriesPoints.toLocaleString('en-US')} points; take a longer interval or a shorter range`
  return new Problem('invalid_parameter', `interval=${interval} ${detail}`, { errors: [{ path: 'interval', detail }] })
}
