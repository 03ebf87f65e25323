// What a filter means, how it is written down, and what is told where one is wrong. Whatever the text, reading it ends in a
// filter or in a fault with its place.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Problem } from '../../../src/errors.ts'
import { type Condition, compileFilter, type Filter, FILTER_FIELDS, FILTER_OPERATORS, filterFields, formatFilter, parseFilter } from '../../../src/events/filter.ts'
import { LIMITS } from '../../../src/limits.ts'

type Facts = Readonly<Record<string, string>>

const holds = (text: string, facts: Facts): boolean => compileFilter(parseFilter(text))((field) => facts[field])

function faultOf(text: string): string {
  try {
    parseFilter(text)
  } catch (error) {
    assert.ok(error instanceof Problem && error.code === 'invalid_parameter')
    assert.deepEqual(error.errors?.map(({ path }) => path), ['filter'])
    return error.errors[0]!.detail
  }
  return assert.fail(`${text} was taken`)
}

describe('a filter', () => {
  it('joins conditions, and binds tighter than or, and parentheses group', () => {
    const german = { country: 'DE' }
    assert.equal(holds('page is "/a" or country is DE and page is "/b"', { page: '/a' }), true)
    assert.equal(holds('(page is "/a" or country is DE) and page is "/b"', { page: '/a' }), false)
    assert.equal(holds('(page is "/a" or country is DE) and not_there_is is x'.replace('not_there_is', 'title'), german), false)
    assert.deepEqual(parseFilter('os is a and (browser is b and (os is c))'), {
      op: 'and',
      of: [
        { op: 'is', field: 'os', values: ['a'] },
        { op: 'is', field: 'browser', values: ['b'] },
        { op: 'is', field: 'os', values: ['c'] },
      ],
    })
  })

  it('takes every operator in words and signs, in any case, with or without blanks', () => {
    const ops = (text: string): unknown => {
      const filter = parseFilter(text) as Condition
      return [filter.op, ...filter.values]
    }
    const spellings: readonly (readonly [op: string, ...texts: string[]])[] = [
      ['is', 'value is 5', 'value = 5', 'value=5', 'value == "5"', "value IS '5'"],
      ['isNot', 'value is not 5', 'value != 5', 'value<>5', 'value Is Not 5'],
      ['contains', 'value contains 5'],
      ['notContains', 'value does not contain 5', 'value not contains 5'],
      ['in', 'value in (5)', 'value is in (5)', 'value in(5)'],
      ['notIn', 'value not in (5)', 'value is not in ( "5" )'],
      ['greater', 'value > 5', 'value>5', 'value greater 5', 'value greater than 5'],
      ['atLeast', 'value >= 5', 'value at least 5', 'value greater than or equal to 5'],
      ['less', 'value < 5', 'value less than 5'],
      ['atMost', 'value <= 5', 'value at most 5', 'value less than or equal to 5'],
    ]
    for (const [op, ...texts] of spellings) for (const text of texts) assert.deepEqual(ops(text), [op, '5'], text)
    assert.deepEqual(new Set(spellings.map(([op]) => op)), new Set(FILTER_OPERATORS))
  })

  it('holds of a missing value only where it denies something', () => {
    const outcome = (present: Facts): Record<string, boolean> =>
      Object.fromEntries(
        ['is 5', 'is not 5', 'contains 5', 'does not contain 5', 'in (5)', 'not in (5)', '> 4', '>= 5', '< 6', '<= 5'].map((rest) => [rest, holds(`metadata.n ${rest}`, present)]),
      )
    const all = (expected: boolean, denials: boolean): Record<string, boolean> => ({
      'is 5': expected, 'is not 5': denials, 'contains 5': expected, 'does not contain 5': denials, 'in (5)': expected,
      'not in (5)': denials, '> 4': expected, '>= 5': expected, '< 6': expected, '<= 5': expected,
    }) // prettier-ignore
    assert.deepEqual(outcome({}), all(false, true))
    assert.deepEqual(outcome({ 'metadata.n': '5' }), all(true, false))
  })

  it('compares numbers, never texts, and is case-sensitive in what it compares', () => {
    assert.equal(holds('value > 9', { value: '10' }), true)
    for (const value of ['', ' ', 'ten', '0x10', 'Infinity', '1e999', '10 EUR']) assert.equal(holds('value > 9', { value }), false, value)
    assert.equal(holds('value >= -1.5e1', { value: '-15' }), true)
    assert.equal(holds('value < 10', { value: '10' }), false)
    assert.equal(holds('browser is chrome', { browser: 'Chrome' }), false)
  })

  it('takes quoted keys and values with escapes, and bare ones where they are simple', () => {
    assert.deepEqual(parseFilter(String.raw`metadata."user \"plan\" \\" is 'it\'s "free"'`), { op: 'is', field: 'metadata.user "plan" \\', values: [`it's "free"`] })
    assert.deepEqual(parseFilter('metadata.a.b-c is /search?q=1&a<b'), { op: 'is', field: 'metadata.a.b-c', values: ['/search?q=1&a<b'] })
    assert.deepEqual(parseFilter('country in (DE,FR , "US")'), { op: 'in', field: 'country', values: ['DE', 'FR', 'US'] })
    assert.deepEqual(parseFilter('title is ""'), { op: 'is', field: 'title', values: [''] })
  })

  it('says what is wrong, and where', () => {
    assert.equal(faultOf('page is "/pricing" and contry is DE'), 'at character 24: "contry" is no dimension; did you mean country?')
    assert.match(faultOf('utm_source is x'), /did you mean utmSource\?/)
    assert.match(faultOf('nonsensical is x'), /known are event, page, .*metadata\.<key>/)
    assert.match(faultOf('metadata.plan'), /^at character 14: the filter ends where metadata.plan needs an operator: is, is not/)
    assert.match(faultOf('metadata. is x'), /a key is missing/)
    assert.match(faultOf('title is Hello World'), /^at character 16: "World" comes unexpected: write "and" or "or" .*quotes/)
    assert.match(faultOf('title is "é😀" und os is x'), /^at character 15: /)
    assert.match(faultOf('title is "Hello'), /^at character 10: this quote is never closed/)
    assert.match(faultOf(String.raw`title is "a\n"`), /^at character 12: after a backslash/)
    assert.match(faultOf('title is'), /^at character 9: a value is missing/)
    assert.match(faultOf('title is and os is x'), /^at character 10: a value is missing; if "and" is meant/)
    assert.match(faultOf('(title is x'), /^at character 1: this parenthesis is never closed/)
    assert.match(faultOf('title is x)'), /^at character 11: this parenthesis closes nothing/)
    assert.match(faultOf('title is x and'), /^at character 15: a condition is missing/)
    assert.match(faultOf('country in DE'), /^at character 12: a list goes here/)
    assert.match(faultOf('country in (DE FR)'), /^at character 16: "FR" comes unexpected: a comma/)
    assert.match(faultOf('country in (DE'), /^at character 12: this list is never closed/)
    assert.match(faultOf('country in ()'), /^at character 13: .* is no value/)
    assert.match(faultOf('value > many'), /^at character 9: "many" is no number/)
    assert.match(faultOf('   '), /^is empty; a filter is for example/)
  })

  it('is bounded', () => {
    const many = (count: number): string => Array.from({ length: count }, () => 'os is x').join(' and ')
    assert.equal((parseFilter(many(LIMITS.filterConditions)) as { of: readonly unknown[] }).of.length, LIMITS.filterConditions)
    assert.match(faultOf(many(LIMITS.filterConditions + 1)), /more than 100 conditions/)
    assert.match(faultOf('('.repeat(LIMITS.filterChars)), /parentheses inside one another/)
    assert.match(faultOf(`os is "${'x'.repeat(LIMITS.filterChars)}"`), /longer than/)
  })

  it('names its fields once', () => {
    assert.deepEqual(filterFields(parseFilter('os is a and (metadata.x is b or os is c)')), ['os', 'metadata.x'])
  })
})

const field = fc.oneof(
  fc.constantFrom(...FILTER_FIELDS),
  fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }).map((key) => `metadata.${key}`),
)
const text = fc.oneof(fc.string({ maxLength: 12, unit: 'binary' }), fc.constantFrom('and', 'not', '"', '\\', "'", '\\"', ') or (', ''))
const PLAIN = { noNullPrototype: true }
const condition: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({ op: fc.constantFrom('is', 'isNot', 'contains', 'notContains'), field, values: fc.tuple(text) } as const, PLAIN),
  fc.record({ op: fc.constantFrom('in', 'notIn'), field, values: fc.array(text, { minLength: 1, maxLength: 4 }) } as const, PLAIN),
  fc.record({ op: fc.constantFrom('greater', 'atLeast', 'less', 'atMost'), field, values: fc.tuple(fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)) } as const, PLAIN),
)

/** A filter as reading makes it: joins of two or more, none directly inside its like. */
function filterOf(depth: number, outer?: 'and' | 'or'): fc.Arbitrary<Filter> {
  if (depth === 0) return condition
  const join = (op: 'and' | 'or'): fc.Arbitrary<Filter> => fc.record({ op: fc.constant(op), of: fc.array(filterOf(depth - 1, op), { minLength: 2, maxLength: 3 }) }, PLAIN)
  return fc.oneof(condition, ...(['and', 'or'] as const).filter((op) => op !== outer).map(join))
}

describe('any filter', () => {
  it('reads back as what was written down, and means the same', () => {
    const facts = fc.dictionary(fc.constantFrom(...FILTER_FIELDS), text, { noNullPrototype: true })
    fc.assert(
      fc.property(filterOf(3), facts, (filter, known) => {
        const written = formatFilter(filter)
        fc.pre(written.length <= LIMITS.filterChars)
        const read = parseFilter(written)
        assert.deepEqual(read, filter)
        assert.equal(formatFilter(read), written)
        assert.equal(compileFilter(read)((name) => known[name]), naive(filter, known))
      }),
      { numRuns: 500 },
    )
  })

  it('never makes reading crash, whatever the text', () => {
    const words = fc.constantFrom('page', 'metadata.', 'metadata', 'country', 'is', 'not', 'in', 'does', 'contain', 'greater', 'than', '(', ')', ',', '"', "'", '\\', ' ', '>', '=', 'and', 'or', '5', 'DE', '\u{1F600}', '\ud800')
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.array(words, { maxLength: 30 }).map((all) => all.join(' ')), fc.array(words, { maxLength: 30 }).map((all) => all.join(''))), (given) => {
        try {
          const filter = parseFilter(given)
          assert.deepEqual(parseFilter(formatFilter(filter)), filter)
        } catch (error) {
          if (!(error instanceof Problem)) throw error
          assert.match(error.errors![0]!.detail, /^(at character \d+: .|is empty|is longer)/su)
        }
      }),
      { numRuns: 3_000 },
    )
  })
})

/** The meaning of a filter, said again without compiling. */
function naive(filter: Filter, facts: Facts): boolean {
  if ('of' in filter) {
    const outcomes = filter.of.map((one) => naive(one, facts))
    return filter.op === 'and' ? !outcomes.includes(false) : outcomes.includes(true)
  }
  const value = facts[filter.field]
  const has = value !== undefined
  const numeric = has && /\d/.test(value) && /^[-+.\deE]+$/.test(value) ? Number(value) : Number.NaN
  const bound = Number(filter.values[0])
  switch (filter.op) {
    case 'is': return has && value === filter.values[0]
    case 'isNot': return !(has && value === filter.values[0])
    case 'contains': return has && value.indexOf(filter.values[0]!) >= 0
    case 'notContains': return !(has && value.indexOf(filter.values[0]!) >= 0)
    case 'in': return has && filter.values.some((one) => one === value)
    case 'notIn': return !(has && filter.values.some((one) => one === value))
    case 'greater': return numeric > bound
    case 'atLeast': return numeric >= bound
    case 'less': return numeric < bound
    case 'atMost': return numeric <= bound
  } // prettier-ignore
}
