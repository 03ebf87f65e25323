// Two answers differ exactly where something is told of it, and rows are met by what they are about.
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { differencesOf } from '../../../src/queries/differences.ts'

describe('differences of two answers', () => {
  it('name the leaf, and rows by their value, time or dimensions', () => {
    const row = (value: string, events: number): object => ({ value, events })
    assert.deepEqual(differencesOf({ rows: [row('/a', 1), row('/b', 2)] }, { rows: [row('/new', 5), row('/a', 1), row('/b', 3)] }), [
      { path: '/rows/~1b/events', left: 2, right: 3 },
      { path: '/rows/~1new/value', left: undefined, right: '/new' },
      { path: '/rows/~1new/events', left: undefined, right: 5 },
    ])
    const report = (at: string | null, ...measures: number[]): object => ({ rows: [{ at, dimensions: ['x', null], measures }] })
    assert.deepEqual(differencesOf(report(null, 1, 2), report(null, 1, 3)), [{ path: '/rows/[null,"x",null]/measures/1', left: 2, right: 3 }])
  })

  it('tell of an order where nothing else differs', () => {
    assert.deepEqual(differencesOf([{ value: 'a' }, { value: 'b' }], [{ value: 'b' }, { value: 'a' }]), [{ path: '', left: ['a', 'b'], right: ['b', 'a'] }])
    assert.deepEqual(differencesOf({ a: null }, { a: 0 }), [{ path: '/a', left: null, right: 0 }])
  })

  it('are none exactly when the answers are equal', () => {
    const leaf = fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constantFrom(null, 'a', ''))
    const row = fc.record({ value: fc.constantFrom('a', 'b', 'c'), n: leaf }, { noNullPrototype: true })
    const answer = fc.record({ n: leaf, by: fc.record({ x: leaf }, { noNullPrototype: true }), rows: fc.array(row, { maxLength: 3 }), list: fc.array(leaf, { maxLength: 2 }) }, { noNullPrototype: true })
    fc.assert(
      fc.property(answer, answer, fc.boolean(), (left, other, same) => {
        const right: unknown = same ? structuredClone(left) : other
        assert.equal(differencesOf(left, right).length === 0, isDeepStrictEqual(left, right))
      }),
      { numRuns: 2_000 },
    )
  })
})
