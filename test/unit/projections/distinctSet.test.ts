import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RoaringBitmap32, SerializationFormat } from 'roaring-wasm'
import { bytesOfAscending, DistinctSet } from '../../../src/projections/sets/distinctSet.ts'

const few = fc.array(fc.oneof(fc.nat(300), fc.nat(200_000), fc.integer({ min: 0, max: 0xffffffff })), { maxLength: 200 })
const runs = fc.tuple(fc.nat(150_000), fc.nat(9_000)).map(([from, length]) => Array.from({ length }, (_, i) => from + i))
const numbers = fc.oneof({ weight: 3, arbitrary: few }, { weight: 1, arbitrary: runs }, { weight: 1, arbitrary: fc.tuple(few, runs).map(([a, b]) => [...b, ...a]) })
const sorted = (values: Iterable<number>): number[] => [...new Set(values)].sort((a, b) => a - b)

describe('a distinct set', () => {
  it('holds what a Set holds, in order', () => {
    fc.assert(
      fc.property(numbers, few, (values, others) => {
        const set = new DistinctSet()
        const model = new Set<number>()
        for (const value of values) {
          assert.equal(set.add(value), !model.has(value))
          model.add(value)
        }
        assert.equal(set.size, model.size)
        assert.deepEqual([...set.values()], sorted(model))
        for (const value of others) assert.equal(set.has(value), model.has(value))
      }),
    )
  })

  it('has the same bytes for equal sets, whatever order and operations made them', () => {
    fc.assert(
      fc.property(numbers, numbers, few, (left, right, gone) => {
        const model = new Set([...left, ...right])
        const united = DistinctSet.of(left)
        united.addBytes(DistinctSet.of(right).toBytes())
        const other = DistinctSet.of([...gone, ...right])
        other.addAll(DistinctSet.of(left))
        for (const value of new Set(gone)) if (!model.has(value)) assert.equal(other.delete(value), true)
        const expected = DistinctSet.of(sorted(model)).toBytes()
        assert.deepEqual(united.toBytes(), expected)
        assert.deepEqual(DistinctSet.fromBytes(expected).toBytes(), expected)
        assert.deepEqual(other.toBytes(), expected)
        assert.equal(united.size, model.size)
        assert.deepEqual(bytesOfAscending(Uint32Array.from(sorted(model))), expected)
      }),
    )
  })

  it('writes the portable Roaring format', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const roaring = RoaringBitmap32.deserialize(DistinctSet.of(values).toBytes(), SerializationFormat.portable)
        try {
          assert.deepEqual(roaring.toArray(), sorted(values))
        } finally {
          roaring.dispose()
        }
      }),
    )
  })

  it('refuses bytes of something else', () => {
    assert.throws(() => DistinctSet.fromBytes(Buffer.from('not a set')), TypeError)
  })
})
