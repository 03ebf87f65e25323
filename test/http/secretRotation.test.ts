// A secret is replaced under a store that stays: what the old one signed works while it is the previous, over every route that
// takes it, and no longer than that; and people can be signed out of all sessions without a site losing an event.
import assert from 'node:assert/strict'
import { codeOf, type Fixture, JWT_SECRET, OWNER_CODE, startFixture } from './support/fixture.ts'

const NEXT = 'the next secret of the tests, thirty-two characters'
const USER = 'a user secret of the tests, thirty-two characters'

describe('rotation of secrets', function () {
  this.timeout(120_000)

  interface Kept {
    readonly file: string
    readonly appId: string
    readonly token: string
    readonly userToken: string
    readonly refreshToken: string
  }

  /** Starts with these secrets on the store there is, and closes. */
  async function started<T>(env: Record<string, string>, file: string | undefined, use: (fixture: Fixture) => Promise<T>): Promise<T> {
    const fixture = await startFixture({ ...env, ...(file === undefined ? {} : { DATABASE_URL: `sqlite:${file}` }) })
    try {
      return await use(fixture)
    } finally {
      await fixture.close()
    }
  }

  const issued = (env: Record<string, string>): Promise<Kept> =>
    started(env, undefined, async (fixture) => {
      const { body } = await fixture.ask({ path: '/auth/local', body: { code: OWNER_CODE } })
      const { appId, token } = fixture.app
      return { file: fixture.file, appId, token, userToken: body['token'] as string, refreshToken: body['refreshToken'] as string }
    })

  const taken = (env: Record<string, string>, { file, appId, token, userToken, refreshToken }: Kept): Promise<string[]> =>
    started(env, file, async (fixture) => {
      const told = [
        await fixture.ask({ path: '/collect', token, body: { event: 'a' } }),
        await fixture.ask({ path: `/analytics/event-summary?appId=${appId}`, token }),
        await fixture.ask({ path: `/apps/${appId}`, token: userToken }),
        await fixture.ask({ path: '/auth/refresh', body: { refreshToken } }),
      ]
      return told.map((one) => `${one.status} ${codeOf(one)}`.trim())
    })

  const REFUSED = '401 unauthenticated'

  it('takes what the previous secret signed, and nothing once it is taken away', async () => {
    const kept = await issued({ JWT_SECRET })
    assert.deepEqual(await taken({ JWT_SECRET: NEXT, JWT_SECRET_PREVIOUS: JWT_SECRET }, kept), ['202', '200', '200', '200'])
    assert.deepEqual(await taken({ JWT_SECRET: NEXT }, kept), [REFUSED, REFUSED, REFUSED, REFUSED])
  })

  it('signs people out with another user secret, and leaves analytics tokens as they are', async () => {
    const kept = await issued({ JWT_SECRET, USER_TOKEN_SECRET: USER })
    assert.deepEqual(await taken({ JWT_SECRET, USER_TOKEN_SECRET: NEXT }, kept), ['202', '200', REFUSED, REFUSED])
    assert.deepEqual(await taken({ JWT_SECRET: NEXT, USER_TOKEN_SECRET: USER }, kept), [REFUSED, REFUSED, '200', '200'])
  })
})
