// Which rows hold to a filter. A condition is asked once per value that its field has anywhere, not once per event.
import { compileFilter, type Condition, type Filter } from '../../events/filter.ts'
import { ABSENT, type Dictionary } from './dictionary.ts'
import type { Field } from './rows.ts'

export type RowTest = (row: number) => boolean

/** By code of a dictionary whether a test holds; the last one is for no value. */
export function codesThat(dictionary: Dictionary, test: (value: string | undefined) => boolean): Uint8Array {
  const holds = new Uint8Array(dictionary.size + 1)
  dictionary.values.forEach((value, code) => (holds[code] = test(value) ? 1 : 0))
  holds[dictionary.size] = test(undefined) ? 1 : 0
  return holds
}

export function fieldTest({ dictionary, codes }: Field, test: (value: string | undefined) => boolean): RowTest {
  const holds = codesThat(dictionary, test)
  const none = dictionary.size
  return (row) => {
    const code = codes[row]!
    return holds[code === ABSENT ? none : code] === 1
  }
}

export function filterTest(filter: Filter, fieldOf: (name: string) => Field): RowTest {
  if (!('of' in filter)) return conditionTest(filter, fieldOf(filter.field))
  const tests = filter.of.map((one) => filterTest(one, fieldOf))
  return filter.op === 'and' ? (row) => tests.every((test) => test(row)) : (row) => tests.some((test) => test(row))
}

function conditionTest(condition: Condition, field: Field): RowTest {
  const holds = compileFilter(condition)
  return fieldTest(field, (value) => holds(() => value))
}
