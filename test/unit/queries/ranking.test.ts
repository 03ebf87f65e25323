import assert from 'node:assert/strict'
import fc from 'fast-check'
import { byBytes, cursorAfter, offsetOf, ranked } from '../../../src/queries/ranking.ts'

const row = (value: string, events: number, visits = 0) => ({ value, events, visitors: 0, visits, pageviews: 0 })

describe('the rows of a breakdown', () => {
  it('come by the measure asked for, most first, ties by value', () => {
    const rows = [row('b', 1, 2), row('ä', 1), row('a', 1), row('z', 3)]
    assert.deepEqual(ranked(rows, 'events').map(({ value }) => value), ['z', 'a', 'b', 'ä'])
    assert.deepEqual(ranked(rows, 'visits').map(({ value }) => value), ['b', 'a', 'z', 'ä'])
  })

  it('tie by the bytes of their values, as every store compares them', () => {
    const text = fc.string({ unit: 'binary', maxLength: 4 })
    fc.assert(fc.property(text, text, (left, right) => assert.equal(Math.sign(byBytes(left, right)), Buffer.compare(Buffer.from(left), Buffer.from(right)))))
    assert.ok(byBytes('\u{ffee}', '\u{1f600}') < 0)
  })

  it('go on behind the last row shown, and end with the last', () => {
    assert.deepEqual([cursorAfter(0, 50, 51), cursorAfter(50, 50, 100), cursorAfter(0, 50, 0)], ['50', null, null])
    assert.deepEqual([offsetOf(undefined), offsetOf('50')], [0, 50])
    for (const cursor of ['0', '-1', 'x', '1e3', '1234567890']) assert.throws(() => offsetOf(cursor), { code: 'invalid_parameter' })
  })
})
