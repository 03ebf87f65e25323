// In which order the rows of a breakdown come, and how a client goes on after a page of them: the same whether tables or the
// log count, so that the next page may come from the other.
import { Problem } from '../errors.ts'
import type { Sort } from './stats.ts'

export type Ranked = { readonly value: string } & Readonly<Record<Sort, number>>

/** By a measure, most first; ties by value. A new array. */
export function ranked<Row extends Ranked>(rows: readonly Row[], sort: Sort): Row[] {
  return [...rows].sort((left, right) => right[sort] - left[sort] || byBytes(left.value, right.value))
}

/** The order of the texts' UTF-8 bytes, which is that of their code points and not that of their UTF-16 code units. */
export function byBytes(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const [one, other] = [left.charCodeAt(at), right.charCodeAt(at)]
    if (one === other) continue
    const surrogates = Number(isSurrogate(one)) - Number(isSurrogate(other))
    return surrogates === 0 ? one - other : surrogates
  }
  return left.length - right.length
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}

/** The cursor behind a page, null after the last row. */
export function cursorAfter(offset: number, limit: number, values: number): string | null {
  return offset + limit < values ? String(offset + limit) : null
}

/** How many rows a cursor skips. Throws Problem `invalid_parameter`. */
export function offsetOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0
  if (/^[1-9]\d{0,8}$/.test(cursor)) return Number(cursor)
  throw new Problem('invalid_parameter', undefined, { errors: [{ path: 'cursor', detail: 'is not a cursor of this list' }] })
}
