// A bag of numbers: exact whatever the order, and whatever was taken away again.
import assert from 'node:assert/strict'
import { NumberBag } from '../../../src/projections/sets/numberBag.ts'

function bagOf(...values: number[]): NumberBag {
  const bag = new NumberBag()
  for (const value of values) bag.add(value)
  return bag
}

describe('a bag of numbers', () => {
  it('sums decimals as they are written', () => {
    assert.equal(bagOf(0.1, 0.1, 0.1).sum, 0.3)
    assert.equal(bagOf(0.1, 0.2, 0.3, -0.6).sum, 0)
    assert.equal(bagOf(...Array.from({ length: 10 }, () => 19.99)).sum, 199.9)
    assert.equal(bagOf(1e16, 1, -1e16).sum, 1)
    assert.equal(bagOf(2 ** 52, 2 ** 52, 0.5).sum, 9_007_199_254_740_992)
    assert.equal(bagOf(1e-7, 2e-7).sum, 3e-7)
    assert.equal(bagOf(1.5e300, 1, -1.5e300).sum, 1)
    assert.equal(bagOf(5e-324, -0.25).sum, -0.25)
    assert.equal(bagOf(-12.34, 0.04).sum, -12.3)
  })

  it('stays within numbers', () => {
    assert.equal(bagOf(1.7e308, 1.6e308).sum, Number.MAX_VALUE)
    assert.equal(bagOf(-1.7e308, -1.6e308).sum, -Number.MAX_VALUE)
    assert.ok(Object.is(bagOf(-0).sum, 0) && Object.is(bagOf(-0.5, 0.5).sum, 0))
    assert.throws(() => bagOf(NaN), RangeError)
    assert.throws(() => bagOf(Infinity), RangeError)
  })

  it('knows its mean, smallest, largest and median', () => {
    const bag = bagOf(3, 10, -1, 3)
    assert.deepEqual([bag.count, bag.size, bag.mean, bag.min, bag.max, bag.median], [4, 3, 3.75, -1, 10, 3])
    assert.equal(bagOf(0.1, 0.2).median, 0.15)
    assert.equal(bagOf(5, 1, 2, 8).median, 3.5)
    assert.equal(bagOf(5, 1, 2).median, 2)
    // As numbers and not as text.
    assert.equal(bagOf(9, 10, 100).median, 10)
    const empty = new NumberBag()
    assert.deepEqual([empty.count, empty.sum, empty.mean, empty.min, empty.max, empty.median], [0, 0, null, null, null, null])
  })

  it('forgets what is taken away, also before it was added', () => {
    const bag = bagOf(1, 2, 2)
    bag.add(7, -1)
    assert.throws(() => bag.toBytes(), RangeError)
    bag.add(2, -1)
    bag.add(7)
    assert.deepEqual([bag.count, bag.size, bag.sum, bag.max], [2, 2, 3, 2])
    const difference = new NumberBag()
    difference.add(1, -1)
    difference.add(4, 2)
    bag.addAll(difference)
    assert.deepEqual([bag.count, bag.min, bag.sum], [3, 2, 10])
  })

  it('has one form as bytes', () => {
    const bag = bagOf(300, 1.5, -2, 300)
    const other = bagOf(-2, 300, 8, 1.5, 300)
    other.add(8, -1)
    assert.deepEqual(bag.toBytes(), other.toBytes())
    const back = NumberBag.fromBytes(bag.toBytes())
    assert.deepEqual([back.count, back.size, back.sum, back.median], [4, 3, 599.5, 150.75])
    assert.deepEqual(back.toBytes(), bag.toBytes())
    assert.equal(new NumberBag().toBytes().length, 0)
    assert.throws(() => NumberBag.fromBytes(bag.toBytes().subarray(1)), RangeError)
  })
})
