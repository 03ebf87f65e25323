// Sign-in with Google from end to end, against a server that plays Google: who comes in, who does not and what they are told,
// and what becomes of every way to cheat.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createOrganisation } from '../../src/commands/createOrganisation.ts'
import { createInvitationToken } from '../../src/commands/invitationToken.ts'
import { inviteMember } from '../../src/commands/inviteMember.ts'
import { removeMember } from '../../src/commands/removeMember.ts'
import { OWNER_ID } from '../../src/commands/signInOwner.ts'
import { updateOrganisation } from '../../src/commands/updateOrganisation.ts'
import { FIRST_ORGANISATION } from '../../src/events/organisations.ts'
import { LIMITS } from '../../src/limits.ts'
import { type GooglePerson, type GoogleServer, startGoogleServer } from '../support/googleServer.ts'
import { freePort } from '../support/serverProcess.ts'
import { codeOf, type Fixture, startFixture } from './support/fixture.ts'
import { newVisitor, type Visitor } from './support/visitor.ts'

const OWNER_EMAIL = 'owner@bakery.example'
let people = 0
const somebody = (more: Partial<GooglePerson> = {}): GooglePerson => ({ sub: `sub-${++people}`, email: `person-${people}@mail.example`, email_verified: true, ...more })

describe('sign-in with Google', function () {
  this.timeout(60_000)
  let google: GoogleServer
  let fixture: Fixture
  let now = Date.now()
  let visitor: Visitor

  before(async () => {
    google = await startGoogleServer()
    const port = String(await freePort())
    const env = { ...google.env, PORT: port, HOST: 'localhost', PUBLIC_URL: `http://localhost:${port}`, OWNER_EMAIL }
    fixture = await startFixture(env, { clock: { now: () => now } })
  })
  after(async () => {
    await fixture.close()
    await google.close()
  })
  beforeEach(() => {
    google.instead.clear()
    google.person = somebody()
    visitor = newVisitor(fixture.url)
  })

  const invited = async (more: Partial<{ email: string; organisationId: string }> = {}): Promise<string> => {
    const { token, tokenHash } = createInvitationToken()
    await fixture.bus.execute(inviteMember, { organisationId: FIRST_ORGANISATION, role: 'viewer', tokenHash, ...more }, { actor: OWNER_ID })
    return token
  }
  const signedUp = async (person: GooglePerson = somebody()): Promise<GooglePerson> => {
    google.person = person
    const told = await newVisitor(fixture.url).signIn(`?invitation=${await invited()}`)
    assert.equal(told.status, 303, told.text)
    return person
  }
  const me = async (who: Visitor): Promise<Record<string, unknown>> => (await who.ask({ path: '/auth/me' })).body

  describe('the way there and back', () => {
    it('asks for nothing but who it is, with state and PKCE, and proves both; a browser ends with cookies and no token in an address', async () => {
      const query = `?invitation=${await invited()}`
      google.person = somebody({ name: 'Ada <b>' })
      const callback = await visitor.throughGoogle(query)
      const asked = google.authorized.at(-1)!
      assert.equal(asked.get('scope'), 'openid email profile')
      assert.equal(asked.get('prompt'), 'select_account')
      assert.equal(asked.get('code_challenge_method'), 'S256')
      assert.ok(asked.get('state')!.length >= 43)
      assert.ok(!asked.toString().includes('ri_'), 'the invitation is no business of Google')
      const told = await visitor.ask({ path: callback })
      assert.equal(told.status, 303, told.text)
      assert.equal(told.headers.location, '/')
      const verifier = google.exchanged.at(-1)!['code_verifier']!
      assert.equal(createHash('sha256').update(verifier).digest('base64url'), asked.get('code_challenge'))
      const lines = told.headers['set-cookie']!.map((line) => line.replace(/=[^;]*/, '').replace(/; (Max-Age|Expires)=[^;]+/g, ''))
      assert.deepEqual(lines.sort(), ['recount_refresh; Path=/auth; HttpOnly; SameSite=Strict', 'recount_sign_in; Path=/auth/google; HttpOnly; SameSite=Lax', 'recount_user; Path=/; HttpOnly; SameSite=Lax'])
      assert.equal(visitor.cookie('recount_sign_in'), undefined)
      assert.deepEqual((await me(visitor))['organisations'], [{ organisationId: FIRST_ORGANISATION, name: 'My organisation', role: 'viewer' }])
      const page = await visitor.visit('/')
      assert.match(page.text, /person-\d+@mail\.example/)
      assert.doesNotMatch(page.text, /<b>|<script>|<style|style=/)
    })

    it('writes what people call themselves and their organisations into pages as text', async () => {
      const rename = (name: string) => fixture.bus.execute(updateOrganisation, { organisationId: FIRST_ORGANISATION, name }, { actor: OWNER_ID })
      await rename('<img src=x onerror=alert(1)>\'"&amp;')
      google.person = somebody({ email: '"<b>"@mail.example', name: '</title><script>alert(1)</script>' })
      await visitor.signIn(`?invitation=${await invited()}`)
      const pages = [await visitor.visit('/'), await visitor.visit(`/invitations/${await invited()}`), await newVisitor(fixture.url).visit(`/invitations/${await invited()}`)]
      await rename('My organisation')
      for (const { status, text } of pages) {
        assert.equal(status, 200)
        assert.match(text, /&lt;img src=x onerror=alert\(1\)&gt;&#39;&quot;&amp;amp;/)
        assert.doesNotMatch(text, /<img|<b>|<script>/)
      }
      assert.match(pages[0]!.text, /&quot;&lt;b&gt;&quot;@mail\.example/)
    })

    it('takes a callback once, and only in the browser that began', async () => {
      await signedUp(google.person)
      const callback = await visitor.throughGoogle()
      const other = newVisitor(fixture.url)
      assert.equal(codeOf(await other.ask({ path: callback })), 'sign_in_failed')
      await other.throughGoogle()
      assert.equal(codeOf(await other.ask({ path: callback })), 'sign_in_failed', 'one who began a sign-in of their own')
      assert.equal((await visitor.ask({ path: callback })).status, 303)
      assert.equal(codeOf(await visitor.ask({ path: callback })), 'sign_in_failed', 'again')
    })

    it('takes no state that is wrong, missing, changed or too old', async () => {
      await signedUp(google.person)
      const wrong: ((path: string) => string)[] = [(path) => path.replace(/state=[^&]+/, 'state=x'), (path) => path.replace(/&?state=[^&]+/, ''), (path) => `${path}&state=second`, (path) => path.replace(/code=[^&]+/, 'code=')]
      for (const change of wrong) {
        const callback = change(await visitor.throughGoogle())
        assert.equal(codeOf(await visitor.ask({ path: callback })), 'sign_in_failed', callback)
      }
      const callback = await visitor.throughGoogle()
      const [name, value] = visitor.cookies('/auth/google').split('=') as [string, string]
      const flipped = `${name}=${value.slice(0, 40)}${value[40] === 'A' ? 'B' : 'A'}${value.slice(41)}`
      assert.equal(codeOf(await visitor.ask({ path: callback, headers: { cookie: flipped } })), 'sign_in_failed')
      const late = await visitor.throughGoogle()
      const kept = visitor.cookies('/auth/google')
      now += LIMITS.signInMs
      assert.equal(codeOf(await visitor.ask({ path: late, headers: { cookie: kept } })), 'sign_in_failed')
    })

    it('takes no code of another sign-in: its verifier does not fit', async () => {
      await signedUp(google.person)
      const stolen = /code=([^&]+)/.exec(await newVisitor(fixture.url).throughGoogle())![1]!
      const callback = (await visitor.throughGoogle()).replace(/code=[^&]+/, `code=${stolen}`)
      const told = await visitor.ask({ path: callback })
      assert.ok(['sign_in_failed', 'provider_unavailable'].includes(codeOf(told)), told.text)
      assert.equal(visitor.cookie('recount_user'), undefined)
    })
  })

  describe('who comes in', () => {
    const refusedAs = async (code: string, query = ''): Promise<void> => {
      const told = await visitor.signIn(query)
      assert.equal(codeOf(told), code, told.text)
      assert.equal(visitor.cookie('recount_user'), undefined)
    }

    it('tells each who does not come in why: denied, unverified, without address, not invited', async () => {
      await refusedAs('not_invited')
      google.person = undefined
      await refusedAs('sign_in_denied')
      for (const email_verified of [false, 'true', undefined, 1]) {
        google.person = somebody({ email_verified })
        await refusedAs('email_unverified', `?invitation=${await invited()}`)
      }
      google.person = { sub: 'sub-silent', email_verified: true }
      await refusedAs('email_unverified')
      google.person = somebody({ sub: '' })
      await refusedAs('provider_unavailable')
    })

    it('tells a person in a page, with the code and a way to try again', async () => {
      google.person = undefined
      const page = await visitor.visit(await visitor.throughGoogle())
      assert.equal(page.status, 403)
      assert.match(page.headers.get('content-type')!, /^text\/html/)
      assert.match(page.text, /<code>sign_in_denied<\/code>/)
      assert.match(page.text, /href="\/auth\/google"/)
      assert.match(page.headers.get('content-security-policy')!, /script-src 'self'(;|$)/)
      assert.equal(page.headers.get('cache-control'), 'no-store')
    })

    it('names on the page what of the address is wrong', async () => {
      const page = await visitor.visit('/auth/google?cli=short')
      assert.equal(page.status, 400)
      assert.match(page.text, /<li><code>cli<\/code> [^<]*SHA-256/)
    })

    it('says on the page of a Google that is away that it is that, and no store of ours', async () => {
      google.instead.set('/token', (_req, res) => void res.writeHead(503).end())
      const page = await visitor.visit(await visitor.throughGoogle())
      assert.equal(page.status, 503)
      assert.match(page.text, /<h1>The sign-in provider did not answer/)
      assert.doesNotMatch(page.text, /store/)
    })

    it('lets a person try again with the invitation and for the command line they came with', async () => {
      const invitation = await invited({ email: 'somebody-else@mail.example' })
      const cli = createHash('sha256').update('x'.repeat(43)).digest('base64url')
      for (const [query, sub] of [[`?invitation=${invitation}`, 'invitation_for_another'], [`?invitation=${invitation}&cli=${cli}`, 'invitation_for_another'], [`?invitation=${invitation}`, 'sign_in_denied']] as const) {
        visitor = newVisitor(fixture.url)
        google.person = sub === 'sign_in_denied' ? undefined : somebody()
        const page = await visitor.visit(await visitor.throughGoogle(query))
        assert.match(page.text, new RegExp(`<code>${sub}</code>`))
        assert.ok(page.text.includes(`href="/auth/google${query.replaceAll('&', '&amp;')}"`), page.text)
      }
      google.person = somebody({ email: 'somebody-else@mail.example' })
      assert.equal((await visitor.signIn(`?invitation=${invitation}`)).status, 303)
      google.person = somebody()
      const ended = await visitor.visit(await visitor.throughGoogle(`?invitation=${invitation}`))
      assert.match(ended.text, /<code>invitation_ended<\/code>/)
      assert.match(ended.text, /href="\/auth\/google"/)
    })

    it('says nothing of an invitation to a browser that did not begin with it', async () => {
      const callback = await visitor.throughGoogle(`?invitation=${await invited()}`)
      const page = await newVisitor(fixture.url).visit(callback)
      assert.match(page.text, /<code>sign_in_failed<\/code>/)
      assert.match(page.text, /href="\/auth\/google"/)
    })

    it('knows a person by Google\'s id when their address changes, and writes the change down', async () => {
      const person = await signedUp()
      google.person = { ...person, email: 'renamed@mail.example', name: 'Renamed' }
      assert.equal((await visitor.signIn()).status, 303)
      const { email, name } = await me(visitor)
      assert.deepEqual([email, name], ['renamed@mail.example', 'Renamed'])
      google.person = somebody({ email: person.email! })
      visitor = newVisitor(fixture.url)
      await refusedAs('not_invited')
    })

    it('makes the address of OWNER_EMAIL the owner that the owner code made, only when Google has verified it', async () => {
      google.person = somebody({ email: OWNER_EMAIL, email_verified: false })
      await refusedAs('email_unverified')
      google.person = somebody({ email: OWNER_EMAIL.toUpperCase() })
      assert.equal((await visitor.signIn()).status, 303)
      const { accountId, operator } = await me(visitor)
      assert.deepEqual([accountId, operator], [OWNER_ID, true])
    })

    it('lets one of two people in who follow one link at once', async () => {
      const query = `?invitation=${await invited()}`
      const both = [newVisitor(fixture.url), newVisitor(fixture.url)]
      const callbacks: string[] = []
      for (const one of both) {
        google.person = somebody()
        callbacks.push(await one.throughGoogle(query))
      }
      const told = await Promise.all(both.map((one, index) => one.ask({ path: callbacks[index]! })))
      assert.deepEqual(told.map((one) => codeOf(one) || String(one.status)).sort(), ['303', 'invitation_ended'])
    })

    it('goes by the domain that Google vouches for, not by the address alone', async () => {
      const domain = 'bakery.example'
      await fixture.bus.execute(updateOrganisation, { organisationId: FIRST_ORGANISATION, allowedDomains: [{ domain, role: 'analyst' }] }, { actor: OWNER_ID })
      google.person = somebody({ email: `private@${domain}` })
      await refusedAs('not_invited')
      google.person = somebody({ email: `baker@${domain}`, hd: 'other.example' })
      await refusedAs('not_invited')
      google.person = somebody({ email: `baker@${domain}`, hd: domain })
      assert.equal((await visitor.signIn()).status, 303)
      assert.deepEqual(((await me(visitor))['organisations'] as { role: string }[]).map(({ role }) => role), ['analyst'])
      await fixture.bus.execute(updateOrganisation, { organisationId: FIRST_ORGANISATION, allowedDomains: [] }, { actor: OWNER_ID })
    })

    it('shuts out somebody who was removed, with the session they had', async () => {
      await signedUp(google.person)
      assert.equal((await visitor.signIn()).status, 303)
      const accountId = (await me(visitor))['accountId'] as string
      await fixture.bus.execute(removeMember, { organisationId: FIRST_ORGANISATION, accountId }, { actor: OWNER_ID })
      assert.equal((await visitor.ask({ path: '/auth/me' })).status, 401)
      assert.equal((await visitor.ask({ path: '/auth/refresh', body: {} })).status, 401)
      assert.equal(codeOf(await newVisitor(fixture.url).signIn()), 'not_invited')
    })

    it('says of an invitation what its link tells, and of one that is over or never was the same', async () => {
      const { organisationId } = await fixture.bus.execute(createOrganisation, { name: 'Crumbs & Co' }, { actor: OWNER_ID })
      const token = await invited({ organisationId, email: 'guest@mail.example' })
      const told = await visitor.ask({ path: `/invitations/${token}` })
      assert.deepEqual([told.status, told.body['organisation'], told.body['role'], told.body['email']], [200, 'Crumbs & Co', 'viewer', 'g…@mail.example'])
      const page = await visitor.visit(`/invitations/${token}`)
      assert.match(page.text, /Join Crumbs &amp; Co/)
      assert.match(page.text, new RegExp(`href="/auth/google\\?invitation=${token}"`))
      assert.equal(page.headers.get('referrer-policy'), 'no-referrer')
      google.person = somebody({ email: 'guest@mail.example' })
      assert.equal((await visitor.signIn(`?invitation=${token}`)).status, 303)
      const ended = await visitor.ask({ path: `/invitations/${token}` })
      const never = await visitor.ask({ path: `/invitations/ri_${'a'.repeat(32)}` })
      const nonsense = await visitor.ask({ path: '/invitations/nonsense' })
      assert.deepEqual([ended.status, codeOf(ended)], [410, 'invitation_ended'])
      assert.deepEqual([never.text, nonsense.text], [ended.text, ended.text])
    })
  })
})
