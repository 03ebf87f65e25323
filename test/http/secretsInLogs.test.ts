// What the process writes while everything is used and much goes wrong, at its most talkative: no token, no key, no code, no
// secret of the installation, and no address in full. Names and values are redacted by the logger; this looks at the output.
import assert from 'node:assert/strict'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { LIMITS } from '../../src/limits.ts'
import { type Asked, type Fixture, JWT_SECRET, METRICS_TOKEN, OWNER_CODE, startFixture, type Told } from './support/fixture.ts'

const ADDRESSES = { v4: '203.0.113.77', v6: '2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff', inEvent: '198.51.100.99' }
const USER_TOKEN_SECRET = 'a user secret of the tests, thirty-two characters'
const SECRETS = { JWT_SECRET_PREVIOUS: 'a former secret of the tests, thirty-two characters', USER_TOKEN_SECRET, GOOGLE_CLIENT_SECRET: 'google-secret-of-the-tests' }
const GOOGLE = { GOOGLE_CLIENT_ID: 'google-client-of-the-tests', PUBLIC_URL: 'http://localhost:1' }

describe('what is logged', function () {
  this.timeout(60_000)
  const time = { aheadMs: 0 }
  const written: string[] = []
  const original = process.stderr.write.bind(process.stderr)
  let fixture: Fixture
  /** Whatever was given out or sent that is nobody else's to read. */
  const secret = new Set<string>([JWT_SECRET, OWNER_CODE, METRICS_TOKEN, ...Object.values(SECRETS)])

  before(async () => {
    process.stderr.write = (text: string | Uint8Array) => written.push(String(text)) > 0
    fixture = await startFixture({ LOG_LEVEL: 'debug', TRUST_PROXY: '1', ...SECRETS, ...GOOGLE }, { clock: { now: () => Date.now() + time.aheadMs } })
    for (const { token, writeKey, userToken } of [fixture.app, fixture.other]) for (const each of [token, writeKey, userToken]) secret.add(each)
  })
  after(async () => {
    await fixture.close()
    process.stderr.write = original
  })

  const ask = async (asked: Asked): Promise<Told> => {
    const told = await fixture.ask({ ...asked, headers: { 'x-forwarded-for': ADDRESSES.v4, ...asked.headers } })
    for (const name of ['token', 'writeKey', 'refreshToken', 'link']) if (typeof told.body[name] === 'string') secret.add(told.body[name])
    for (const cookie of told.headers['set-cookie'] ?? []) if (!/^[^=]+=;/.test(cookie)) secret.add(/=([^;]*)/.exec(cookie)![1]!)
    return told
  }
  /** A secret that is wrong is often one that is right elsewhere. */
  const wrong = (text: string): string => {
    secret.add(text)
    return text
  }

  it('holds nothing secret after requests that worked and requests that failed', async () => {
    const signedIn = await ask({ path: '/auth/local', body: { code: OWNER_CODE } })
    assert.equal(signedIn.status, 200, signedIn.text)
    await ask({ path: '/auth/local', body: { code: wrong('a-wrong-owner-code') } })
    const refreshed = await ask({ path: '/auth/refresh', body: { refreshToken: signedIn.body['refreshToken'] } })
    assert.equal(refreshed.status, 200, refreshed.text)
    time.aheadMs = LIMITS.refreshOverlapMs + 1_000
    assert.equal((await ask({ path: '/auth/refresh', body: { refreshToken: signedIn.body['refreshToken'] } })).status, 401)
    await keysAndEvents()
    await refusals()
    await faults()
    const lines = written.join('').split('\n').filter((line) => line !== '')
    assert.ok(lines.some((line) => line.includes('"refused"')) && lines.some((line) => line.includes('"level":"error"')), lines.slice(0, 20).join('\n'))
    const said = lines.join('\n')
    for (const each of [...secret].flatMap(forms)) assert.equal(said.includes(each), false, `${each} in ${lines.find((line) => line.includes(each))}`)
    for (const [name, address] of Object.entries(ADDRESSES)) assert.equal(said.includes(address), false, `${name} in ${lines.find((line) => line.includes(address))}`)
    assert.match(said, /203\.0\.113\.0/)
  })

  async function keysAndEvents(): Promise<void> {
    const { token, appId } = { token: fixture.app.userToken, appId: fixture.app.appId }
    const issued = (await ask({ path: '/auth/api-key', token, body: { appId, scopes: ['collect', 'query'] } })).body as { keyId: string; token: string; writeKey: string }
    const rotated = (await ask({ path: '/auth/regenerate', token, body: { keyId: issued.keyId } })).body as { keyId: string; token: string }
    const event = { event: 'a', ipAddress: ADDRESSES.inEvent }
    await ask({ path: '/collect?ack=stored', token: rotated.token, body: event })
    await ask({ path: `/collect?key=${issued.writeKey}`, body: { event: 'a' }, headers: { 'x-forwarded-for': ADDRESSES.v6, origin: 'https://shop.example' } })
    await ask({ path: '/collect', body: { events: [{ event: 'a' }], writeKey: issued.writeKey } })
    await ask({ path: '/collect', headers: { 'x-api-key': issued.writeKey }, body: '{"event":' })
    await ask({ path: '/auth/revoke', token, body: { keyId: rotated.keyId } })
    assert.equal((await ask({ path: '/collect', token: rotated.token, body: event })).status, 401)
    await ask({ path: '/metrics', token: METRICS_TOKEN })
    await ask({ path: '/invitations/accept', token, body: { token: wrong(`ri_${'a'.repeat(32)}`) } })
    await ask({ path: '/auth/exchange', body: { code: wrong('c'.repeat(43)), verifier: wrong('v'.repeat(43)) } })
  }

  async function refusals(): Promise<void> {
    const forged = wrong(`${fixture.app.token.slice(0, -3)}AAA`)
    for (const path of ['/apps', `/analytics/event-summary?appId=${fixture.app.appId}`, '/metrics', '/projections']) {
      await ask({ path, token: forged })
      await ask({ path, headers: { authorization: `Basic ${wrong(Buffer.from('ada:password').toString('base64'))}`, 'x-forwarded-for': ADDRESSES.v6 } })
      await ask({ path, headers: { cookie: `recount_user=${wrong('a-cookie-of-nobody')}; __Host-recount_user=${wrong('another-cookie-of-nobody')}` } })
    }
    await ask({ path: `/collect?key=${fixture.app.token}`, body: { event: 'a' } })
    await ask({ path: `/apps?token=${fixture.app.userToken}` })
    await ask({ path: `/nowhere/${fixture.app.writeKey}?code=${OWNER_CODE}` })
    await ask({ path: `/auth/google/callback?code=${wrong('4/google-code-of-the-tests')}&state=${wrong('state-of-the-tests')}` })
    await ask({ path: '/auth/api-key', token: fixture.app.userToken, body: `{"appId": "${fixture.app.token}", ` })
    await ask({ path: '/auth/refresh', body: { refreshToken: wrong(`rr_${'A'.repeat(70)}`) } })
  }

  /** Errors of a driver quote the statement, and what was in it. */
  async function faults(): Promise<void> {
    const database = await openDatabase(`sqlite:${fixture.file}`)
    await database.knex.schema.renameTable('sessions', 'sessions_away')
    await database.knex.schema.renameTable('sign_in_codes', 'sign_in_codes_away')
    const signIn = await ask({ path: '/auth/local', body: { code: OWNER_CODE } })
    assert.ok(signIn.status >= 500, signIn.text)
    await ask({ path: '/auth/refresh', body: { refreshToken: fixture.tokens.sealRefresh(fixture.app.keyId, 0) } })
    await ask({ path: '/auth/exchange', body: { code: wrong('d'.repeat(43)), verifier: wrong('w'.repeat(43)) } })
    await database.close()
  }

  /** As it was, in an address, and the signature alone, which makes a token out of what everybody knows. */
  function forms(text: string): string[] {
    const signature = /^[\w-]+\.[\w-]+\.([\w-]{40,})$/.exec(text)?.[1]
    return [text, encodeURIComponent(text), ...(signature === undefined ? [] : [signature])]
  }
})
