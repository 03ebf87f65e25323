// What is remembered by its text: made once while it is in use, and no more than the bounds.
import assert from 'node:assert/strict'
import { Generations } from '../../../src/kernel/generations.ts'

function counted(maxTexts: number, maxChars: number): { made: string[]; cache: Generations<string | null> } {
  const made: string[] = []
  const make = (text: string): string | null => {
    made.push(text)
    return text === 'nothing' ? null : text.toUpperCase()
  }
  return { made, cache: new Generations(make, maxTexts, maxChars) }
}

describe('generations', () => {
  it('make a value once, null included', () => {
    const { made, cache } = counted(10, 1_000)
    assert.deepEqual(['a', 'nothing', 'a', 'nothing'].map((text) => cache.get(text)), ['A', null, 'A', null])
    assert.deepEqual(made, ['a', 'nothing'])
  })

  it('keep what is in use over any number of turns, and forget the rest', () => {
    const { made, cache } = counted(2, 1_000)
    for (const text of ['used', 'b', 'used', 'c', 'used', 'd', 'used', 'e', 'used']) cache.get(text)
    assert.deepEqual(made, ['used', 'b', 'c', 'd', 'e'])
    cache.get('b')
    assert.equal(made.length, 6)
  })

  it('hold no more characters than two generations may', () => {
    const { made, cache } = counted(1_000, 10)
    for (const text of ['aaaa', 'bbbb', 'cccc', 'dddd', 'eeee']) cache.get(text)
    cache.get('cccc')
    assert.equal(made.length, 5)
    cache.get('aaaa')
    assert.equal(made.length, 6)
    assert.equal(cache.get('longer than all of it'), 'LONGER THAN ALL OF IT')
  })
})
