// Reading single fields out of JSON text says what JSON.parse says of them, or that it does not know: over texts made at random,
// with every kind of value in every place, and over the same texts damaged.
import assert from 'node:assert/strict'
import { fieldsOf, namesFor } from '../../../../src/queries/fromLog/fieldsOf.ts'

const NAMES = [
  'event', 'url', 'referrer', 'title', 'userId', 'anonymousId', 'sessionId', 'device', 'ip', 'userAgent', 'browser', 'cookieless', 'unverified',
  'screen', 'language', 'interactive', 'value', 'currency', 'metadata',
] as const // prettier-ignore
const STRANGE = ['', 'events', 'e', 'meta', '__proto__', 'constructor', 'ürl', 'a"b', 'a\\', ',', '}:{']
const TEXTS = ['', 'pageview', 'https://x.test/a?b={c}&d=[1,2]', ', "event":"no"', '}', 'ünïcödé 😀', 'a "quoted" one', 'back\\slash', 'line\nbreak', '\u2028', '\ud800']

type Names = ReadonlySet<(typeof NAMES)[number]>

describe('the fields of an event\'s text', () => {
  let state = 7
  const whole = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * below)
  }
  const one = <T>(of: readonly T[]): T => of[whole(of.length)]!
  const value = (depth: number): unknown => {
    const kind = whole(depth > 2 ? 6 : 9)
    if (kind < 4) return one(TEXTS)
    if (kind === 4) return one([0, -1.5, 1e21, 1e-7, 12_345_678_901, -0])
    if (kind === 5) return one([true, false, null])
    if (kind === 6) return Array.from({ length: whole(3) }, () => value(depth + 1))
    return Object.fromEntries(Array.from({ length: whole(4) }, () => [one([...NAMES, ...STRANGE]), value(depth + 1)]))
  }
  const member = (): string => `${JSON.stringify(one([...NAMES, ...STRANGE, ...NAMES]))}:${JSON.stringify(value(0))}`
  // Names may come twice.
  const text = (): string => `{${Array.from({ length: whole(8) }, member).join(',')}}`
  const wantedNames = (): Names => new Set(NAMES.filter(() => whole(2) === 0))

  it('are those that JSON.parse finds', () => {
    let known = 0
    for (let round = 0; round < 30_000; round++) {
      const [json, names] = [text(), wantedNames()]
      const found = fieldsOf(names)(json)
      if (found === undefined) continue
      known += 1
      const all = JSON.parse(json) as Record<string, unknown>
      for (const name of names) assert.deepEqual(found[name], Object.hasOwn(all, name) ? all[name] : undefined, `${name} of ${json}`)
    }
    assert.ok(known > 5_000, `only ${known} were read at all`)
  })

  it('are left to JSON.parse where an escape or a blank stands, and where there is no whole object', () => {
    const read = fieldsOf(new Set(NAMES))
    for (const doubtful of ['{"event":"a\\"b"}', '{"\\u0065vent":"a"}', '{ "event":"a"}', '{"event" :"a"}', '{"event": "a"}', '{"event":"a" }', '{"event":"a"} ', '{}', '[]', 'null', '"a"', '']) {
      assert.equal(read(doubtful), undefined, doubtful)
    }
  })

  it('are not read from text that was cut off or goes on too long', () => {
    for (let round = 0; round < 3_000; round++) {
      const [json, names] = [text(), wantedNames()]
      if (fieldsOf(names)(json) === undefined) continue
      const cut = json.slice(0, whole(json.length))
      assert.equal(fieldsOf(names)(cut), undefined, cut)
      assert.equal(fieldsOf(names)(`${json}${one(['}', ',', 'x', '{}'])}`), undefined)
    }
    for (const broken of ['{"a":01}', '{"a":tru}', '{"a":nul}', '{"a":1.}', '{"a":}', '{"a":1,}', '{"a":1;"b":2}', '{"a":[1}', '{"a"}']) assert.equal(fieldsOf(new Set(NAMES))(broken), undefined, broken)
  })

  it('that a question needs are all that its fields, its numbers and every visit are made of', () => {
    const none = { fields: new Set<string>(), numbers: new Set<string>(), device: false, visits: true }
    assert.deepEqual([...namesFor(none)].sort(), ['anonymousId', 'cookieless', 'event', 'interactive', 'sessionId', 'url', 'userAgent', 'userId'])
    const more = (fields: string[], numbers: string[] = [], device = false): string[] => [...namesFor({ ...none, fields: new Set(fields), numbers: new Set(numbers), device })].filter((name) => !namesFor(none).has(name)).sort()
    assert.deepEqual(more(['page', 'browser', 'entryPage']), [])
    assert.deepEqual(more(['country', 'title', 'language', 'screen']), ['ip', 'language', 'screen', 'title'])
    assert.deepEqual(more(['device']), ['device'])
    assert.deepEqual(more([], [], true), ['device'])
    assert.deepEqual(more(['source', 'metadata.plan']), ['metadata', 'referrer'])
    assert.deepEqual(more(['value', 'currency'], ['value', 'metadata.seats']), ['currency', 'metadata', 'value'])
  })
})
