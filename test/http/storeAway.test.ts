// What clients see while MySQL is away or hangs, and that it passes by itself.
import assert from 'node:assert/strict'
import { eventually } from '../support/eventually.ts'
import { freshDatabase, freshRedis, startMariadb, type TestServer } from '../support/servers.ts'
import { codeOf, type Fixture, startFixture, type Told } from './support/fixture.ts'

const TRIED_AGAIN_MS = 6_500

describe('while MySQL is away', function () {
  this.timeout(120_000)
  let server: TestServer
  let fixture: Fixture

  before(async () => {
    server = await startMariadb()
    fixture = await startFixture({ DATABASE_URL: await freshDatabase(server), REDIS_URL: await freshRedis() })
  })
  after(async () => {
    server.thaw()
    await fixture.close()
    await server.kill9()
  })

  const questions = (): { path: string; token: string }[] => [
    { path: `/analytics/event-summary`, token: fixture.app.token },
    { path: `/events`, token: fixture.app.token },
    { path: '/apps', token: fixture.app.userToken },
    { path: `/apps/${fixture.app.appId}`, token: fixture.app.userToken },
    { path: `/auth/api-key?appId=${fixture.app.appId}`, token: fixture.app.userToken },
    { path: '/projections', token: fixture.app.userToken },
  ]
  const askAll = (): Promise<(Told & { path: string; ms: number })[]> =>
    Promise.all(
      questions().map(async (question) => {
        const started = performance.now()
        const told = await fixture.ask(question)
        return { ...told, path: question.path, ms: performance.now() - started }
      }),
    )
  const refused = async (): Promise<void> => {
    for (const told of await askAll()) {
      assert.equal(`${told.status} ${codeOf(told)}`, '503 unavailable', `${told.path}: ${told.text}`)
      assert.ok(Number(told.headers['retry-after']) >= 1, told.path)
      assert.ok(told.ms < TRIED_AGAIN_MS, `${told.path} took ${told.ms} ms`)
    }
  }
  const answered = (): Promise<boolean> => eventually(async () => (await askAll()).every(({ status }) => status === 200), { timeoutMs: 60_000 })

  it('questions are answered 503 with Retry-After when it was killed, and again 200 once it is back', async () => {
    await answered()
    await server.kill9()
    await refused()
    const command = await fixture.ask({ path: '/auth/register', token: fixture.app.userToken, body: { name: 'Late' } })
    assert.equal(`${command.status} ${codeOf(command)}`, '503 unavailable', command.text)
    const stored = await fixture.ask({ path: '/collect?ack=stored', token: fixture.app.token, body: { event: 'signup' } })
    assert.equal(stored.status, 202, stored.text)
    await server.restart()
    await answered()
  })

  it('questions end in bounded time when it hangs, and go on once it answers', async () => {
    await answered()
    await server.freeze()
    await refused()
    server.thaw()
    await answered()
  })
})

describe('readiness', function () {
  this.timeout(120_000)

  it('ends while there is nowhere to put events, and comes back', async () => {
    const server = await startMariadb()
    const fixture = await startFixture({ DATABASE_URL: await freshDatabase(server) })
    const ready = async (): Promise<number> => (await fixture.ask({ path: '/health/ready' })).status
    try {
      assert.equal(await ready(), 200)
      await server.kill9()
      await eventually(async () => (await ready()) === 503, { timeoutMs: 30_000 })
      const refused = await fixture.ask({ path: '/collect', token: fixture.app.token, body: { event: 'signup' } })
      assert.equal(`${refused.status} ${codeOf(refused)}`, '503 unavailable', refused.text)
      await server.restart()
      await eventually(async () => (await ready()) === 200, { timeoutMs: 60_000 })
    } finally {
      await fixture.close()
      await server.kill9()
    }
  })
})
