// How units of a rebuild are divided among threads.
import assert from 'node:assert/strict'
import { spread } from '../../../src/projections/spread.ts'

const MODELS = { web: 6, people: 3, summary: 3, late: 1 }

function unitsOf(events: Readonly<Record<number, number>>): { projection: string; partition: number; cost: number }[] {
  return Object.entries(events).flatMap(([partition, some]) =>
    Object.entries(MODELS).map(([projection, cost]) => ({ projection, partition: Number(partition), cost: cost * some })),
  )
}

const partitionsIn = (units: readonly { partition: number }[]): number[] => [...new Set(units.map(({ partition }) => partition))].sort()
const costOf = (units: readonly { cost: number }[]): number => units.reduce((sum, { cost }) => sum + cost, 0)

describe('spread', () => {
  it('keeps the units of a partition together, so that each page is read once', () => {
    const shares = spread(unitsOf({ 1: 500, 2: 510, 3: 490, 4: 505 }), 2)
    assert.equal(shares.length, 2)
    assert.deepEqual(shares.map((share) => partitionsIn(share).length), [2, 2])
    assert.equal(shares.flat().length, 16)
  })

  it('divides a partition that is more than a fair share', () => {
    const shares = spread(unitsOf({ 1: 1_000, 2: 0 }), 2)
    assert.equal(shares.length, 2)
    assert.deepEqual(shares.map(costOf).sort(), [6_000, 7_000])
    assert.equal(new Set(shares.flat()).size, 8)
  })

  it('makes no share that has nothing to do', () => {
    const one = { projection: 'web', partition: 1, cost: 100 }
    assert.deepEqual(spread([one, { projection: 'web', partition: 2, cost: 0 }], 4).map(costOf), [100])
    assert.deepEqual(spread(unitsOf({ 1: 0, 2: 0 }), 2).map((share) => share.length), [8])
    assert.deepEqual(spread([], 2), [])
  })
})
