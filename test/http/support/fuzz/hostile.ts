// Values that have broken programs: the edges of types and encodings, names that mean something to JavaScript, and what is
// far too much. Where a schema has a bound, its boundary and one beyond.
import type { Random } from './random.ts'
import type { Schema } from './schema.ts'

const deep = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`)

export const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__', 'length', '', ' ', '\0', '\ud800', 'a.b', 'a[b]', '$where'] as const

const TEXTS = [
  ...NAMES,
  ...['null', 'undefined', 'NaN', '-1', '1e309', '0x10', '٣', '𝟙', 'true', '[]', '{}', '\udfff\ud800', '\u202emirror', '\ufeff', 'e\u0301', 'ß'.repeat(40), '👩‍👩‍👧‍👦'.repeat(20)],
  ...["'; DROP TABLE events;--", '" OR ""="', '\\', '%', '%00', '%_%', '../../etc/passwd', '<script>alert(1)</script>', '\r\nSet-Cookie: a=b', '\n', '\t', '${7*7}', '{{7*7}}', 'javascript:alert(1)', 'http://[::1', 'http://169.254.169.254/'],
  ...['0000-00-00', '2026-02-30', '2026-13-01T00:00:00Z', '+275760-09-13T00:00:00.001Z', '-000001-01-01T00:00:00Z', '9999-12-31T23:59:60Z', '2026-01-01T25:00', '1970-01-01', '1969-12-31T23:59:59.999Z', '9007199254740993', '00000000-0000-0000-0000-000000000000', 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'],
] as const

const NUMBERS = [0, -0, -1, 1, 0.5, 1e-320, 1e21, 1e308, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 500, 501] as const

/** Anything, whatever is asked for. */
export function hostile(random: Random): unknown {
  const kind = random.int(12)
  if (kind < 5) return random.pick(TEXTS)
  if (kind < 7) return random.pick(NUMBERS)
  if (kind === 7) return random.pick([true, false, null])
  if (kind === 8) return 'x'.repeat(random.pick([129, 513, 4_097, 30_000]))
  if (kind === 9) return random.pick([[], {}, [[]], [null], [{}], Array.from({ length: 600 }, () => 0)])
  if (kind === 10) return deep(random.pick([5, 31, 33, 200, 600]))
  return JSON.parse(random.pick(['{"__proto__":{"admin":true}}', '{"constructor":{"prototype":{"a":1}}}', '{"toString":1,"valueOf":2}', '{"toJSON":"x","length":-1}', '{"$ne":null}', '{"":{"":""}}']))
}

export function hostileText(random: Random): string {
  return random.chance(0.1) ? 'x'.repeat(random.pick([65, 257, 3_000])) : random.pick(TEXTS)
}

/** Just within and just beyond what the schema allows. */
export function boundary(schema: Schema, random: Random): unknown {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems } = schema
  const edges: unknown[] = []
  for (const bound of [minimum, maximum]) if (bound !== undefined) edges.push(bound - 1, bound, bound + 1)
  for (const bound of [minLength, maxLength]) if (bound !== undefined) edges.push(...[bound - 1, bound, bound + 1].map((length) => 'x'.repeat(Math.max(0, length))))
  for (const bound of [minItems, maxItems]) if (bound !== undefined) edges.push(...[bound - 1, bound, bound + 1].map((length) => Array.from({ length: Math.max(0, length) }, () => 'x')))
  for (const value of schema.enum ?? []) if (typeof value === 'string') edges.push(value.toUpperCase(), `${value} `)
  return edges.length === 0 ? hostile(random) : random.pick(edges)
}
