// Places in the log by number and by time, the same on every engine.
import { LIMITS } from '../limits.ts'

/** Positions once each and ascending, in lists that one statement takes. */
export function* inOrder(positions: readonly number[]): Generator<number[]> {
  const sorted = [...new Set(positions)].sort((left, right) => left - right)
  for (let at = 0; at < sorted.length; at += LIMITS.rowsPerStatement) yield sorted.slice(at, at + LIMITS.rowsPerStatement)
}

/**
 * The last position recorded at or before an instant, by halving: positions are dense and recordedAt never falls, so a
 * million events take twenty looks and no index.
 */
export async function lastRecorded(head: number, recordedAtMs: number, recordedAt: (position: number) => Promise<number>): Promise<number> {
  let low = 0
  let high = head
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((await recordedAt(middle)) <= recordedAtMs) low = middle
    else high = middle - 1
  }
  return low
}
