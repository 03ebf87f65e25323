// What pages of other sites can make a browser do here: send events where a key lets them, and nothing else. Held over every
// route of the OpenAPI document, so that a route which is added is held to it as well.
import assert from 'node:assert/strict'
import { openApiDocument } from '../../src/http/openapi.ts'
import { startBrowser } from '../support/browser.ts'
import { ID } from './support/fakeDeps.ts'
import { type Asked, codeOf, type Fixture, startFixture, type Told } from './support/fixture.ts'

interface Route {
  readonly method: string
  readonly path: string
  /** Whether a browser that is signed in may use it. */
  readonly byCookie: boolean
}

const outcome = (told: Told): string => `${told.status} ${codeOf(told)}`.trim()
const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

function routes(appId: string): Route[] {
  const known: Record<string, string> = { appId, name: 'web', build: '1' }
  return Object.entries(openApiDocument().paths).flatMap(([template, item]) =>
    Object.entries(item).map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path: template.replaceAll(/\{(\w+)\}/g, (_, name: string) => known[name] ?? ID),
      byCookie: Array.isArray(security) && security.some((one: object) => 'userCookie' in one),
    })),
  )
}

describe('pages of other sites', function () {
  this.timeout(120_000)
  let fixture: Fixture

  before(async () => (fixture = await startFixture()))
  after(() => fixture.close())

  it('may read the answers of /collect alone', async () => {
    const origin = 'https://bakery.example'
    let asked = 0
    for (const { method, path } of routes(fixture.app.appId)) {
      const headers = { origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization, content-type' }
      const preflight = await fixture.ask({ method: 'OPTIONS', path, headers })
      const told = path.includes('progress') || path.includes('stream') ? undefined : await fixture.ask({ method, path, headers: { origin }, ...(WRITES.has(method) ? { body: {} } : {}) })
      const names = [preflight, told].flatMap((one) => Object.keys(one?.headers ?? {})).filter((name) => name.startsWith('access-control-'))
      if (path === '/collect') assert.ok(names.includes('access-control-allow-methods') && !names.includes('access-control-allow-credentials'))
      else assert.deepEqual(names, [], `${method} ${path}`)
      asked += 1
    }
    assert.ok(asked > 30, String(asked))
  })

  describe('with the cookie of somebody who is signed in', () => {
    const writing = (appId = fixture.app.appId): Route[] => routes(appId).filter(({ method, byCookie }) => WRITES.has(method) && byCookie)
    const withCookie = ({ method, path }: Route, headers: Record<string, string>, token = fixture.app.userToken): Asked => ({ method, path, headers: { cookie: `recount_user=${token}`, ...headers }, body: {} })

    it('change nothing, whatever they say of where they come from', async () => {
      const { host, port, origin } = new URL(fixture.url)
      const foreign: Record<string, string>[] = [
        {},
        { origin: 'null' },
        { origin: 'https://evil.example' },
        { origin: `http://sub.${host}` },
        { origin: `http://${host}.evil.example` },
        { origin: `http://localhost:${Number(port) + 1}` },
        { origin: 'http://localhost' },
        { origin: `${origin}, https://evil.example` },
        { origin, 'sec-fetch-site': 'cross-site' },
        { origin, 'sec-fetch-site': 'same-site' },
        { referer: `${origin}/`, 'sec-fetch-site': 'same-origin' },
        { origin: 'https://evil.example', 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' },
        { origin: 'https://evil.example', 'content-type': 'text/plain' },
      ]
      const own = writing()
      assert.ok(own.length > 12, String(own.length))
      for (const route of own) {
        for (const headers of foreign) {
          assert.deepEqual([route.method, route.path, headers, outcome(await fixture.ask(withCookie(route, headers)))], [route.method, route.path, headers, '403 origin_not_allowed'])
        }
      }
      assert.equal((await fixture.ask({ path: `/apps/${fixture.app.appId}`, token: fixture.app.userToken })).status, 200)
    })

    it('cannot pass a form for JSON, nor one method for another', async () => {
      const { origin } = new URL(fixture.url)
      const cookie = `recount_user=${fixture.app.userToken}`
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=a', 'text/plain; application/json']) {
        const told = await fixture.ask({ path: '/auth/register', headers: { cookie, origin, 'content-type': type }, body: '{"name":"a"}' })
        assert.equal(outcome(told), '415 unsupported_media_type', type)
      }
      const path = `/apps/${fixture.app.appId}`
      for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
        assert.equal(outcome(await fixture.ask({ method: 'POST', path, headers: { cookie, origin, [name]: 'DELETE' }, body: {} })), '405 method_not_allowed')
        assert.equal((await fixture.ask({ path, headers: { cookie, [name]: 'DELETE' } })).status, 200)
      }
      assert.equal(outcome(await fixture.ask({ path: '/apps?_method=POST', headers: { cookie } })), '400 invalid_parameter')
      assert.equal((await fixture.ask({ path, token: fixture.app.userToken })).status, 200)
    })

    it('go by PUBLIC_URL where it is set: its scheme, host and port, not its path', async () => {
      const behind = await startFixture({ PUBLIC_URL: 'https://stats.example/recount' })
      try {
        const asked = (origin: string): Asked => ({ path: '/auth/register', headers: { cookie: `__Host-recount_user=${behind.app.userToken}`, origin, host: 'stats.example' }, body: { name: 'Shop' } })
        for (const origin of ['http://stats.example', 'https://stats.example:8443', 'https://sub.stats.example', 'https://stats.example.evil.example', 'https://evilstats.example', behind.url, 'null']) {
          assert.equal(outcome(await behind.ask(asked(origin))), '403 origin_not_allowed', origin)
        }
        assert.equal((await behind.ask(asked('https://stats.example'))).status, 201)
      } finally {
        await behind.close()
      }
    })

    it('are told apart from our own', async () => {
      // Alone: what comes from our own pages may delete the app and sign its owner out.
      const alone = await startFixture()
      try {
        const { origin } = new URL(alone.url)
        for (const route of writing(alone.app.appId)) {
          const told = await alone.ask({ ...withCookie(route, { origin, 'sec-fetch-site': 'same-origin' }, alone.app.userToken), body: { nonsense: true } })
          assert.notEqual(codeOf(told), 'origin_not_allowed', `${route.method} ${route.path}`)
        }
      } finally {
        await alone.close()
      }
    })
  })

  describe('with a key', () => {
    const collect = (writeKey: string, origin: string | undefined, more: Partial<Asked> = {}): Promise<Told> =>
      fixture.ask({ path: '/collect', token: writeKey, body: { event: 'signup' }, headers: origin === undefined ? {} : { origin }, ...more })

    it('send events from the origins that it names, by scheme, host and port', async () => {
      const { writeKey } = await fixture.issue({ allowedOrigins: ['https://Bakery.example:443', 'http://localhost:3000', 'https://[2001:db8::1]'] })
      for (const origin of ['https://bakery.example', 'HTTPS://BAKERY.EXAMPLE', 'http://localhost:3000', 'https://[2001:db8::1]']) {
        const told = await collect(writeKey, origin)
        assert.deepEqual([told.status, told.headers['access-control-allow-origin'], told.headers.vary], [202, origin, 'Origin'])
      }
      const foreign = [undefined, 'null', '', 'http://bakery.example', 'https://bakery.example:8443', 'https://www.bakery.example', 'https://bakery.example.evil.example', 'https://evilbakery.example', 'https://bakery.example/', 'http://localhost', 'http://localhost:30000', 'file://', 'https://bakery.example, https://evil.example']
      for (const origin of foreign) assert.equal(outcome(await collect(writeKey, origin)), '403 origin_not_allowed', origin)
      const inBody = await fixture.ask({ path: '/collect', headers: { origin: 'https://evil.example', 'content-type': 'text/plain' }, body: JSON.stringify({ events: [{ event: 'signup' }], writeKey }) })
      assert.equal(outcome(inBody), '403 origin_not_allowed')
      const inAddress = await fixture.ask({ path: `/collect?key=${writeKey}`, headers: { origin: 'https://evil.example' }, body: { event: 'signup' } })
      assert.equal(outcome(inAddress), '403 origin_not_allowed')
    })

    it('send events from anywhere where it names none, and read the answer', async () => {
      for (const origin of [undefined, 'null', 'https://anywhere.example']) {
        const told = await collect(fixture.app.writeKey, origin)
        assert.deepEqual([told.status, told.headers['access-control-allow-origin']], [202, origin])
        assert.equal(told.headers['access-control-allow-credentials'], undefined)
      }
    })

    it('ask first without a key, and are told what may be sent', async () => {
      const told = await fixture.ask({ method: 'OPTIONS', path: '/collect', headers: { origin: 'https://bakery.example', 'access-control-request-method': 'POST' } })
      assert.equal(told.status, 204)
      assert.equal(told.headers['access-control-allow-origin'], 'https://bakery.example')
      assert.match(String(told.headers['access-control-allow-headers']), /authorization.*content-type/)
    })

    it('cannot be issued for a wildcard, a path, null or a scheme without a host', async () => {
      for (const origin of ['*', 'https://*.bakery.example', 'https://bakery.example/shop', 'null', 'file:///', 'bakery.example', 'https://user@bakery.example', 'javascript:alert(1)']) {
        const told = await fixture.ask({ path: '/auth/api-key', token: fixture.app.userToken, body: { appId: fixture.app.appId, allowedOrigins: [origin] } })
        assert.equal(outcome(told), '400 invalid_body', origin)
      }
    })
  })

  it('are not needed by ours: a browser shows / and /api-docs within their policy', async () => {
    const browser = await startBrowser()
    try {
      for (const path of ['/', '/api-docs']) {
        const page = await browser.newPage()
        const said: string[] = []
        page.on('console', (message) => {
          if (message.type() === 'error') said.push(message.text())
        })
        page.on('pageerror', (error) => said.push(String(error)))
        page.on('requestfailed', (request) => said.push(`${request.url()} ${request.failure()?.errorText ?? ''}`))
        await page.goto(`${fixture.url}${path}`, { waitUntil: 'networkidle' })
        if (path === '/api-docs') await page.waitForSelector('.opblock-summary')
        assert.deepEqual(said, [], path)
        // The policy is one: what somebody smuggled in does not run.
        const ran = await page.evaluate(`new Promise((resolve) => {
          document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective))
          const script = document.createElement('script')
          script.textContent = 'window.ran = true'
          document.body.append(script)
        })`)
        assert.match(String(ran), /^script-src/)
        await page.close()
      }
    } finally {
      await browser.close()
    }
  })
})
