// Reads the text of a filter by recursive descent, a character at a time and never back, so that a fault is told where it
// is: "at character 17: …". Bounded in length, conditions and depth.
import { type ErrorCode, Problem } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import { numberOf } from './decimals.ts'
import type { Condition, Filter, FilterOperator } from './filter.ts'

const METADATA = 'metadata.'
const BLANKS = /\s*/uy
/** Operators may follow without a blank, so a bare field stops at their signs; a bare value (a path, say) does not. */
const BARE_FIELD = /[^\s()",=<>!]+/uy
const BARE_VALUE = /[^\s()",]+/uy
const LETTERS = /[a-z]+/iuy
const SIGN = /<=|>=|==|!=|<>|=|<|>/uy
/** Bare, these would be read as something else than a value sooner or later. */
const RESERVED = new Set(['and', 'or', 'not', 'in', 'is', 'contains', 'does', 'contain', 'greater', 'less', 'than', 'at', 'least', 'most'])

const BY_SIGN: Readonly<Record<string, FilterOperator>> = {
  '=': 'is',
  '==': 'is',
  '!=': 'isNot',
  '<>': 'isNot',
  '>': 'greater',
  '>=': 'atLeast',
  '<': 'less',
  '<=': 'atMost',
}

/** Longest first: `is not` is no `is` with the value `not`. */
const BY_WORDS: readonly (readonly [words: readonly string[], op: FilterOperator])[] = [
  [['is', 'not', 'in'], 'notIn'],
  [['is', 'not'], 'isNot'],
  [['is', 'in'], 'in'],
  [['is'], 'is'],
  [['does', 'not', 'contain'], 'notContains'],
  [['not', 'contains'], 'notContains'],
  [['contains'], 'contains'],
  [['not', 'in'], 'notIn'],
  [['in'], 'in'],
  [['greater', 'than'], 'greater'],
  [['greater'], 'greater'],
  [['less', 'than'], 'less'],
  [['less'], 'less'],
  [['at', 'least'], 'atLeast'],
  [['at', 'most'], 'atMost'],
]

const OPERATORS = 'is, is not, contains, does not contain, in, not in, >, >=, < or <='
const NUMERIC: ReadonlySet<FilterOperator> = new Set(['greater', 'atLeast', 'less', 'atMost'])

export class FilterReader {
  private at = 0
  private conditions = 0
  private depth = 0

  constructor(
    private readonly text: string,
    private readonly fields: readonly string[],
    private readonly fault: { readonly path: string; readonly code: ErrorCode },
  ) {}

  read(): Filter {
    if (this.text.length > LIMITS.filterChars) this.fail(`is longer than ${LIMITS.filterChars} characters`)
    this.skip()
    if (this.at === this.text.length) this.fail('is empty; a filter is for example: page is "/pricing" and country in (DE, FR)')
    const filter = this.joined('or', () => this.joined('and', () => this.term()))
    if (this.at < this.text.length) {
      if (this.text[this.at] === ')') this.fail('this parenthesis closes nothing', this.at)
      this.fail(`"${this.glance()}" comes unexpected: write "and" or "or" between conditions, and quotes around values of several words`, this.at)
    }
    return filter
  }

  private joined(op: 'and' | 'or', next: () => Filter): Filter {
    const first = next()
    const all = [first]
    while (this.words([op])) all.push(next())
    if (all.length === 1) return first
    return { op, of: all.flatMap((one) => (one.op === op && 'of' in one ? one.of : [one])) }
  }

  private term(): Filter {
    if (!this.sign('(')) return this.condition()
    const opened = this.at - 1
    if (++this.depth > LIMITS.filterConditions) this.fail(`more than ${LIMITS.filterConditions} parentheses inside one another`, opened)
    this.skip()
    const inner = this.joined('or', () => this.joined('and', () => this.term()))
    if (!this.sign(')')) {
      if (this.at === this.text.length) this.fail('this parenthesis is never closed', opened)
      this.fail(`"${this.glance()}" comes unexpected: a closing parenthesis, "and" or "or" goes here`, this.at)
    }
    this.depth -= 1
    this.skip()
    return inner
  }

  private condition(): Condition {
    const start = this.at
    if (++this.conditions > LIMITS.filterConditions) this.fail(`more than ${LIMITS.filterConditions} conditions`, start)
    const field = this.field()
    this.skip()
    const op = this.operator(field)
    const values = op === 'in' || op === 'notIn' ? this.list() : [this.value(op)]
    return { op, field, values }
  }

  private field(): string {
    const start = this.at
    const name = this.match(BARE_FIELD)
    if (name === undefined) {
      const what = start === this.text.length ? 'a condition is missing' : `"${this.glance()}" is no field`
      this.fail(`${what}; a condition begins with a dimension, metadata.<key>, value or currency`, start)
    }
    if (name === METADATA && this.text[this.at] === '"') {
      const key = this.quoted()
      if (key === '') this.fail('the key after "metadata." is empty', start)
      return METADATA + key
    }
    if (name === METADATA || name === 'metadata') this.fail('a key is missing: write metadata.<key>, or metadata."<key>"', start)
    if (name.startsWith(METADATA) || this.fields.includes(name)) return name
    const near = nearest(name, this.fields)
    const hint = near === undefined ? `; known are ${this.fields.join(', ')} and metadata.<key>` : `; did you mean ${near}?`
    this.fail(`"${shortened(name)}" is no dimension${hint}`, start)
  }

  private operator(field: string): FilterOperator {
    const start = this.at
    const sign = this.match(SIGN)
    if (sign !== undefined) {
      this.skip()
      return BY_SIGN[sign]!
    }
    for (const [words, op] of BY_WORDS) {
      if (!this.words(words)) continue
      return NUMERIC.has(op) && this.words(['or', 'equal', 'to']) ? (op === 'greater' ? 'atLeast' : 'atMost') : op
    }
    const found = start === this.text.length ? 'the filter ends' : `"${this.glance()}" stands`
    this.fail(`${found} where ${shortened(field)} needs an operator: ${OPERATORS}`, start)
  }

  private list(): string[] {
    if (!this.sign('(')) this.fail('a list goes here: ("one", "another")', this.at)
    const opened = this.at - 1
    const values: string[] = []
    do {
      this.skip()
      values.push(this.value('in'))
    } while (this.sign(','))
    if (!this.sign(')')) {
      if (this.at === this.text.length) this.fail('this list is never closed', opened)
      this.fail(`"${this.glance()}" comes unexpected: a comma or a closing parenthesis goes here`, this.at)
    }
    this.skip()
    return values
  }

  private value(op: FilterOperator): string {
    const start = this.at
    const isQuoted = this.text[start] === '"' || this.text[start] === "'"
    const value = isQuoted ? this.quoted() : this.match(BARE_VALUE)
    if (value === undefined) this.fail(start === this.text.length ? 'a value is missing' : `"${this.glance()}" is no value; put values in quotes`, start)
    if (!isQuoted && RESERVED.has(value.toLowerCase())) this.fail(`a value is missing; if "${value}" is meant as one, put it in quotes`, start)
    if (NUMERIC.has(op) && numberOf(value) === undefined) this.fail(`"${shortened(value)}" is no number, and greater and less compare numbers`, start)
    this.skip()
    return value
  }

  private quoted(): string {
    const start = this.at
    const quote = this.text[start]!
    let value = ''
    for (this.at += 1; this.at < this.text.length; this.at++) {
      const character = this.text[this.at]!
      if (character === quote) {
        this.at += 1
        return value
      }
      if (character !== '\\') value += character
      else value += this.escaped()
    }
    this.fail('this quote is never closed', start)
  }

  private escaped(): string {
    const next = this.text[(this.at += 1)]
    if (next === '\\' || next === '"' || next === "'") return next
    this.fail('after a backslash in quotes goes a quote or another backslash', this.at - 1)
  }

  /** Takes these words, whole and in any case, or nothing. */
  private words(expected: readonly string[]): boolean {
    const start = this.at
    for (const word of expected) {
      if (this.match(LETTERS)?.toLowerCase() !== word || /[^\s()",'=<>!]/u.test(this.text[this.at] ?? ' ')) {
        this.at = start
        return false
      }
      this.skip()
    }
    return true
  }

  private sign(sign: string): boolean {
    if (this.text[this.at] !== sign) return false
    this.at += 1
    return true
  }

  private skip(): void {
    this.match(BLANKS)
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.at += found.length
    return found
  }

  /** What stands here, for words about it. */
  private glance(): string {
    return shortened(/^[^\s()",]+|^./su.exec(this.text.slice(this.at))?.[0] ?? '')
  }

  private fail(what: string, at?: number): never {
    const detail = at === undefined ? what : `at character ${Array.from(this.text.slice(0, at)).length + 1}: ${what}`
    throw new Problem(this.fault.code, undefined, { errors: [{ path: this.fault.path, detail }] })
  }
}

function shortened(text: string): string {
  const characters = Array.from(text)
  return characters.length <= 40 ? text : `${characters.slice(0, 40).join('')}…`
}

/** The name that was most likely meant; undefined where none is near. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[_.\-\s]/g, '')
  const wanted = plain(name).slice(0, 40)
  let best: { readonly name: string; readonly distance: number } | undefined
  for (const candidate of names) {
    const distance = editDistance(wanted, plain(candidate))
    if (distance <= Math.max(1, Math.floor(candidate.length / 3)) && distance < (best?.distance ?? Infinity)) best = { name: candidate, distance }
  }
  return best?.name
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, at) => at)
  for (let at = 1; at <= left.length; at++) {
    const next = [at]
    for (let to = 1; to <= right.length; to++) {
      const swap = left[at - 1] === right[to - 1] ? 0 : 1
      next.push(Math.min(row[to]! + 1, next[to - 1]! + 1, row[to - 1]! + swap))
    }
    row = next
  }
  return row.at(-1)!
}
