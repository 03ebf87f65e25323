// How long somebody stays signed in, and how they stop: refresh tokens that turn, a copy of one, rest and age, sign-out here
// and everywhere, and what a page of another site can do with our cookies.
import assert from 'node:assert/strict'
import { signOut } from '../../src/commands/signOut.ts'
import { LIMITS } from '../../src/limits.ts'
import { eventually } from '../support/eventually.ts'
import { codeOf, type Fixture, OWNER_CODE, startFixture, type Told } from './support/fixture.ts'
import { newVisitor, type Visitor } from './support/visitor.ts'

interface Pair {
  readonly token: string
  readonly refreshToken: string
}

describe('sessions', function () {
  this.timeout(60_000)
  let fixture: Fixture
  let now = Date.now()

  before(async () => {
    fixture = await startFixture({}, { clock: { now: () => now } })
  })
  after(() => fixture.close())

  const signIn = async (): Promise<Pair> => (await fixture.ask({ path: '/auth/local', body: { code: OWNER_CODE } })).body as unknown as Pair
  const refresh = (refreshToken: string): Promise<Told> => fixture.ask({ path: '/auth/refresh', body: { refreshToken } })
  const refreshed = async (refreshToken: string): Promise<Pair> => {
    const told = await refresh(refreshToken)
    assert.equal(told.status, 200, told.text)
    return told.body as unknown as Pair
  }
  const me = async (token: string): Promise<string> => {
    const told = await fixture.ask({ path: '/auth/me', token })
    return codeOf(told) || String(told.status)
  }
  const visitorSignedIn = async (): Promise<Visitor> => {
    const visitor = newVisitor(fixture.url)
    assert.equal((await visitor.ask({ path: '/auth/local', body: { code: OWNER_CODE } })).status, 200)
    return visitor
  }

  describe('refreshing', () => {
    it('goes on past the end of a token, with a new pair each time', async () => {
      const first = await signIn()
      now += LIMITS.userTokenSeconds * 1_000 + LIMITS.clockLeewaySeconds * 1_000
      assert.equal(await me(first.token), 'token_expired')
      const second = await refreshed(first.refreshToken)
      assert.notEqual(second.refreshToken, first.refreshToken)
      assert.equal(await me(second.token), '200')
      const third = await refreshed(second.refreshToken)
      assert.equal(await me(third.token), '200')
    })

    it('answers two tabs that refresh at once alike, and a moment later still', async () => {
      const { refreshToken } = await signIn()
      const both = await Promise.all([refreshed(refreshToken), refreshed(refreshToken)])
      assert.equal(both[0].refreshToken, both[1].refreshToken)
      now += LIMITS.refreshOverlapMs
      assert.equal((await refreshed(refreshToken)).refreshToken, both[0].refreshToken)
      await refreshed(both[0].refreshToken)
    })

    it('ends the session, for both who have it, when a used token is shown later', async () => {
      const first = await signIn()
      const second = await refreshed(first.refreshToken)
      now += LIMITS.refreshOverlapMs + 1
      assert.equal(codeOf(await refresh(first.refreshToken)), 'session_ended')
      assert.equal(await me(second.token), 'session_ended')
      assert.equal(codeOf(await refresh(second.refreshToken)), 'session_ended')
      assert.equal(await me((await signIn()).token), '200', 'another session is another matter')
    })

    it('ends it too for a token two turns old, however soon', async () => {
      const first = await signIn()
      const third = await refreshed((await refreshed(first.refreshToken)).refreshToken)
      assert.equal(codeOf(await refresh(first.refreshToken)), 'session_ended')
      assert.equal(await me(third.token), 'session_ended')
    })

    it('gives of many who use one token at once all the same next one, and the turn is taken once', async () => {
      const { refreshToken } = await signIn()
      const all = await Promise.all(Array.from({ length: 8 }, () => refreshed(refreshToken)))
      assert.equal(new Set(all.map((pair) => pair.refreshToken)).size, 1)
      const next = await refreshed(all[0]!.refreshToken)
      assert.notEqual(next.refreshToken, all[0]!.refreshToken)
    })

    it('ends by rest, and by age however busy', async () => {
      const resting = await signIn()
      now += LIMITS.sessionIdleMs - 1
      const woken = await refreshed(resting.refreshToken)
      now += LIMITS.sessionIdleMs
      assert.equal(codeOf(await refresh(woken.refreshToken)), 'session_ended')
      let busy = await signIn()
      const began = now
      while (now + LIMITS.sessionIdleMs / 2 < began + LIMITS.sessionMs) {
        now += LIMITS.sessionIdleMs / 2
        busy = await refreshed(busy.refreshToken)
      }
      now = began + LIMITS.sessionMs
      assert.equal(codeOf(await refresh(busy.refreshToken)), 'session_ended')
    })

    it('takes nothing that it did not make, and bounds guesses without standing in the way of others', async () => {
      const { refreshToken, token } = await signIn()
      const wrong = ['', 'rr_', 'rr_x', token, `${refreshToken}=`, refreshToken.replace('rr_', 'rr-'), `${refreshToken.slice(0, -1)}${refreshToken.endsWith('A') ? 'B' : 'A'}`]
      for (const text of wrong) assert.ok(['unauthenticated', 'invalid_body'].includes(codeOf(await refresh(text))), text)
      const codes: string[] = []
      for (let attempt = 0; attempt < 20 && !codes.includes('rate_limited'); attempt++) codes.push(codeOf(await refresh('rr_guess')))
      assert.equal(codes.at(-1), 'rate_limited')
      assert.equal((await refresh(refreshToken)).status, 200)
    })
  })

  describe('signing out', () => {
    it('is decided by the log, even where a process died before the table knew', async () => {
      const { token, refreshToken } = await signIn()
      const { accountId, sessionId } = fixture.tokens.verifyUser(token)
      await fixture.bus.execute(signOut, { sessionId }, { actor: accountId })
      assert.equal(codeOf(await refresh(refreshToken)), 'session_ended')
      assert.equal(await me(token), 'session_ended')
    })

    it('ends this session at once, and no other', async () => {
      const [mine, other] = [await signIn(), await signIn()]
      assert.equal((await fixture.ask({ path: '/auth/sign-out', token: mine.token, body: {} })).status, 204)
      assert.equal(await me(mine.token), 'session_ended')
      assert.equal(codeOf(await refresh(mine.refreshToken)), 'session_ended')
      assert.equal(await me(other.token), '200')
      await refreshed(other.refreshToken)
    })

    it('ends all of them, those of the future not', async () => {
      const all = [await signIn(), await signIn()]
      assert.equal((await fixture.ask({ path: '/auth/sign-out', token: all[0]!.token, body: { everywhere: true } })).status, 204)
      for (const { token, refreshToken } of all) {
        assert.equal(await me(token), 'session_ended')
        assert.equal(codeOf(await refresh(refreshToken)), 'session_ended')
      }
      const next = await signIn()
      assert.equal(await me(next.token), '200')
      await refreshed(next.refreshToken)
    })

    it('ends a stream of progress that is open', async () => {
      const { token } = await signIn()
      const stream = await fetch(`${fixture.url}/projections/progress`, { headers: { authorization: `Bearer ${token}` } })
      assert.equal(stream.status, 200)
      const ended = stream.text()
      let over = false
      void ended.then(() => (over = true))
      await fixture.ask({ path: '/auth/sign-out', token, body: {} })
      await eventually(() => over, { timeoutMs: 3_000 })
    })
  })

  describe('by cookie', () => {
    it('signs in, says who it is, refreshes and signs out, and no answer to a refresh holds a token', async () => {
      const visitor = await visitorSignedIn()
      const told = await visitor.ask({ path: '/auth/me' })
      const { organisations, operator, session } = told.body as { organisations: { role: string }[]; operator: boolean; session: { expiresAt: string } }
      assert.deepEqual([organisations.map(({ role }) => role), operator], [['owner'], true])
      assert.equal(session.expiresAt, new Date(now + LIMITS.sessionIdleMs).toISOString())
      const before = visitor.cookie('recount_refresh')
      const answer = await visitor.ask({ path: '/auth/refresh', body: {} })
      assert.deepEqual(Object.keys(answer.body), ['expiresAt'])
      assert.notEqual(visitor.cookie('recount_refresh'), before)
      const left = await visitor.ask({ path: '/auth/sign-out', body: {} })
      assert.deepEqual([left.status, left.headers['clear-site-data']], [204, '"cache", "storage"'])
      assert.deepEqual([visitor.cookie('recount_user'), visitor.cookie('recount_refresh')], [undefined, undefined])
    })

    it('shows scripts no cookie, and sends the one for refreshing to /auth alone', async () => {
      const told = await fixture.ask({ path: '/auth/local', body: { code: OWNER_CODE } })
      const [user, refreshing] = told.headers['set-cookie']!
      assert.match(user!, /^recount_user=[^;]+; Max-Age=\d+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/)
      assert.match(refreshing!, /^recount_refresh=rr_[^;]+; Max-Age=\d+; Path=\/auth; Expires=[^;]+; HttpOnly; SameSite=Strict$/)
    })

    it('takes no change from a page of another site, nor from one that does not say where it is', async () => {
      const visitor = await visitorSignedIn()
      const cookie = visitor.cookies('/auth/refresh')
      for (const headers of [{ cookie, origin: 'https://evil.example' }, { cookie, origin: 'null' }, { cookie }, { cookie, origin: `${fixture.url}.evil.example` }]) {
        for (const path of ['/auth/refresh', '/auth/sign-out']) {
          assert.equal(codeOf(await fixture.ask({ path, body: {}, headers })), 'origin_not_allowed', JSON.stringify(headers))
        }
      }
      const form = { cookie, origin: fixture.url, 'content-type': 'text/plain' }
      assert.equal(codeOf(await fixture.ask({ path: '/auth/refresh', body: '{}', headers: form })), 'unsupported_media_type')
      assert.equal((await visitor.ask({ path: '/auth/refresh', body: {} })).status, 200, 'its own page, afterwards')
    })

    it('has the first page say who is signed in, refresh what has ended, and forget a session that is over', async () => {
      const visitor = await visitorSignedIn()
      assert.match((await visitor.visit('/')).text, /Signed in as <strong>the owner<\/strong>/)
      now += LIMITS.userTokenSeconds * 1_000 * 2
      assert.match((await visitor.visit('/')).text, /<body data-refresh>/)
      await visitor.ask({ path: '/auth/refresh', body: {} })
      const again = await visitor.visit('/')
      assert.match(again.text, /<body>/)
      assert.equal(again.headers.get('cache-control'), 'private, no-store')
      const { token } = await signIn()
      await fixture.ask({ path: '/auth/sign-out', token, body: { everywhere: true } })
      await visitor.visit('/')
      assert.deepEqual([visitor.cookie('recount_user'), visitor.cookie('recount_refresh')], [undefined, undefined])
    })

    it('needs no body to refresh or to leave, and still believes pages of its own alone', async () => {
      const visitor = await visitorSignedIn()
      const cookie = visitor.cookies('/auth/refresh')
      for (const path of ['/auth/refresh', '/auth/sign-out']) {
        for (const headers of [{ cookie }, { cookie, origin: 'https://evil.example' }]) assert.equal(codeOf(await fixture.ask({ method: 'POST', path, headers })), 'origin_not_allowed')
      }
      assert.deepEqual(Object.keys((await visitor.ask({ method: 'POST', path: '/auth/refresh' })).body), ['expiresAt'])
      assert.equal((await visitor.ask({ method: 'POST', path: '/auth/sign-out', headers: { 'content-length': '0' } })).status, 204)
      const { token } = await signIn()
      assert.equal((await fixture.ask({ method: 'POST', path: '/auth/sign-out', token })).status, 204)
      assert.equal(await me(token), 'session_ended')
      assert.equal(codeOf(await fixture.ask({ method: 'POST', path: '/auth/refresh' })), 'unauthenticated')
      assert.equal(codeOf(await fixture.ask({ path: '/auth/refresh', body: ' ' })), 'invalid_json')
      assert.equal(codeOf(await fixture.ask({ method: 'POST', path: '/auth/local' })), 'unsupported_media_type', 'where something must be said')
    })

    it('over https believes only cookies that no neighbour can set', async () => {
      const secure = await startFixture({ PUBLIC_URL: 'https://stats.example.org' })
      try {
        const told = await secure.ask({ path: '/auth/local', body: { code: OWNER_CODE } })
        for (const [index, line] of told.headers['set-cookie']!.entries()) {
          assert.match(line, [/^__Host-recount_user=[^;]+; .*Path=\/; .*HttpOnly; Secure; SameSite=Lax$/, /^__Host-recount_refresh=[^;]+; .*Path=\/; .*HttpOnly; Secure; SameSite=Strict$/][index]!)
          assert.doesNotMatch(line, /Domain/)
        }
        const { token } = told.body as unknown as Pair
        assert.equal((await secure.ask({ path: '/auth/me', headers: { cookie: `__Host-recount_user=${token}` } })).status, 200)
        assert.equal((await secure.ask({ path: '/auth/me', headers: { cookie: `recount_user=${token}` } })).status, 401)
      } finally {
        await secure.close()
      }
    })
  })
})
