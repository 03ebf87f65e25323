// Where two answers part ways, leaf by leaf. Rows are met by what they are about (a value, a time, dimensions) and not by
// where they stand, so that one row more does not make all that follow differ.

export interface Difference {
  /** JSON pointer; a row is named by what it is about, as in `/rows/~1pricing/events` or `/points/2026-11-22T00:00:00.000Z/visitors`. */
  readonly path: string
  /** Undefined where that side has nothing there. */
  readonly left: unknown
  readonly right: unknown
}

/** Both sides are plain JSON. Empty exactly when they are equal; order counts, and is told where nothing else differs. */
export function differencesOf(left: unknown, right: unknown): Difference[] {
  const found: Difference[] = []
  compare('', left, right, found)
  return found
}

type Plain = Readonly<Record<string, unknown>>

function compare(path: string, left: unknown, right: unknown, found: Difference[]): void {
  if (Object.is(left, right)) return
  if (Array.isArray(left) && Array.isArray(right)) compareLists(path, left, right, found)
  else if (isPlain(left) && isPlain(right)) compareKeys(path, left, right, found)
  else if (isPlain(left) && right === undefined) compareKeys(path, left, {}, found)
  else if (left === undefined && isPlain(right)) compareKeys(path, {}, right, found)
  else found.push({ path, left, right })
}

function compareKeys(path: string, left: Plain, right: Plain, found: Difference[]): void {
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) compare(`${path}/${pointerPart(key)}`, left[key], right[key], found)
}

function compareLists(path: string, left: readonly unknown[], right: readonly unknown[], found: Difference[]): void {
  const before = found.length
  const [lefts, rights] = [byName(left), byName(right)]
  for (const name of new Set([...lefts.keys(), ...rights.keys()])) compare(`${path}/${name}`, lefts.get(name), rights.get(name), found)
  const order = (names: Iterable<string>): string => JSON.stringify([...names])
  if (found.length === before && order(lefts.keys()) !== order(rights.keys())) found.push({ path, left: [...lefts.keys()], right: [...rights.keys()] })
}

function byName(list: readonly unknown[]): Map<string, unknown> {
  const named = new Map<string, unknown>()
  list.forEach((one, index) => {
    const name = nameOf(one) ?? String(index)
    named.set(named.has(name) ? `${name}#${index}` : name, one)
  })
  return named
}

function nameOf(element: unknown): string | undefined {
  if (!isPlain(element)) return undefined
  const { value, at, dimensions, currency } = element
  if (Array.isArray(dimensions)) return pointerPart(JSON.stringify([at, ...(dimensions as unknown[])]))
  const name = [value, at, currency].find((one) => typeof one === 'string')
  return name === undefined ? undefined : pointerPart(name)
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
