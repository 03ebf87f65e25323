// What a request means as an event.
import assert from 'node:assert/strict'
import { accessLogEvent, isAsset, requestKind } from '../../../src/cli/formats/accessLog.ts'
import { parseCombined } from '../../../src/cli/formats/combined.ts'

function event(line: string, site?: string): Record<string, unknown> {
  const parsed = parseCombined(line)
  assert.ok(typeof parsed !== 'string', `${line} is not understood`)
  return accessLogEvent(parsed, site)
}

describe('requests as events', () => {
  const kinds: [method: string | undefined, target: string | undefined, status: number, kind: string][] = [
    ['GET', '/', 200, 'pageview'],
    ['GET', '/blog/post.html', 304, 'pageview'],
    ['GET', '/feed?flav=rss20', 206, 'pageview'],
    ['GET', '/download.php?file=a.zip', 200, 'pageview'],
    ['GET', '/style.css?v=3', 200, 'asset'],
    ['GET', '/IMG.PNG', 304, 'asset'],
    ['HEAD', '/logo.svg', 200, 'asset'],
    ['GET', '/favicon.ico', 301, 'asset'],
    ['GET', '/robots.txt', 200, 'asset'],
    ['GET', '/missing.png', 404, 'error'],
    ['GET', '/', 500, 'error'],
    ['POST', '/login', 403, 'error'],
    [undefined, undefined, 400, 'error'],
    ['GET', '/old', 301, 'request'],
    ['GET', '/old', 302, 'request'],
    ['POST', '/form', 200, 'request'],
    ['HEAD', '/', 200, 'request'],
    ['OPTIONS', '*', 200, 'request'],
    [undefined, undefined, 200, 'request'],
  ]
  for (const [method, target, status, kind] of kinds) {
    it(`${method ?? '-'} ${target ?? '-'} ${status} is a ${kind}`, () => assert.equal(requestKind(method, target, status), kind))
  }

  it('looks for the extension in the path and not in the query', () => {
    assert.equal(isAsset('/page?image=a.png'), false)
    assert.equal(isAsset('/a.png?page=1'), true)
    assert.equal(isAsset('/a.pngx'), false)
    assert.equal(isAsset('/png'), false)
  })

  it('keeps method, status and bytes, the visitor and the time of the line', () => {
    const made = event('1.2.3.4 - - [17/May/2015:12:05:03 +0200] "GET /a HTTP/1.1" 200 7 "http://r.test/" "UA"', 'https://x.test')
    assert.deepEqual(made, {
      event: 'pageview',
      timestamp: '2015-05-17T10:05:03.000Z',
      url: 'https://x.test/a',
      referrer: 'http://r.test/',
      ipAddress: '1.2.3.4',
      userAgent: 'UA',
      metadata: { method: 'GET', status: 200, bytes: 7 },
    })
  })

  it('leaves out what the server did not know, and marks what is no pageview as not interactive', () => {
    const made = event('1.2.3.4 - - [17/May/2015:10:05:03 +0000] "\\x16\\x03" 400 - "-" "-"')
    assert.deepEqual(made, { event: 'error', timestamp: '2015-05-17T10:05:03.000Z', ipAddress: '1.2.3.4', interactive: false, metadata: { status: 400 } })
  })

  it('never takes a path for a host', () => {
    assert.equal(event('1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET //evil.test/x HTTP/1.1" 200 1 "-" "x"', 'https://x.test')['url'], 'https://x.test//evil.test/x')
    assert.equal(event('1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET http://x.test/y HTTP/1.1" 200 1 "-" "x"', 'https://z.test')['url'], 'http://x.test/y')
    assert.equal(event('1.2.3.4 - - [17/May/2015:10:05:03 +0000] "CONNECT x.test:443 HTTP/1.1" 405 1 "-" "x"', 'https://z.test')['url'], undefined)
  })

  it('makes no address of a host name', () => {
    assert.equal('ipAddress' in event('crawler.example.com - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "x"'), false)
  })
})
