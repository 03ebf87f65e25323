// Access-log lines as servers, bots and attackers write them: what is understood, and what is said of the rest.
import assert from 'node:assert/strict'
import { type CombinedLine, parseClfTime, parseCombined } from '../../../src/cli/formats/combined.ts'

const AT = Date.UTC(2015, 4, 17, 10, 5, 3)
const HEAD = '83.149.9.216 - - [17/May/2015:10:05:03 +0000]'

function parsed(line: string): CombinedLine {
  const result = parseCombined(line)
  assert.ok(typeof result !== 'string', `${line} is not understood`)
  return result
}

describe('combined access-log lines', () => {
  const good: [what: string, line: string, expected: Partial<CombinedLine>][] = [
    ['a plain request', `${HEAD} "GET /a.png HTTP/1.1" 200 203023 "http://x.test/" "Mozilla/5.0"`, { host: '83.149.9.216', time: AT, method: 'GET', target: '/a.png', status: 200, bytes: 203023, referrer: 'http://x.test/', agent: 'Mozilla/5.0' }],
    ['absent referrer and agent', `${HEAD} "GET / HTTP/1.0" 304 - "-" "-"`, { status: 304, bytes: undefined, referrer: undefined, agent: undefined }],
    ['empty referrer and agent', `${HEAD} "GET / HTTP/1.0" 304 0 "" ""`, { bytes: 0, referrer: undefined, agent: undefined }],
    ['a user name', `10.0.0.1 - frank [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "x"`, { user: 'frank' }],
    ['a user name with a space', `10.0.0.1 - Frank Smith [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "x"`, { user: 'Frank Smith' }],
    ['an IPv6 host', `2001:db8::1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "x"`, { host: '2001:db8::1' }],
    ['an offset', `1.2.3.4 - - [17/May/2015:12:05:03 +0200] "GET / HTTP/1.1" 200 1 "-" "x"`, { time: AT }],
    ['a negative half-hour offset', `1.2.3.4 - - [17/May/2015:06:35:03 -0330] "GET / HTTP/1.1" 200 1 "-" "x"`, { time: AT }],
    ['HTTP/2', `${HEAD} "GET /x HTTP/2.0" 200 1 "-" "x"`, { method: 'GET', target: '/x' }],
    ['HTTP/3', `${HEAD} "GET /x HTTP/3" 200 1 "-" "x"`, { method: 'GET', target: '/x' }],
    ['a request without protocol (HTTP/0.9)', `${HEAD} "GET /x" 200 1 "-" "x"`, { method: 'GET', target: '/x' }],
    ['an absolute target', `${HEAD} "GET http://x.test/y HTTP/1.1" 200 1 "-" "x"`, { target: 'http://x.test/y' }],
    ['quotes inside the agent', `${HEAD} "GET / HTTP/1.1" 200 1 "-" "a \\"b\\" c"`, { agent: 'a "b" c' }],
    ['an agent that ends with a backslash', `${HEAD} "GET / HTTP/1.1" 200 1 "-" "a\\\\"`, { agent: 'a\\' }],
    ['bytes written as \\xHH', `${HEAD} "GET / HTTP/1.1" 200 1 "http://caf\\xc3\\xa9.test/" "x"`, { referrer: 'http://café.test/' }],
    ['a TLS handshake on a plain port', `${HEAD} "\\x16\\x03\\x01" 400 226 "-" "-"`, { method: undefined, target: undefined, status: 400 }],
    ['a request of nothing', `${HEAD} "-" 408 - "-" "-"`, { method: undefined, status: 408 }],
    ['an empty request', `${HEAD} "" 400 0 "-" "-"`, { method: undefined, target: undefined }],
    ['a target with a space', `${HEAD} "GET /a b HTTP/1.1" 200 1 "-" "x"`, { method: undefined, target: undefined }],
    ['fields after the agent', `${HEAD} "GET / HTTP/1.1" 200 1 "-" "x" 0.123 "10.0.0.9"`, { agent: 'x' }],
    ['brackets and quotes in a target', `${HEAD} "GET /?a[0]=%22 HTTP/1.1" 200 1 "-" "x"`, { target: '/?a[0]=%22' }],
    ['script in the agent', `${HEAD} "GET / HTTP/1.1" 200 1 "-" "<script>alert(1)</script>'; DROP TABLE events; --"`, { agent: "<script>alert(1)</script>'; DROP TABLE events; --" }],
    ['a lower-case method', `${HEAD} "get / HTTP/1.1" 400 1 "-" "x"`, { method: undefined }],
  ]
  for (const [what, line, expected] of good) {
    it(`understands ${what}`, () => {
      const result = parsed(line)
      for (const [key, value] of Object.entries(expected)) assert.deepEqual(result[key as keyof CombinedLine], value, key)
    })
  }

  const bad: [what: string, line: string, reason: RegExp][] = [
    ['nothing', '', /host/],
    ['one word', 'hello', /host/],
    ['a leading space', ' - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "x"', /host/],
    ['no time', '1.2.3.4 - - "GET / HTTP/1.1" 200 1 "-" "x"', /time/],
    ['a month that is none', '1.2.3.4 - - [17/Mai/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "x"', /time that is none: 17\/Mai/],
    ['31 February', '1.2.3.4 - - [31/Feb/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "x"', /time that is none/],
    ['hour 24', '1.2.3.4 - - [17/May/2015:24:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "x"', /time that is none/],
    ['a time without offset', '1.2.3.4 - - [17/May/2015:10:05:03] "GET / HTTP/1.1" 200 1 "-" "x"', /time that is none/],
    ['an unterminated request', `${HEAD} "GET / HTTP/1.1 200 1`, /unterminated quote in the request/],
    ['an unterminated referrer', `${HEAD} "GET / HTTP/1.1" 200 1 "http://x.test`, /unterminated quote in the referrer/],
    ['an unterminated agent', `${HEAD} "GET / HTTP/1.1" 200 235 "-" "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html`, /unterminated quote in the user agent/],
    ['an agent whose last quote is escaped', `${HEAD} "GET / HTTP/1.1" 200 1 "-" "a\\"`, /unterminated quote in the user agent/],
    ['no status', `${HEAD} "GET / HTTP/1.1" - 1 "-" "x"`, /status/],
    ['a status of two digits', `${HEAD} "GET / HTTP/1.1" 20 1 "-" "x"`, /status/],
    ['negative bytes', `${HEAD} "GET / HTTP/1.1" 200 -5 "-" "x"`, /status and bytes/],
    ['the common format', `${HEAD} "GET / HTTP/1.1" 200 2326`, /common format/],
    ['no agent', `${HEAD} "GET / HTTP/1.1" 200 1 "-"`, /no user agent/],
    ['text glued to the agent', `${HEAD} "GET / HTTP/1.1" 200 1 "-" "x"y`, /right after the user agent/],
    ['JSON', '{"host":"1.2.3.4","time":"x"}', /host|time/],
    ['a million brackets', `1.2.3.4 - - ${' ['.repeat(200_000)}`, /request in quotes/],
    ['a million backslashes', `${HEAD} "GET ${'\\'.repeat(100_000)}`, /unterminated quote/],
  ]
  for (const [what, line, reason] of bad) {
    it(`says what is wrong with ${what}`, () => {
      const startedAt = performance.now()
      const result = parseCombined(line)
      assert.ok(typeof result === 'string', JSON.stringify(result).slice(0, 200))
      assert.match(result, reason)
      assert.ok(performance.now() - startedAt < 500, 'takes time linear in the line')
    })
  }

  it('looks for quotes in linear time behind many backslashes', () => {
    const line = `${HEAD} "GET ${'\\"'.repeat(100_000)}`
    const startedAt = performance.now()
    assert.equal(parseCombined(line), 'has an unterminated quote in the request')
    assert.ok(performance.now() - startedAt < 500)
  })

  it('takes a leap second for the second after', () => {
    assert.equal(parseClfTime('30/Jun/2015:23:59:60 +0000'), Date.UTC(2015, 6, 1))
  })
})
