// Times as people keep them in files: ISO 8601, or epoch seconds or milliseconds as a number or digits.

/** Epoch milliseconds below this are before March 1973, and epoch seconds above it after the year 5100: so it decides. */
const SECONDS_BELOW = 100_000_000_000

const NUMBER = /^[+-]?\d{1,16}(?:\.\d{1,9})?$/

/** Databases write a space where ISO 8601 has a T. */
const SPACED = /^(\d{4}-\d\d-\d\d) (\d\d:)/

/** The time as ISO 8601 text; undefined for a number that no date has. Other text is left for the event's own check. */
export function timeOf(value: number | string): string | undefined {
  if (typeof value === 'string' && !NUMBER.test(value)) return value.replace(SPACED, '$1T$2')
  const number = Number(value)
  const date = new Date(Math.round(Math.abs(number) < SECONDS_BELOW ? number * 1_000 : number))
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
