// What the server makes of those who lie about where they come from, of requests that two parsers could read in two ways,
// and what it tells browsers to refuse.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { HttpDeps } from '../../src/http/deps.ts'
import { openApiDocument } from '../../src/http/openapi.ts'
import { createHttpServer } from '../../src/http/server.ts'
import { LIMITS } from '../../src/limits.ts'
import { fakeDeps, ID, listening, OWNER, userToken, WRITE_KEY } from './support/fakeDeps.ts'
import { ask, type Asked, codeOf, OWNER_CODE, startFixture, type Told } from './support/fixture.ts'

type Config = HttpDeps['config']

const GOOD = JSON.stringify({ event: 'signup' })

async function withServer<T>(overrides: Partial<HttpDeps>, work: (asking: (asked: Asked) => Promise<Told>, port: number) => Promise<T>): Promise<T> {
  const server = createHttpServer(fakeDeps(overrides))
  server.requestTimeout = 500
  server.headersTimeout = 500
  const place = await listening(server)
  try {
    return await work((asked) => ask(place.url, asked), place.port)
  } finally {
    await place.close()
  }
}

const configured = (more: Partial<Config>): Pick<HttpDeps, 'config'> => ({ config: { ...fakeDeps().config, ...more } })
const outcome = (told: Told): string => `${told.status} ${codeOf(told)}`.trim()

/** Everything that comes back on one connection until it closes. */
function raw(port: number, ...texts: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      for (const text of texts) socket.write(text)
    })
    let told = ''
    socket.on('data', (chunk) => (told += chunk.toString()))
    socket.on('close', () => resolve(told))
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? resolve(told) : reject(error)))
  })
}

const statuses = (told: string): number[] => Array.from(told.matchAll(/^HTTP\/1\.1 (\d+)/gm), ([, status]) => Number(status))

describe('whose address counts', () => {
  async function seen(trustProxy: Config['trustProxy'], forwarded: string | undefined): Promise<string | undefined> {
    let address: string | undefined
    const collector: HttpDeps['collector'] = {
      collect: (request) => {
        address = request.address
        return Promise.resolve({ status: 202, accepted: 1, ids: [ID], rejected: [] })
      },
    }
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded, forwarded: 'for=6.6.6.6', 'x-real-ip': '6.6.6.6' }
    await withServer({ collector, ...configured({ trustProxy }) }, (asking) => asking({ path: '/collect', token: WRITE_KEY, body: GOOD, headers }))
    return address
  }
  const many = Array.from({ length: 900 }, () => '6.6.6.6').join(', ')
  const CASES: [trustProxy: Config['trustProxy'], forwarded: string | undefined, address: string][] = [
    [false, '6.6.6.6', '127.0.0.1'],
    [1, undefined, '127.0.0.1'],
    [1, '6.6.6.6, 203.0.113.7', '203.0.113.7'],
    [1, `${many}, 203.0.113.7`, '203.0.113.7'],
    [2, '6.6.6.6, 203.0.113.7, 10.0.0.5', '203.0.113.7'],
    [9, '203.0.113.7, 10.0.0.5', '203.0.113.7'],
    [1, 'garbage', '127.0.0.1'],
    [1, '203.0.113.7, <script>', '127.0.0.1'],
    [2, 'unknown, 203.0.113.7', '203.0.113.7'],
    [1, ' , ,203.0.113.7', '203.0.113.7'],
    [1, '203.0.113.7:4711', '203.0.113.7'],
    [1, '[2001:db8::7]:443', '2001:db8::7'],
    [1, '[2001:db8::7]', '2001:db8::7'],
    [1, '2001:0DB8:0:0::7', '2001:db8::7'],
    [1, '::ffff:203.0.113.7', '203.0.113.7'],
    [1, '::ffff:cb00:7107', '203.0.113.7'],
    [1, '203.0.113.7:port', '127.0.0.1'],
    [1, '203.0.113.700', '127.0.0.1'],
    [['loopback', '10.0.0.0/8'], '6.6.6.6, 203.0.113.7, 10.0.0.5', '203.0.113.7'],
    [['loopback', '10.0.0.0/8'], '203.0.113.7, 10.0.0.5, 10.9.9.9', '203.0.113.7'],
    [['10.0.0.0/8'], '203.0.113.7, 10.0.0.5', '127.0.0.1'],
  ]
  for (const [trustProxy, forwarded, address] of CASES) {
    it(`trusting ${JSON.stringify(trustProxy)}, of ${forwarded?.slice(0, 60) ?? 'nothing forwarded'} it is ${address}`, async () => {
      assert.equal(await seen(trustProxy, forwarded), address)
    })
  }
})

describe('links of the server', () => {
  async function links(config: Partial<Config>, headers: Record<string, string>): Promise<string> {
    return withServer(configured(config), async (asking) => {
      const [json, page] = [await asking({ path: '/', headers }), await asking({ path: '/', headers: { ...headers, accept: 'text/html' } })]
      return json.text + page.text
    })
  }

  it('never lead to a forwarded host, and to https only where the proxy is believed', async () => {
    const headers = { host: 'stats.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', 'x-forwarded-port': '666', forwarded: 'host=evil.example;proto=https' }
    for (const trustProxy of [false, 1, ['loopback']] as const) {
      const text = await links({ trustProxy: trustProxy as Config['trustProxy'] }, headers)
      assert.ok(!text.includes('evil') && !text.includes('666'), text)
      assert.equal(text.includes('https://stats.example'), trustProxy !== false)
    }
  })

  it('hold nothing that a shell or a page would run, whatever Host and protocol say', async () => {
    for (const [name, value] of [['host', 'a.example$(id)'], ['host', '"><script>'], ['host', 'a.example/path'], ['host', 'user@a.example'], ['x-forwarded-proto', '$(id)'], ['x-forwarded-proto', 'javascript']] as const) {
      const text = await links({ trustProxy: 1 }, { [name]: value })
      assert.ok(!text.includes(value) && !text.includes('javascript:'), `${name}: ${value}`)
    }
  })

  it('lead to PUBLIC_URL where it is set, whatever the request says', async () => {
    const text = await links({ publicUrl: 'https://stats.example', trustProxy: 1 }, { host: 'evil.example', 'x-forwarded-proto': 'http' })
    assert.ok(text.includes('https://stats.example/auth/local') && !text.includes('evil.example'), text)
  })
})

describe('what browsers are told', function () {
  this.timeout(30_000)

  it('is a strict policy on every kind of answer, with inline styles on /api-docs alone', async () => {
    await withServer({}, async (asking) => {
      const token = userToken(fakeDeps(), OWNER)
      for (const asked of [{ path: '/' }, { path: '/openapi.json' }, { path: '/api-docs' }, { path: '/api-docs/' }, { path: '/api-docs/start.js' }, { path: '/health/live' }, { path: '/nothing' }, { path: '/apps', method: 'DELETE' }, { path: `/auth/api-key?appId=x`, token }]) {
        const { headers } = await asking(asked)
        const policy = String(headers['content-security-policy'])
        for (const needed of ["default-src 'none'", "script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"]) assert.ok(policy.includes(needed), policy)
        assert.ok(!/unsafe-eval|https?:|\*/.test(policy), policy)
        assert.equal(policy.includes("'unsafe-inline'"), /^\/api-docs\/?$/i.test(asked.path), asked.path)
        assert.match(policy, /script-src 'self';/)
        assert.deepEqual(
          ['x-content-type-options', 'x-frame-options', 'referrer-policy', 'cross-origin-opener-policy', 'cross-origin-resource-policy', 'strict-transport-security', 'x-powered-by'].map((name) => headers[name]),
          ['nosniff', 'DENY', 'no-referrer', 'same-origin', 'same-origin', undefined, undefined],
          asked.path,
        )
        assert.match(String(headers['permissions-policy']), /camera=\(\)/)
      }
      assert.equal((await asking({ path: '/collect', token: WRITE_KEY, body: GOOD })).headers['x-content-type-options'], 'nosniff')
    })
  })

  it('is to insist on https only where that is how the server is reached', async () => {
    for (const [publicUrl, expected] of [['https://stats.example', 'max-age=31536000'], ['http://stats.example', undefined], [undefined, undefined]] as const) {
      await withServer(configured({ publicUrl }), async (asking) => assert.equal((await asking({ path: '/' })).headers['strict-transport-security'], expected))
    }
  })

  it('is to keep no answer that holds a credential', async () => {
    const fixture = await startFixture()
    try {
      const { app } = fixture
      const signIn = await fixture.ask({ path: '/auth/local', body: { code: OWNER_CODE } })
      const issued = await fixture.ask({ path: '/auth/api-key', token: app.userToken, body: { appId: app.appId } })
      const rotated = await fixture.ask({ path: '/auth/regenerate', token: app.userToken, body: { keyId: issued.body['keyId'] } })
      const refreshed = await fixture.ask({ path: '/auth/refresh', body: { refreshToken: signIn.body['refreshToken'] } })
      for (const told of [signIn, issued, rotated, refreshed]) {
        assert.match(told.text, /"token":"eyJ/)
        assert.equal(told.headers['cache-control'], 'no-store')
      }
      assert.match(String((await fixture.ask({ path: '/apps', token: app.userToken })).headers['cache-control']), /^private, no-cache$/)
    } finally {
      await fixture.close()
    }
  })
})

/** What a route cannot do without. */
function queryOf({ parameters }: Record<string, unknown>, known: Record<string, string>): string {
  const needed = ((parameters ?? []) as { name: string; in: string; required: boolean }[]).filter((one) => one.in === 'query' && one.required)
  return needed.length === 0 ? '' : `?${needed.map(({ name }) => `${name}=${known[name] ?? ID}`).join('&')}`
}

describe('bodies', function () {
  this.timeout(60_000)

  it('are bounded in bytes and depth by every route that takes one', async () => {
    const fixture = await startFixture()
    try {
      const known: Record<string, string> = { appId: fixture.app.appId, name: 'web', build: '1', number: '1' }
      const deep = `{"a":${'['.repeat(LIMITS.jsonDepth)}${']'.repeat(LIMITS.jsonDepth)}}`
      const long = JSON.stringify({ a: 'x'.repeat(LIMITS.jsonBodyBytes) })
      let routes = 0
      for (const [template, item] of Object.entries(openApiDocument().paths)) {
        for (const [method, operation] of Object.entries(item)) {
          if (!('requestBody' in operation) || template === '/collect') continue
          routes += 1
          const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => known[name] ?? ID) + queryOf(operation, known)
          const asked = { method: method.toUpperCase(), path, token: fixture.app.userToken }
          assert.deepEqual([`${method} ${path}`, outcome(await fixture.ask({ ...asked, body: long }))], [`${method} ${path}`, '413 payload_too_large'])
          assert.deepEqual([`${method} ${path}`, outcome(await fixture.ask({ ...asked, body: deep }))], [`${method} ${path}`, '400 invalid_body'])
          const plain = { ...asked, headers: { 'content-type': 'text/plain' }, body: '{}' }
          assert.deepEqual([`${method} ${path}`, outcome(await fixture.ask(plain))], [`${method} ${path}`, '415 unsupported_media_type'])
        }
      }
      assert.ok(routes > 10, String(routes))
    } finally {
      await fixture.close()
    }
  })
})

describe('requests that could be read in two ways', function () {
  this.timeout(30_000)
  const post = (headers: string, body: string): string => `POST /collect HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${WRITE_KEY}\r\n${headers}\r\n\r\n${body}`
  const last = 'GET /health/live HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'
  const chunked = `${GOOD.length.toString(16)}\r\n${GOOD}\r\n0\r\n\r\n`

  const REFUSED: Record<string, string> = {
    'a length and chunks': post(`content-length: 5\r\ntransfer-encoding: chunked`, `0\r\n\r\n${last}`),
    'chunks and a length': post(`transfer-encoding: chunked\r\ncontent-length: 5`, `0\r\n\r\n${last}`),
    'two lengths': post(`content-length: ${GOOD.length}\r\ncontent-length: 5`, GOOD),
    'a list of lengths': post(`content-length: ${GOOD.length}, 5`, GOOD),
    'a length with a sign': post(`content-length: +${GOOD.length}`, GOOD),
    'a negative length': post('content-length: -1', GOOD),
    'a blank before the colon': post(`content-length : ${GOOD.length}`, GOOD),
    'a folded header': post(`x-a: 1\r\n content-length: 5\r\ncontent-length: ${GOOD.length}`, GOOD).replace('x-a: 1\r\n content', 'x-a\r\n content'),
    'chunks that are not last': post('transfer-encoding: chunked, identity', chunked),
    'a chunk size that is none': post('transfer-encoding: chunked', `zz\r\n${GOOD}\r\n0\r\n\r\n`),
    'a NUL in a header': post(`x-a: \0\r\ncontent-length: ${GOOD.length}`, GOOD),
    'no host': last.replace('host: a\r\n', ''),
    'another protocol': 'GET / HTTP/3.0\r\nhost: a\r\n\r\n',
  }
  for (const [what, text] of Object.entries(REFUSED)) {
    it(`are refused and end the connection: ${what}`, async () => {
      await withServer({}, async (_asking, port) => {
        const told = await raw(port, text, last)
        assert.deepEqual(statuses(told), [400], told)
        assert.match(told, /connection: close/i)
      })
    })
  }

  it('have one answer each, in order, when they come at once', async () => {
    await withServer({}, async (_asking, port) => {
      const told = await raw(port, post(`content-length: ${GOOD.length}`, GOOD) + post('transfer-encoding: chunked', chunked) + last)
      assert.deepEqual(statuses(told), [202, 202, 200])
    })
  })

  it('do not begin in the body of one that was refused unread', async () => {
    await withServer({}, async (_asking, port) => {
      const smuggled = 'DELETE /apps HTTP/1.1\r\nhost: a\r\n\r\n'
      for (const refused of [`POST /collect HTTP/1.1\r\nhost: a\r\nauthorization: Bearer rk_unknown\r\ncontent-length: ${smuggled.length}\r\n\r\n${smuggled}`, `POST /apps HTTP/1.1\r\nhost: a\r\ncontent-length: ${smuggled.length}\r\n\r\n${smuggled}`]) {
        const told = statuses(await raw(port, refused + last))
        assert.ok(told.length === 2 && told[0]! >= 400 && told[1] === 200, told.join())
      }
      // One that is too long is not read to its end: the connection is.
      const long = await raw(port, post(`content-length: ${LIMITS.bodyBytes + smuggled.length}`, smuggled) + last)
      assert.deepEqual(statuses(long), [413])
    })
  })

  it('are awaited where they ask first, and refused where they ask for anything else', async () => {
    await withServer({}, async (_asking, port) => {
      const told = await raw(port, post(`content-length: ${GOOD.length}\r\nexpect: 100-continue\r\nconnection: close`, GOOD))
      assert.deepEqual(statuses(told), [100, 202])
      assert.deepEqual(statuses(await raw(port, post('content-length: 0\r\nexpect: the worst\r\nconnection: close', ''))), [400])
    })
  })

  it('end when their headers come too slowly, too long or too many', async () => {
    await withServer({}, async (asking, port) => {
      const [slow, held] = await Promise.all([raw(port, 'GET / HTTP/1.1\r\nhost: a\r\nx-a: '), raw(port, post('content-length: 10', '{'))])
      assert.deepEqual([statuses(slow), statuses(held)], [[408], [408]])
      const many = Array.from({ length: 5_000 }, (_, at) => `a${at}: b`).join('\r\n')
      assert.deepEqual(statuses(await raw(port, `GET / HTTP/1.1\r\nhost: a\r\n${many}\r\n\r\n`)), [431])
      assert.deepEqual(statuses(await raw(port, `GET /${'x'.repeat(LIMITS.urlBytes)} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)), [414])
      assert.equal((await asking({ path: '/health/live' })).status, 200)
    })
  })
})
