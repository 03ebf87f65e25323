// DistinctSet against roaring-wasm, the way eventSummary uses sets: many small ones that are filled, written and read back,
// and few large ones that a question unites. `npx tsx bench/distinctSet.ts`
import { performance } from 'node:perf_hooks'
import { RoaringBitmap32, roaringLibraryInitialize, SerializationFormat } from 'roaring-wasm'
import { DistinctSet } from '../src/projections/sets/distinctSet.ts'

const SMALL_SETS = 20_000
const SMALL_MEMBERS = 30
const DAYS = 30
const VISITORS = 60_000
const ROUNDS = 5

await roaringLibraryInitialize()

let state = 42
const random = (below: number): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return state % below
}
const small = Array.from({ length: SMALL_SETS }, () => Array.from({ length: SMALL_MEMBERS }, () => random(VISITORS)))
const large = Array.from({ length: DAYS }, () => Array.from({ length: VISITORS / 4 }, () => random(VISITORS)))

/** The best of several rounds, because other programs share the machine. */
function best(work: () => number): string {
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const from = performance.now()
    if (work() === 0) throw new Error('nothing was done')
    times.push(performance.now() - from)
  }
  return `${Math.min(...times).toFixed(1)} ms`
}

function ours(sets: readonly (readonly number[])[]): Uint8Array[] {
  return sets.map((members) => {
    const set = new DistinctSet()
    for (const member of members) set.add(member)
    return set.toBytes()
  })
}

function theirs(sets: readonly (readonly number[])[]): Uint8Array[] {
  return sets.map((members) => {
    const set = new RoaringBitmap32()
    for (const member of members) set.add(member)
    const bytes = set.serialize(SerializationFormat.portable)
    set.dispose()
    return bytes
  })
}

function uniteOurs(days: readonly Uint8Array[]): number {
  const sum = new DistinctSet()
  for (const day of days) sum.addBytes(day)
  return sum.size
}

function uniteTheirs(days: readonly Uint8Array[]): number {
  const sum = new RoaringBitmap32()
  for (const bytes of days) {
    const day = RoaringBitmap32.deserialize(bytes, SerializationFormat.portable)
    sum.orInPlace(day)
    day.dispose()
  }
  const { size } = sum
  sum.dispose()
  return size
}

const days = ours(large)
if (uniteOurs(days) !== uniteTheirs(days)) throw new Error('the two disagree')
const say = (what: string, left: () => number, right: () => number): void => {
  console.log(`${what.padEnd(48)} DistinctSet ${best(left).padStart(10)}   roaring-wasm ${best(right).padStart(10)}`)
}
say(`fill and write ${SMALL_SETS} sets of ${SMALL_MEMBERS}`, () => ours(small).length, () => theirs(small).length)
say(`fill and write ${DAYS} sets of ${VISITORS / 4}`, () => ours(large).length, () => theirs(large).length)
say(`unite ${DAYS} of them from bytes`, () => uniteOurs(days), () => uniteTheirs(days))
