// Small sets of whole numbers as sorted arrays: refs of a visit and its log positions, where most sets have few members and
// equal sets must have equal bytes.

/** Index of the first element that is not less than `value`. */
export function placeOf(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

/** True when the number was not in the set before. */
export function addNumber(sorted: number[], value: number): boolean {
  const { length } = sorted
  if (length === 0 || sorted[length - 1]! < value) {
    sorted.push(value)
    return true
  }
  const at = placeOf(sorted, value)
  if (sorted[at] === value) return false
  sorted.splice(at, 0, value)
  return true
}

/** Adds a position to runs of neighbours (first and last of each, alternating). */
export function addToRuns(runs: number[], position: number): void {
  const { length } = runs
  if (length === 0 || runs[length - 1]! < position - 1) runs.push(position, position)
  else if (runs[length - 1] === position - 1) runs[length - 1] = position
  else insertIntoRuns(runs, position)
}

function insertIntoRuns(runs: number[], position: number): void {
  const place = placeOf(runs, position)
  // Within a run, or at one of its ends.
  if (place % 2 === 1 || runs[place] === position) return
  const joinsLeft = place > 0 && runs[place - 1] === position - 1
  const joinsRight = runs[place] === position + 1
  if (joinsLeft && joinsRight) runs.splice(place - 1, 2)
  else if (joinsLeft) runs[place - 1] = position
  else if (joinsRight) runs[place] = position
  else runs.splice(place, 0, position, position)
}

export function* positionsIn(runs: readonly number[]): Generator<number> {
  for (let at = 0; at < runs.length; at += 2) for (let position = runs[at]!; position <= runs[at + 1]!; position++) yield position
}

/** The runs of two sets that share no position. */
export function uniteRuns(left: readonly number[], right: readonly number[]): number[] {
  const united: number[] = []
  let l = 0
  let r = 0
  while (l < left.length || r < right.length) {
    const fromLeft = r >= right.length || (l < left.length && left[l]! < right[r]!)
    const from = fromLeft ? left : right
    const at = fromLeft ? l : r
    if (united.length > 0 && united[united.length - 1] === from[at]! - 1) united[united.length - 1] = from[at + 1]!
    else united.push(from[at]!, from[at + 1]!)
    if (fromLeft) l += 2
    else r += 2
  }
  return united
}
