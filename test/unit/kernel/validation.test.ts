import assert from 'node:assert/strict'
import { CATALOGUE } from '../../../src/events/catalogue.ts'
import { objectSchema } from '../../../src/events/schemas.ts'
import { compile } from '../../../src/kernel/validation.ts'
import { located } from '../../../src/kernel/validationWords.ts'

const schema = objectSchema(
  {
    name: { type: 'string', minLength: 1, maxLength: 5 },
    tags: { type: 'array', maxItems: 2, uniqueItems: true, items: { type: 'string', enum: ['a', 'b'] } },
    at: { type: 'string', format: 'date-time', example: '2026-11-22T09:30:00Z' },
    size: { type: 'integer', minimum: 1, maximum: 500 },
    ref: { type: 'string', pattern: '^a+$', 'x-words': 'an event id' },
    each: { type: 'array', uniqueItems: true },
    keep: { anyOf: [{ type: 'string', const: 'all' }, { type: 'array', items: { type: 'string' } }] },
    inner: objectSchema({ 'a/b': { type: 'number' }, deep: { type: 'boolean' } }, ['deep']),
  },
  ['name'],
)

describe('validation', () => {
  const cases: [title: string, input: unknown, faults: [path: string, detail: string | RegExp][]][] = [
    ['a valid input has no faults', { name: 'x', tags: ['a', 'b'], at: '2026-01-01T00:00:00Z', keep: 'all' }, []],
    ['an unknown field is named and located', { name: 'x', nmae: 1 }, [['/nmae', 'unknown field']]],
    ['an unknown field deep inside too', { name: 'x', inner: { deep: true, x: 1 } }, [['/inner/x', 'unknown field']]],
    ['a missing field has the path of the missing one', {}, [['/name', 'is required']]],
    ['a missing field deep inside too', { name: 'x', inner: {} }, [['/inner/deep', 'is required']]],
    ['a wrong type', { name: 7 }, [['/name', 'must be a string']]],
    ['a wrong type at the root', [], [['', 'must be an object']]],
    ['a JSON pointer escapes slashes', { name: 'x', inner: { deep: true, 'a/b': '1' } }, [['/inner/a~1b', 'must be a number']]],
    ['an unknown name with slash and tilde is escaped', { name: 'x', '~/': 1 }, [['/~0~1', 'unknown field']]],
    ['an empty text', { name: '' }, [['/name', 'must not be empty']]],
    ['a text that is too long', { name: 'abcdef' }, [['/name', 'must have at most 5 characters']]],
    ['an item outside the enumeration', { name: 'x', tags: ['c'] }, [['/tags/0', 'must be one of "a", "b"']]],
    ['a repeated item', { name: 'x', tags: ['a', 'a'] }, [['/tags', 'must not repeat an item: items 0 and 1 are equal']]],
    ['a repeated object, its fields in any order', { name: 'x', each: [1, { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }] }, [['/each', 'must not repeat an item: items 1 and 2 are equal']]],
    ['items that are nearly equal are not', { name: 'x', each: [1, '1', [1], ['1'], {}, [], { a: [] }, { a: {} }, null, JSON.parse('{"__proto__":1}')] }, []],
    ['items whose fields have names of methods', { name: 'x', each: [{ valueOf: 1 }, { valueOf: 2 }, { toString: 1 }, { toJSON: 1 }, { constructor: 1 }] }, []],
    ['a form with words of its own, of the wrong type', { name: 'x', ref: 7 }, [['/ref', 'must be an event id']]],
    ['a form with words of its own, of another form', { name: 'x', ref: 'b' }, [['/ref', 'must be an event id']]],
    ['a malformed time', { name: 'x', at: 'yesterday' }, [['/at', /^must be an ISO 8601 date and time with offset/]]],
    ['a day that does not exist', { name: 'x', at: '2026-02-30T00:00:00Z' }, [['/at', /ISO 8601/]]],
    ['a number out of bounds', { name: 'x', size: 501 }, [['/size', 'must be 500 or less']]],
    ['no coercion in bodies', { name: 'x', size: '5' }, [['/size', 'must be an integer']]],
    ['neither of two forms: one fault that says both', { name: 'x', keep: 5 }, [['/keep', 'must be "all" or an array']]],
    ['the form that was meant: its own fault', { name: 'x', keep: ['q', 5] }, [['/keep/1', 'must be a string']]],
    ['an own field __proto__ is unknown', JSON.parse('{"name":"x","__proto__":{}}'), [['/__proto__', 'unknown field']]],
    ['several faults at once', { size: 0, q: 1 }, [['/name', 'is required'], ['/q', 'unknown field'], ['/size', 'must be 1 or more']]],
  ]
  for (const [title, input, expected] of cases) {
    it(title, () => {
      const faults = compile(schema)(input)
      const byPath = (left: { path: string }, right: { path: string }): number => (left.path < right.path ? -1 : 1)
      const sorted = faults.toSorted(byPath)
      assert.deepEqual(sorted.map((fault) => fault.path), expected.map(([path]) => path), JSON.stringify(faults))
      expected.forEach(([, detail], index) => {
        if (typeof detail === 'string') assert.equal(sorted[index]!.detail, detail)
        else assert.match(sorted[index]!.detail, detail)
      })
    })
  }

  it('a required field of a branch is reported once, without the branch', () => {
    const conditional = {
      ...objectSchema({ event: { type: 'string' }, url: { type: 'string' } }, ['event']),
      if: { properties: { event: { const: 'pageview' } } },
      then: { required: ['url'] },
    }
    assert.deepEqual(compile(conditional)({ event: 'pageview' }), [{ path: '/url', detail: 'is required' }])
    assert.deepEqual(compile(conditional)({ event: 'click' }), [])
  })

  it('the answer is bounded and long names are cut', () => {
    const hostile = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`${'x'.repeat(500)}${index}`, 1]))
    const faults = compile(schema)(hostile)
    assert.equal(faults.length, 20)
    assert.ok(JSON.stringify(faults).length < 20 * 250)
  })

  it('parameters are coerced in place and named without a slash', () => {
    const check = compile(objectSchema({ limit: { type: 'integer', minimum: 1 } }, []), { parameters: true })
    const params: Record<string, unknown> = { limit: '50' }
    assert.deepEqual(check(params), [])
    assert.equal(params['limit'], 50)
    assert.deepEqual(check({ limit: 'many' }), [{ path: 'limit', detail: 'must be an integer' }])
    assert.deepEqual(check({ lmit: '1' }), [{ path: 'lmit', detail: 'unknown field' }])
  })

  it('a fault can be told in one line, its place as people write it', () => {
    assert.equal(located({ path: '/metadata/a~1b', detail: 'must be a string' }), 'metadata.a/b: must be a string')
    assert.equal(located({ path: '', detail: 'must be an object' }), 'must be an object')
  })

  it('a schema is compiled once', () => {
    assert.equal(compile(schema), compile(schema))
    assert.notEqual(compile(schema), compile(schema, { parameters: true }))
  })

  it('strict mode refuses a schema with a misspelt keyword', () => {
    assert.throws(() => compile({ type: 'string', maxLenght: 5 }), /strict mode: unknown keyword/)
  })

  it('every schema of the catalogue compiles strictly', () => {
    for (const type of CATALOGUE.values()) assert.deepEqual(compile(type.schema)([]), [{ path: '', detail: 'must be an object' }], type.type)
  })
})
