// Reads ISO 8601 instants strictly: a day that does not exist is refused and not rolled over, as Date.parse would do. A
// time without offset, and a plain date, are local to the zone given.
import { DAY_MS, dayNumber, localDays } from './calendar.ts'

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/

/** Epoch milliseconds, or undefined where the text is no such instant. */
export function parseInstant(text: string, timezone: string): number | undefined {
  const plain = utcInstant(text)
  if (plain !== undefined) return plain
  const match = ISO.exec(text)
  if (match === null) return undefined
  const [, year, month, date, hour, minute, second, fraction, offset] = match
  const day = dayNumber(Number(year), Number(month), Number(date))
  if (day === undefined) return undefined
  if (hour === undefined) return localDays(timezone).of(day).fromMs
  const hours = Number(hour)
  const minutes = Number(minute)
  const seconds = Number(second ?? 0)
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined
  // Digits and no arithmetic on a fraction: 0.29 · 1000 is less than 290.
  const millis = fraction === undefined ? 0 : Number(fraction.padEnd(3, '0').slice(0, 3))
  const at = day * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * 1_000 + millis
  if (offset === 'Z') return at
  if (offset === undefined) return localDays(timezone).instantOf(at)
  const ahead = offsetMs(offset)
  return ahead === undefined ? undefined : at - ahead
}

/** `2026-11-22T10:30:00.000Z` and the same without fraction, which is what programs write; undefined: look closer. */
function utcInstant(text: string): number | undefined {
  const withMillis = text.length === 24 && text[19] === '.'
  if (!(withMillis ? text[23] === 'Z' : text.length === 20 && text[19] === 'Z')) return undefined
  if (text[4] !== '-' || text[7] !== '-' || text[10] !== 'T' || text[13] !== ':' || text[16] !== ':') return undefined
  const hours = digits(text, 11, 2)
  const minutes = digits(text, 14, 2)
  const seconds = digits(text, 17, 2)
  const millis = withMillis ? digits(text, 20, 3) : 0
  const day = dayNumber(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2))
  if (day === undefined || hours > 23 || minutes > 59 || seconds > 59) return undefined
  const at = day * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * 1_000 + millis
  return Number.isNaN(at) ? undefined : at
}

/** NaN where one of them is no digit. */
function digits(text: string, from: number, count: number): number {
  let value = 0
  for (let at = from; at < from + count; at++) {
    const digit = text.charCodeAt(at) - 48
    value = digit >= 0 && digit <= 9 ? value * 10 + digit : Number.NaN
  }
  return value
}

function offsetMs(text: string): number | undefined {
  const hours = Number(text.slice(1, 3))
  const minutes = text.length > 3 ? Number(text.slice(-2)) : 0
  if (hours > 23 || minutes > 59) return undefined
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
