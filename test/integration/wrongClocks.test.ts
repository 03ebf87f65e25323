// Processes whose wall clocks are ten minutes wrong: what one of them issued is refused where it is of a time to come and never
// accepted for longer than promised, and what is taken away is gone in all of them at once, because trust goes by another clock.
import assert from 'node:assert/strict'
import { LIMITS } from '../../src/limits.ts'
import { eventually } from '../support/eventually.ts'
import { type Recounts, type Started, startRecounts } from '../support/recounts.ts'

const WRONG_MS = 10 * 60_000

interface Issued {
  readonly keyId: string
  readonly token: string
  readonly writeKey: string
}

describe('processes with wrong clocks', function () {
  this.timeout(60_000)
  let recounts: Recounts
  let right: Started
  let ahead: Started
  let behind: Started
  let appId: string

  before(async () => {
    recounts = await startRecounts()
    right = await recounts.start('api')
    ;[ahead, behind] = await Promise.all([recounts.start('api', { aheadMs: WRONG_MS }), recounts.start('api', { aheadMs: -WRONG_MS })])
    await recounts.start('append')
    appId = (await right.ask('POST', '/auth/register', (await recounts.signIn(right)).token, { name: 'Clocks' })).body['appId'] as string
  })
  after(() => recounts.close())

  const all = (): Started[] => [right, ahead, behind]
  const issue = async (at: Started, more: object = {}): Promise<Issued> => {
    const { token } = await recounts.signIn(at)
    const { status, body } = await at.ask('POST', '/auth/api-key', token, { appId, ...more })
    assert.equal(status, 201, JSON.stringify(body))
    return body as unknown as Issued
  }
  const collect = (at: Started, credential: string): Promise<string> => at.says('POST', '/collect', credential, { event: 'tick' })
  const me = (at: Started, token: string): Promise<string> => at.says('GET', '/auth/me', token)
  /** How each of right, ahead and behind answers. */
  const each = (ask: (at: Started) => Promise<string>): Promise<string[]> => Promise.all(all().map(ask))

  it('takes a user token for its quarter of an hour by its own clock, and none from the future', async () => {
    assert.ok(WRONG_MS < LIMITS.userTokenSeconds * 1_000 && WRONG_MS > LIMITS.clockLeewaySeconds * 1_000)
    const tokens = await Promise.all(all().map(async (at) => (await recounts.signIn(at)).token))
    const heard = await Promise.all(tokens.map((token) => each((at) => me(at, token))))
    const future = '401 unauthenticated'
    assert.deepEqual(heard, [['200', '200', future], [future, '200', future], ['200', '401 token_expired', '200']])
  })

  it('takes an analytics token wherever it is not of the future, and a write key everywhere', async () => {
    const keys = await Promise.all(all().map((at) => issue(at)))
    const heard = await Promise.all(keys.map(({ token }) => each((at) => collect(at, token))))
    const future = '401 unauthenticated'
    assert.deepEqual(heard, [['202', '202', future], [future, '202', future], ['202', '202', '202']])
    for (const { writeKey } of keys) assert.deepEqual(await each((at) => collect(at, writeKey)), ['202', '202', '202'])
  })

  it('ends a key by the clock of whoever is asked', async () => {
    const key = await issue(right, { expiresAt: new Date(Date.now() + WRONG_MS / 2).toISOString() })
    assert.deepEqual(await each((at) => collect(at, key.writeKey)), ['202', '401 token_expired', '202'])
  })

  it('revocation reaches every process within a second, whoever was told and whatever time it thinks it is', async () => {
    for (const teller of all()) {
      const key = await issue(teller)
      assert.deepEqual(await each((at) => collect(at, key.writeKey)), ['202', '202', '202'])
      const { token } = await recounts.signIn(teller)
      assert.equal(await teller.says('POST', '/auth/revoke', token, { keyId: key.keyId }), '200')
      const answered = performance.now()
      assert.equal(await collect(teller, key.writeKey), '401 key_revoked')
      await eventually(async () => (await each((at) => collect(at, key.writeKey))).every((said) => said === '401 key_revoked'), { everyMs: 5 })
      assert.ok(performance.now() - answered < 1_000, `took ${performance.now() - answered} ms`)
    }
  })

  it('signing out reaches every process within a second', async () => {
    const { token } = await recounts.signIn(behind)
    assert.deepEqual(await each((at) => me(at, token)), ['200', '401 token_expired', '200'])
    assert.equal(await behind.says('POST', '/auth/sign-out', token, {}), '204')
    const answered = performance.now()
    await eventually(async () => (await me(right, token)) === '401 session_ended', { everyMs: 5 })
    assert.ok(performance.now() - answered < 1_000, `took ${performance.now() - answered} ms`)
  })

  it('a session is refreshed at any process', async () => {
    let { refreshToken } = await recounts.signIn(right)
    for (const at of [ahead, behind, right, behind, ahead]) {
      const { status, body } = await at.ask('POST', '/auth/refresh', undefined, { refreshToken })
      assert.equal(status, 200, JSON.stringify(body))
      assert.equal(await me(at, body['token'] as string), '200')
      refreshToken = body['refreshToken'] as string
    }
  })

  it('a refresh token that was used at a process ahead is a copy at one behind, not the other tab', async () => {
    const { refreshToken } = await recounts.signIn(right)
    const { body } = await ahead.ask('POST', '/auth/refresh', undefined, { refreshToken })
    assert.equal(await behind.says('POST', '/auth/refresh', undefined, { refreshToken }), '401 session_ended')
    assert.equal(await ahead.says('POST', '/auth/refresh', undefined, { refreshToken: body['refreshToken'] as string }), '401 session_ended')
  })
})
