// What the server does where something around it fails or somebody leans on it: untrusted keys, slow and broken requests,
// rates, foreign owners, probes, caching headers.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { HttpDeps } from '../../src/http/deps.ts'
import { createRateLimiter } from '../../src/http/rateLimiter.ts'
import { createHttpServer } from '../../src/http/server.ts'
import { fakeDeps, fakeKeyring, ID, KEY, listening, OWNER, STRANGER, WRITE_KEY, userToken } from './support/fakeDeps.ts'
import { ask, codeOf, type Asked, type Told } from './support/fixture.ts'

const GOOD = { event: 'signup' }

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

function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let told = ''
    socket.on('data', (chunk) => (told += chunk.toString()))
    socket.on('close', () => resolve(told))
    socket.on('error', reject)
  })
}

const outcome = (told: Told): string => `${told.status} ${codeOf(told)}`.trim()

describe('the HTTP server', function () {
  this.timeout(20_000)
  const write: Asked = { path: '/collect', token: WRITE_KEY, body: GOOD }

  for (const [how, refresh] of [['cannot be read', () => Promise.reject(new Error('down'))], ['does not answer', () => new Promise<void>(() => undefined)]] as const) {
    it(`answers 503 with Retry-After, not 401, while the keyring cannot be trusted and the log ${how}`, async () => {
      await withServer({ keyring: fakeKeyring({ trusted: () => Promise.resolve(false), refresh }) }, async (asking) => {
        const told = await asking(write)
        assert.equal(outcome(told), '503 unavailable')
        assert.equal(told.headers['retry-after'], '1')
        const token = userToken(fakeDeps(), OWNER)
        assert.equal(outcome(await asking({ path: '/apps', token })), '503 unavailable')
      })
    })
  }

  it('waits for a log that is slow where the keyring cannot be trusted, and goes by what was then read', async () => {
    let key = KEY
    let next = KEY
    const refresh = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve))
      if (key === next) return
      key = next
      Object.assign(keyring.state, { position: 2 })
    }
    const keyring = fakeKeyring({ trusted: () => Promise.resolve(false), refresh }, { key: () => key, keyByHash: () => key })
    await withServer({ keyring }, async (asking) => {
      assert.equal(outcome(await asking(write)), '202')
      next = { ...KEY, revoked: true }
      assert.equal(outcome(await asking(write)), '401 key_revoked')
    })
  })

  it('reads the log once more before it refuses an unknown key, and answers 503 where it cannot', async () => {
    let known = false
    let refreshes = 0
    const keyByHash = (): typeof KEY | undefined => (known ? KEY : undefined)
    const refresh = (): Promise<void> => {
      refreshes += 1
      known = true
      return Promise.resolve()
    }
    await withServer({ keyring: fakeKeyring({ refresh }, { keyByHash }) }, async (asking) => {
      assert.equal(outcome(await asking(write)), '202')
      assert.equal(outcome(await asking(write)), '202')
      assert.equal(refreshes, 1)
    })
    const broken = fakeKeyring({ refresh: () => Promise.reject(new Error('down')) }, { keyByHash: () => undefined })
    await withServer({ keyring: broken }, async (asking) => {
      assert.equal(outcome(await asking(write)), '503 unavailable')
    })
  })

  it('sees a revocation although the credential was proved before', async () => {
    let key = KEY
    const keyring = fakeKeyring({}, { key: () => key, keyByHash: () => key })
    await withServer({ keyring }, async (asking) => {
      assert.equal(outcome(await asking(write)), '202')
      key = { ...KEY, revoked: true }
      Object.assign(keyring.state, { position: 2 })
      assert.equal(outcome(await asking(write)), '401 key_revoked')
    })
  })

  it('hides what belongs to another owner behind 404', async () => {
    const { tokens } = fakeDeps()
    await withServer({}, async (asking) => {
      const token = userToken({ tokens }, STRANGER)
      for (const path of [`/apps/${ID}`, `/auth/api-key?appId=${ID}`, `/analytics/event-summary?appId=${ID}`, `/events?appId=${ID}`]) {
        assert.equal(outcome(await asking({ path, token })), '404 not_found', path)
      }
    })
  })

  it('turns what nobody foresaw into a 500 that tells nothing, and goes on', async () => {
    const collector = { collect: () => Promise.reject(new Error('secret of the house')) }
    await withServer({ collector }, async (asking) => {
      const told = await asking(write)
      assert.equal(outcome(told), '500 internal')
      assert.ok(!told.text.includes('secret of the house'))
      assert.equal((await asking({ path: '/health/live' })).status, 200)
    })
  })

  it('answers 503 with Retry-After what a store says that is away, whoever asked it', async () => {
    const gone = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7'), { code: 'ECONNREFUSED' })
    const isAway = (error: unknown): boolean => error === gone
    const asking503: Partial<HttpDeps> = { isAway, queries: { ask: () => Promise.reject(gone) }, collector: { collect: () => Promise.reject(gone) } }
    await withServer(asking503, async (asking) => {
      const token = userToken(fakeDeps(), OWNER)
      for (const asked of [{ path: `/analytics/event-summary?appId=${ID}`, token }, { path: `/events?appId=${ID}`, token }, write]) {
        const told = await asking(asked)
        assert.equal(outcome(told), '503 unavailable', asked.path)
        assert.equal(told.headers['retry-after'], '1')
        assert.ok(!told.text.includes('10.0.0.7'))
      }
    })
  })

  it('waits as long as a question takes while the store lives, and not when it hangs', async () => {
    const token = userToken(fakeDeps(), OWNER)
    const asked = { path: '/projections', token }
    let answer: (() => void) | undefined
    const answered = new Promise<void>((resolve) => (answer = resolve))
    const projections = async (): Promise<Awaited<ReturnType<HttpDeps['control']['projections']>>> => {
      await answered
      return { body: { projections: [] }, etag: '"abc"', cached: false }
    }
    const control = { ...fakeDeps().control, projections }
    const askStore = (): Promise<void> => {
      answer!()
      return Promise.resolve()
    }
    await withServer({ control, askStore }, async (asking) => assert.equal((await asking(asked)).status, 200))
    const hanging = new Promise<never>(() => undefined)
    await withServer({ control: { ...control, projections: () => hanging }, askStore: () => hanging }, async (asking) => {
      const started = performance.now()
      assert.equal(outcome(await asking(asked)), '503 unavailable')
      assert.ok(performance.now() - started < 6_000)
    })
  })

  it('ends requests that are late or no HTTP, with a problem', async () => {
    await withServer({}, async (asking, port) => {
      const slow = await raw(port, `POST /collect HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${WRITE_KEY}\r\ncontent-length: 50\r\n\r\n{"ev`)
      assert.match(slow, /^HTTP\/1\.1 408 [\s\S]*"code":"request_timeout"/)
      const broken = await raw(port, 'NONSENSE\r\n\r\n')
      assert.match(broken, /^HTTP\/1\.1 400 [\s\S]*application\/problem\+json[\s\S]*"code":"bad_request"/)
      const smuggled = await raw(port, 'POST /collect HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n')
      assert.match(smuggled, /^HTTP\/1\.1 400 /)
      assert.equal((await asking({ path: '/health/live' })).status, 200)
    })
  })

  it('bounds the rate of one address, and tells it when to come back', async () => {
    const clock = { now: () => 1_000_000 }
    await withServer({ rateLimiter: createRateLimiter({ enabled: true, clock, logger: fakeDeps().logger, secret: ID }) }, async (asking) => {
      let told = await asking({ path: '/' })
      for (let count = 1; told.status === 200 && count < 1_000; count++) told = await asking({ path: '/' })
      assert.equal(outcome(told), '429 rate_limited')
      assert.ok(Number(told.headers['retry-after']) >= 1)
      // Collecting has a bucket of its own, and probes have none.
      assert.equal(outcome(await asking(write)), '202')
      assert.equal((await asking({ path: '/health/ready' })).status, 200)
    })
  })

  it('believes X-Forwarded-For only as far as it is told to', async () => {
    const seen: (string | undefined)[] = []
    const collector: HttpDeps['collector'] = {
      collect: ({ address }) => {
        seen.push(address)
        return Promise.resolve({ status: 202, accepted: 1, ids: [ID], rejected: [] })
      },
    }
    const headers = { 'x-forwarded-for': '6.6.6.6, 203.0.113.7' }
    await withServer({ collector }, (asking) => asking({ ...write, headers }))
    const config = { ...fakeDeps().config, trustProxy: 1 }
    await withServer({ collector, config }, (asking) => asking({ ...write, headers }))
    assert.deepEqual(seen, ['127.0.0.1', '203.0.113.7'])
  })

  it('shows metrics to this machine or to the token, and not through a proxy', async () => {
    const config = { ...fakeDeps().config, metricsToken: 'metrics-token' }
    await withServer({ config }, async (asking) => {
      await asking(write)
      const told = await asking({ path: '/metrics' })
      assert.match(told.text, /recount_collect_events_accepted_total 1/)
      assert.match(told.text, /recount_collect_duration_seconds_count\{status="202"\} 1/)
      // A page whose host was made to lead here asks from this machine, too.
      assert.equal(outcome(await asking({ path: '/metrics', headers: { host: 'rebound.example:1055' } })), '401 unauthenticated')
      for (const host of ['localhost', '127.0.0.1:1055', '[::1]:1055']) assert.equal((await asking({ path: '/metrics', headers: { host } })).status, 200)
      const proxied = { 'x-forwarded-for': '127.0.0.1' }
      assert.equal(outcome(await asking({ path: '/metrics', headers: proxied })), '401 unauthenticated')
      assert.equal((await asking({ path: '/metrics', headers: proxied, token: 'metrics-token' })).status, 200)
    })
  })

  it('says no more than a status when it is not ready', async () => {
    const ready = (): Promise<{ ready: boolean; faults: string[] }> => Promise.resolve({ ready: false, faults: ['Redis at 10.0.0.7 is down'] })
    await withServer({ ready }, async (asking) => {
      const told = await asking({ path: '/health/ready' })
      assert.equal(outcome(told), '503 not_ready')
      assert.equal(told.headers['retry-after'], '1')
      assert.ok(!told.text.includes('10.0.0.7'))
    })
  })

  it('sends 304 for a known ETag, and keeps authenticated answers private', async () => {
    const token = userToken(fakeDeps(), OWNER)
    const control = { ...fakeDeps().control, projections: () => Promise.resolve({ body: { projections: [] }, etag: '"abc"', cached: false }) }
    await withServer({ control }, async (asking) => {
      const told = await asking({ path: '/projections', token })
      assert.equal(told.headers.etag, '"abc"')
      assert.equal(told.headers['cache-control'], 'private, no-cache')
      assert.equal(told.headers.vary, 'Authorization, Cookie')
      const again = await ask304(asking, token)
      assert.deepEqual([again.status, again.text], [304, ''])
    })
  })

  it('streams progress, and ends the stream within two seconds of its reader losing the right to it', async () => {
    let owner = true
    const { state } = fakeKeyring()
    const stillMember: typeof state.member = (organisationId, accountId) => (owner ? state.member(organisationId, accountId) : undefined)
    const step = { projection: 'a', state: 'running', events: 1, total: 2, eventsPerSecond: 1, percent: 50, etaSeconds: 1 } as const
    const subscribe: HttpDeps['replays']['subscribe'] = (listener) => {
      const timer = setInterval(() => {
        listener(step)
        // Taken away once there was something to see, however slow the machine.
        owner = false
      }, 10)
      return () => clearInterval(timer)
    }
    const replays = { ...fakeDeps().replays, subscribe }
    await withServer({ replays, keyring: fakeKeyring({}, { member: stillMember }) }, async (_asking, port) => {
      const token = userToken(fakeDeps(), OWNER)
      const ended = raw(port, `GET /projections/progress HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer ${token}\r\n\r\n`)
      const started = performance.now()
      const told = await ended
      assert.ok(performance.now() - started < 2_000)
      assert.match(told, /content-type: text\/event-stream/i)
      assert.match(told, /event: progress\ndata: \{"projection":"a","state":"running"/)
    })
  })

  it('has a page for people who take a wrong turn, and problem details for programs', async () => {
    await withServer({}, async (asking) => {
      const page = await asking({ path: '/nowhere', headers: { accept: 'text/html,*/*' } })
      assert.deepEqual([page.status, page.headers['content-type'], page.headers['cache-control']], [404, 'text/html; charset=utf-8', 'no-store'])
      assert.match(page.text, /<code>not_found<\/code>/)
      assert.equal(page.text.match(/<a /g)?.length, 1)
      for (const headers of [{ accept: '*/*' }, { accept: 'application/json' }]) assert.equal(outcome(await asking({ path: '/nowhere', headers })), '404 not_found')
    })
  })

  it('answers HEAD and OPTIONS, and people with a page', async () => {
    await withServer({}, async (asking) => {
      const head = await asking({ method: 'HEAD', path: '/openapi.json' })
      assert.deepEqual([head.status, head.text], [200, ''])
      const options = await asking({ method: 'OPTIONS', path: '/apps' })
      assert.deepEqual([options.status, options.headers.allow], [204, 'GET, HEAD, OPTIONS'])
      const page = await asking({ path: '/', headers: { accept: 'text/html,*/*' } })
      assert.match(page.text, /<h1>Recount is running<\/h1>/)
      assert.match(String(page.headers['content-security-policy']), /default-src 'none'/)
      const hostile = await asking({ path: '/', headers: { accept: 'text/html', host: '"><script>alert(1)</script>' } })
      assert.ok(!hostile.text.includes('<script>'))
      for (const path of ['/api-docs', '/api-docs/start.js', '/api-docs/swagger-ui.css']) assert.equal((await asking({ path })).status, 200)
    })
  })
})

function ask304(asking: (asked: Asked) => Promise<Told>, token: string): Promise<Told> {
  return asking({ path: '/projections', token, headers: { 'if-none-match': 'W/"abc", "def"' } })
}
