// Sign-in with Google where something is in the way: a Google that is slow, broken or huge, people who come at once, command
// lines that have no browser, and what must never get into the log.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { readConfig } from '../../src/config.ts'
import { createInvitationToken } from '../../src/commands/invitationToken.ts'
import { inviteMember } from '../../src/commands/inviteMember.ts'
import { OWNER_ID } from '../../src/commands/signInOwner.ts'
import { FIRST_ORGANISATION } from '../../src/events/organisations.ts'
import { LIMITS } from '../../src/limits.ts'
import { startRecount } from '../../src/main.ts'
import { type GoogleServer, startGoogleServer } from '../support/googleServer.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { freePort } from '../support/serverProcess.ts'
import { codeOf, type Fixture, JWT_SECRET, startFixture } from './support/fixture.ts'
import { newVisitor, type Visitor } from './support/visitor.ts'

const PERSON = { sub: 'sub-of-ada', email: 'ada@mail.example', email_verified: true }

const answering = (status: number, body: string): RequestListener => (_req, res) => void res.writeHead(status, { 'content-type': 'application/json' }).end(body)
const silent: RequestListener = () => undefined
const dripping: RequestListener = (_req, res) => {
  res.writeHead(200, { 'content-type': 'application/json' })
  const timer = setInterval(() => res.write(' '), 50)
  res.once('close', () => clearInterval(timer))
}
/** As it should be, but for its length. */
const huge: RequestListener = (_req, res) => void res.writeHead(200).end(JSON.stringify({ access_token: 'token', ...PERSON, more: 'x'.repeat(LIMITS.googleAnswerBytes) }))

describe('sign-in with Google when something is in the way', function () {
  this.timeout(60_000)
  let google: GoogleServer
  let fixture: Fixture
  let now = Date.now()
  let visitor: Visitor
  const written: string[] = []
  const write = process.stderr.write.bind(process.stderr)

  before(async () => {
    process.stderr.write = ((text: string) => {
      written.push(text)
      return true
    })
    google = await startGoogleServer()
    const port = String(await freePort())
    const env = { ...google.env, PORT: port, HOST: 'localhost', PUBLIC_URL: `http://localhost:${port}`, LOG_LEVEL: 'debug' }
    fixture = await startFixture(env, { clock: { now: () => now } })
    const { token, tokenHash } = createInvitationToken()
    await fixture.bus.execute(inviteMember, { organisationId: FIRST_ORGANISATION, role: 'admin', tokenHash }, { actor: OWNER_ID })
    google.person = PERSON
    assert.equal((await newVisitor(fixture.url).signIn(`?invitation=${token}`)).status, 303)
  })
  after(async () => {
    process.stderr.write = write
    await fixture.close()
    await google.close()
  })
  beforeEach(() => {
    google.instead.clear()
    google.person = PERSON
    visitor = newVisitor(fixture.url)
  })

  describe('Google', () => {
    const broken: readonly (readonly [name: string, path: '/token' | '/userinfo', how: RequestListener, code: string])[] = [
      ['says that the code is no good', '/token', answering(400, '{"error":"invalid_grant","error_description":"secret-words"}'), 'sign_in_failed'],
      ['refuses the client', '/token', answering(401, '{"error":"invalid_client","error_description":"secret-words"}'), 'provider_unavailable'],
      ['is down', '/token', answering(503, 'secret-words'), 'provider_unavailable'],
      ['answers something else than JSON', '/token', answering(200, '<html>secret-words'), 'provider_unavailable'],
      ['answers null', '/token', answering(200, 'null'), 'provider_unavailable'],
      ['answers a list', '/token', answering(200, '[]'), 'provider_unavailable'],
      ['gives no token', '/token', answering(200, '{}'), 'provider_unavailable'],
      ['gives a token that is no header', '/token', answering(200, '{"access_token":"secret-words\\n"}'), 'provider_unavailable'],
      ['sends us elsewhere', '/userinfo', (_req, res) => void res.writeHead(302, { location: '/elsewhere' }).end(), 'provider_unavailable'],
      ['answers without end', '/token', huge, 'provider_unavailable'],
      ['breaks off', '/userinfo', (req) => void req.socket.destroy(), 'provider_unavailable'],
      ['says nobody', '/userinfo', answering(200, 'null'), 'provider_unavailable'],
      ['says a text', '/userinfo', answering(200, '"secret-words"'), 'provider_unavailable'],
      ['says an id that is none', '/userinfo', answering(200, '{"sub":{"a":1},"email":"a@b.example","email_verified":true}'), 'provider_unavailable'],
      ['says an address that is none', '/userinfo', answering(200, '{"sub":"s","email":["a@b.example"],"email_verified":true}'), 'email_unverified'],
      ['is huge about a person', '/userinfo', huge, 'provider_unavailable'],
    ]
    for (const [name, path, how, code] of broken) {
      it(`${name} (${path}): ${code}`, async () => {
        google.instead.set('/elsewhere', answering(200, JSON.stringify(PERSON))).set(path, how)
        const told = await visitor.signIn()
        assert.equal(codeOf(told), code, told.text)
        assert.equal(visitor.cookie('recount_user'), undefined)
        google.instead.clear()
        assert.equal((await visitor.signIn()).status, 303, 'the next try')
      })
    }

    it('is silent, or says a little at a time: whoever waits is told in time', async () => {
      for (const [path, how] of [['/token', silent], ['/userinfo', dripping]] as const) {
        google.instead.set(path, how)
        const began = Date.now()
        const told = await visitor.signIn()
        assert.equal(codeOf(told), 'provider_unavailable')
        assert.ok(Date.now() - began < LIMITS.googleMs + 2_000)
        google.instead.clear()
      }
    })
  })

  describe('on a command line', () => {
    const verifier = randomBytes(32).toString('base64url')
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    const codeShown = async (): Promise<string> => {
      const page = await visitor.visit(await visitor.throughGoogle(`?cli=${challenge}`))
      assert.equal(page.status, 200, page.text)
      assert.equal(page.headers.get('cache-control'), 'no-store')
      assert.equal(visitor.cookie('recount_user'), undefined, 'the browser that types for a command line is not signed in by it')
      return /class="code">([^<]+)</.exec(page.text)![1]!
    }
    const exchange = (code: string, by = verifier) => fixture.ask({ path: '/auth/exchange', body: { code, verifier: by } })

    it('gives tokens for the code of a page and the verifier, once', async () => {
      const code = await codeShown()
      assert.match(code, /^[2-9A-Z]{4}(-[2-9A-Z]{4}){2}$/)
      const told = await exchange(code.toLowerCase().replaceAll('-', ' '))
      assert.equal(told.status, 200, told.text)
      const who = await fixture.ask({ path: '/auth/me', token: told.body['token'] as string })
      assert.equal(who.body['email'], PERSON.email)
      assert.equal((await fixture.ask({ path: '/auth/refresh', body: { refreshToken: told.body['refreshToken'] } })).status, 200)
      assert.equal(codeOf(await exchange(code)), 'sign_in_failed')
    })

    it('gives nothing for the code alone, and the code is used up', async () => {
      const code = await codeShown()
      assert.equal(codeOf(await exchange(code, randomBytes(32).toString('base64url'))), 'sign_in_failed')
      assert.equal(codeOf(await exchange(code)), 'sign_in_failed')
    })

    it('gives one session to many who exchange one code at once, and none after its time', async () => {
      const code = await codeShown()
      const all = await Promise.all(Array.from({ length: 5 }, () => exchange(code)))
      assert.deepEqual(all.map(({ status }) => status).sort(), [200, 400, 400, 400, 400])
      const late = await codeShown()
      now += LIMITS.exchangeCodeMs
      assert.equal(codeOf(await exchange(late)), 'sign_in_failed')
    })

    it('bounds guesses, which keep nobody out who has a code, and takes no challenge that is none', async () => {
      const code = await codeShown()
      const codes: string[] = []
      for (let attempt = 0; attempt < 20 && !codes.includes('rate_limited'); attempt++) codes.push(codeOf(await exchange(`GUESS${attempt}`)))
      assert.equal(codes.at(-1), 'rate_limited')
      assert.equal((await exchange(code)).status, 200)
      assert.equal(codeOf(await visitor.ask({ path: '/auth/google?cli=short' })), 'invalid_parameter')
      assert.equal(codeOf(await visitor.ask({ path: '/auth/google?invitation=ri_short' })), 'invalid_parameter')
    })
  })

  // Last: mocha takes what stands in no group first.
  describe('and afterwards', () => {
    it('has written nothing secret into the log, at its most talkative', () => {
      const log = written.join('')
      assert.match(log, /Google did not answer a sign-in as it should/)
      assert.match(log, /invalid_client/)
      const secrets = google.exchanged.flatMap(({ code, code_verifier: verifier }) => [code!, verifier!])
      for (const secret of [...secrets, 'secret-words', 'the-secret-of-the-client', 'access-', PERSON.email, PERSON.sub]) assert.ok(!log.includes(secret), secret)
    })

    it('is not there where it is not set up, and says so', async () => {
      const without = await startFixture()
      try {
        for (const path of ['/auth/google', '/auth/google/callback?code=a&state=b']) {
          const told = await without.ask({ path })
          assert.deepEqual([told.status, codeOf(told)], [404, 'not_found'])
          assert.match(told.body['detail'] as string, /GOOGLE_CLIENT_ID/)
        }
        const page = await newVisitor(without.url).visit('/')
        assert.doesNotMatch(page.text, /auth\/google/)
      } finally {
        await without.close()
      }
    })

    it('makes one first owner of two who come at once, and the same one of one who comes twice', async () => {
      const port = await freePort()
      const directory = scratchDirectory('google')
      const places = { DATA_DIR: directory, DATABASE_URL: `sqlite:${directory}/recount.db`, PORT: String(port), HOST: 'localhost', JWT_SECRET, LOG_LEVEL: 'silent' }
      const recount = await startRecount(readConfig({ ...google.env, ...places, PUBLIC_URL: `http://localhost:${port}`, OWNER_EMAIL: PERSON.email, ALLOW_LOCAL_SIGNIN: 'off', PARTITIONS: '2' }))
      try {
        google.person = { ...PERSON, email: 'somebody@else.example' }
        assert.equal(codeOf(await newVisitor(recount.url).signIn()), 'not_invited', 'Google alone makes no owner')
        const begun: [Visitor, string][] = []
        for (const sub of ['one', 'one', 'two']) {
          google.person = { ...PERSON, sub }
          const one = newVisitor(recount.url)
          begun.push([one, await one.throughGoogle()])
        }
        const told = await Promise.all(begun.map(([one, path]) => one.ask({ path })))
        const came = told.map((one) => codeOf(one) || String(one.status))
        assert.ok(['303,303,not_invited', 'not_invited,not_invited,303'].includes(came.join()), came.join())
        assert.deepEqual([...recount.keyring.state.accounts()].map(({ accountId }) => accountId), [OWNER_ID])
      } finally {
        await recount.close()
      }
    })
  })
})
