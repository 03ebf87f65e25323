// Chance that can be had again: the same seed draws the same numbers (mulberry32).

export interface Random {
  /** At least 0, less than 1. */
  next(): number
  /** A whole number from 0 to n - 1. */
  int(n: number): number
  pick<T>(list: readonly T[]): T
}

/** Streams of one seed by name: what one of them draws does not move another. */
export function randomOf(seed: number, stream: string): Random {
  let state = seed >>> 0
  for (let at = 0; at < stream.length; at++) state = Math.imul(state ^ stream.charCodeAt(at), 0x01000193) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (n: number): number => Math.floor(next() * n)
  return { next, int, pick: (list) => list[int(list.length)]! }
}
