// Counted sets against a plain Map: whatever order and portions contributions come in, and whatever is taken back.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { changedBytes, CountedChanges, Contributions, countedEntries, countedSize, eachCountedMember, netSteps } from '../../../src/projections/sets/countedSet.ts'

type Step = readonly [ordinal: number, sign: 1 | -1]

const EMPTY = Buffer.alloc(0)

/** Beside other sets, that what is of one is not of another. */
function applied(bytes: Uint8Array, steps: readonly Step[]): Uint8Array {
  const contributions = new Contributions()
  const [before, set, after] = [contributions.newSet(), contributions.newSet(), contributions.newSet()]
  for (const [ordinal, sign] of steps) {
    contributions.add(before, ordinal + 1, 1)
    contributions.add(set, ordinal, sign)
    contributions.add(after, ordinal + 2, 1)
  }
  const alone = new CountedChanges()
  for (const [ordinal, sign] of steps) alone.add(ordinal, sign)
  const changed = changedBytes(bytes, contributions.of(set))
  assert.deepEqual(changedBytes(bytes, alone), changed)
  return changed
}

function inPortions(steps: readonly Step[], size: number): Uint8Array {
  let bytes: Uint8Array = EMPTY
  for (let at = 0; at < steps.length; at += size) bytes = applied(bytes, steps.slice(at, at + size))
  return bytes
}

function countsOf(steps: readonly Step[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const [ordinal, sign] of steps) {
    const count = (counts.get(ordinal) ?? 0) + sign
    if (count === 0) counts.delete(ordinal)
    else counts.set(ordinal, count)
  }
  return new Map([...counts].sort(([left], [right]) => left - right))
}

const members = (bytes: Uint8Array): number[] => {
  const found: number[] = []
  eachCountedMember(bytes, (ordinal) => found.push(ordinal))
  return found
}

const add = (...ordinals: number[]): Step[] => ordinals.map((ordinal) => [ordinal, 1])

/** Contributions and, later than each, some of them taken back; crowded or spread over several containers. */
const histories = fc
  .record({
    spread: fc.constantFrom(1, 7, 5_003),
    added: fc.array(fc.record({ ordinal: fc.nat(60), back: fc.boolean() }), { maxLength: 300 }),
  })
  .map(({ spread, added }) => {
    const steps: Step[] = []
    for (const { ordinal } of added) steps.push([ordinal * spread, 1])
    for (const { ordinal, back } of added) if (back) steps.push([ordinal * spread, -1])
    return steps
  })

describe('a counted set', () => {
  it('holds what a map holds, in the same bytes whatever the portions', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 1, max: 40 }), (steps, size) => {
        const bytes = inPortions(steps, size)
        const counts = countsOf(steps)
        assert.deepEqual(new Map(countedEntries(bytes)), counts)
        assert.deepEqual(members(bytes), [...counts.keys()])
        assert.equal(countedSize(bytes), counts.size)
        assert.deepEqual(bytes, applied(EMPTY, steps))
        const plain = [...counts].flatMap(([ordinal, count]) => Array.from({ length: count }, (): Step => [ordinal, 1]))
        assert.deepEqual(bytes, applied(EMPTY, plain.reverse()))
      }),
    )
  })

  it('is back where it was, byte by byte, when contributions are taken back', () => {
    fc.assert(
      fc.property(histories, histories, (before, steps) => {
        const bytes = applied(EMPTY, before)
        const back = steps.map(([ordinal, sign]): Step => [ordinal, sign === 1 ? -1 : 1]).reverse()
        assert.deepEqual(applied(applied(bytes, steps), back), bytes)
      }),
    )
  })

  it('is changed as much by what is left of contributions that cancel out', () => {
    fc.assert(
      fc.property(histories, histories, (before, steps) => {
        const bytes = applied(EMPTY, before)
        const contributions = new Contributions()
        const set = contributions.newSet()
        for (const [ordinal, sign] of steps) contributions.add(set, ordinal, sign)
        const net = netSteps(contributions.of(set))
        assert.deepEqual(changedBytes(bytes, net), applied(bytes, steps))
        assert.deepEqual(net, net.slice().sort())
        assert.equal(net.length, [...countsOf(steps).values()].reduce((sum, count) => sum + Math.abs(count), 0))
      }),
    )
  })

  it('has no bytes when nothing is left', () => {
    assert.equal(applied(applied(EMPTY, add(3, 3, 70_000)), [[70_000, -1], [3, -1], [3, -1]]).length, 0) // prettier-ignore
  })

  it('holds thousands across the sizes at which its form changes', () => {
    for (const size of [31, 32, 33, 4_095, 4_096, 4_097, 70_000]) {
      const all = Array.from({ length: size }, (_, at) => at * 3)
      const bytes = applied(EMPTY, add(...all, all[5]!))
      assert.deepEqual(members(bytes), all)
      assert.deepEqual(applied(applied(bytes, add(1)), [[1, -1]]), bytes)
      assert.equal(new Map(countedEntries(bytes)).get(15), 2)
    }
  })

  it('refuses to take back what was never contributed', () => {
    assert.throws(() => applied(EMPTY, [[4, -1]]), RangeError)
    assert.throws(() => applied(applied(EMPTY, add(4, 9)), [[9, -1], [9, -1]]), RangeError) // prettier-ignore
    assert.throws(() => applied(applied(EMPTY, add(4, 9)), [[5, -1]]), RangeError)
  })

  it('takes one byte or two for a count, and few more for a lone visitor', () => {
    assert.ok(applied(EMPTY, add(100)).length <= 3)
    const thousand = Array.from({ length: 1_000 }, (_, at) => at)
    const once = applied(EMPTY, add(...thousand))
    assert.ok(applied(once, add(...thousand)).length <= once.length + 1_000)
  })
})
