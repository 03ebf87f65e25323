// Where people are signed in: they see it and end it themselves, and those who run the installation end it for anybody.
import assert from 'node:assert/strict'
import { codeOf, type Fixture, OWNER_CODE, startFixture } from './support/fixture.ts'
import { memberOf } from './support/people.ts'

interface Listed {
  readonly sessionId: string
  readonly current: boolean
  readonly startedAt: string
  readonly expiresAt: string
}

describe('sessions of accounts', function () {
  this.timeout(30_000)
  let fixture: Fixture

  beforeEach(async () => {
    fixture = await startFixture()
  })
  afterEach(() => fixture.close())

  const signIn = async (): Promise<{ token: string; refreshToken: string }> => {
    const told = await fixture.ask({ path: '/auth/local', body: { code: OWNER_CODE } })
    return told.body as { token: string; refreshToken: string }
  }
  const listed = async (token: string): Promise<Listed[]> => (await fixture.ask({ path: '/auth/sessions', token })).body['sessions'] as Listed[]
  const standing = async (token: string): Promise<string> => {
    const told = await fixture.ask({ path: '/auth/me', token })
    return `${told.status} ${codeOf(told)}`.trim()
  }

  it('are listed, newest first, with the one that asks; ending another leaves this one', async () => {
    const [laptop, telephone] = [await signIn(), await signIn()]
    const sessions = await listed(laptop.token)
    // Two more are of the fixture's own sign-ins.
    assert.deepEqual(sessions.map(({ current }) => current), [false, true, false, false])
    assert.deepEqual(sessions.map(({ startedAt }) => startedAt), sessions.map(({ startedAt }) => startedAt).sort().reverse())
    const other = sessions[0]!
    const ended = await fixture.ask({ method: 'DELETE', path: `/auth/sessions/${other.sessionId}`, token: laptop.token })
    assert.equal(ended.status, 204)
    assert.equal(await standing(telephone.token), '401 session_ended')
    assert.equal((await fixture.ask({ path: '/auth/refresh', body: { refreshToken: telephone.refreshToken } })).body['code'], 'session_ended')
    assert.equal(await standing(laptop.token), '200')
    assert.ok(!(await listed(laptop.token)).some(({ sessionId }) => sessionId === other.sessionId))
    assert.equal((await fixture.ask({ method: 'DELETE', path: `/auth/sessions/${other.sessionId}`, token: laptop.token })).status, 404)
  })

  it('end for the one that asks, too, and its cookies with it', async () => {
    const { token } = await signIn()
    const own = (await listed(token)).find(({ current }) => current)!
    const ended = await fixture.ask({ method: 'DELETE', path: `/auth/sessions/${own.sessionId}`, token })
    assert.equal(ended.status, 204)
    assert.equal(ended.headers['set-cookie']?.length, 2)
    assert.equal(await standing(token), '401 session_ended')
  })

  it('of others are not there, whoever asks: not even for an owner', async () => {
    const ada = await memberOf(fixture, 'admin')
    const { token } = await signIn()
    const own = (await listed(token)).find(({ current }) => current)!
    assert.deepEqual(await fixture.ask({ method: 'DELETE', path: `/auth/sessions/${own.sessionId}`, token: ada.token }).then((told) => [told.status, codeOf(told)]), [404, 'not_found'])
    assert.equal(await standing(token), '200')
  })

  it('end at once when an operator says so, and their person can sign in again; nobody else may say so', async () => {
    const ada = await memberOf(fixture, 'admin')
    const { token } = await signIn()
    const path = `/accounts/${ada.accountId}/sign-out`
    assert.equal((await fixture.ask({ method: 'POST', path, token: ada.token })).body['code'], 'forbidden')
    assert.equal(await standing(ada.token), '200')
    assert.equal((await fixture.ask({ method: 'POST', path, token })).status, 204)
    assert.equal(await standing(ada.token), '401 session_ended')
    assert.equal(await standing(token), '200')
    const { generation } = fixture.keyring.state.account(ada.accountId)!
    const again = fixture.tokens.issueUser({ accountId: ada.accountId, sessionId: ada.sessionId, generation })
    assert.equal(await standing(again.token), '200')
    assert.equal((await fixture.ask({ method: 'POST', path: `/accounts/${fixture.app.appId}/sign-out`, token })).body['code'], 'not_found')
  })
})
