// Invitations over HTTP: a link is shown once, leads here, lets one person in with what it says and no more, and ends by use,
// by being taken back and by itself.
import assert from 'node:assert/strict'
import { hashInvitationToken } from '../../src/commands/invitationToken.ts'
import { OWNER_ID } from '../../src/commands/signInOwner.ts'
import { FIRST_ORGANISATION } from '../../src/events/organisations.ts'
import { uuidv7 } from '../../src/kernel/ids.ts'
import { codeOf, type Fixture, startFixture, type Told } from './support/fixture.ts'
import { memberOf, otherOrganisation, type Organisation, type Person, signIn, tokenOf } from './support/people.ts'

const INVITATIONS = `/organisations/${FIRST_ORGANISATION}/invitations`
const DAY = 86_400_000

describe('invitations over HTTP', function () {
  this.timeout(60_000)
  let fixture: Fixture
  let owner: string
  let other: Organisation
  let skew = 0
  let halted: number | undefined

  before(async () => {
    fixture = await startFixture({}, { clock: { now: () => halted ?? Date.now() + skew } })
    owner = fixture.app.userToken
    other = await otherOrganisation(fixture)
  })
  after(() => fixture.close())

  const invite = async (body: Record<string, unknown>, token = owner, path = INVITATIONS): Promise<{ invitationId: string; link: string; expiresAt: string; token: string }> => {
    const told = await fixture.ask({ path, token, body })
    assert.equal(told.status, 201, told.text)
    assert.equal(told.headers['cache-control'], 'no-store')
    const made = told.body as { invitationId: string; link: string; expiresAt: string }
    return { ...made, token: made.link.split('/').at(-1)! }
  }
  const enter = (token: string, who: { googleId?: string; email?: string } = {}): Promise<Person> => signIn(fixture, { invitationHash: hashInvitationToken(token), ...who })
  const accept = (person: Pick<Person, 'token'>, token: string): Promise<Told> => fixture.ask({ path: '/invitations/accept', token: person.token, body: { token } })
  const answered = (told: Told): string => `${told.status} ${codeOf(told)}`.trim()
  const listed = async (token = owner): Promise<Record<string, unknown>[]> => {
    const told = await fixture.ask({ path: `${INVITATIONS}?limit=500`, token })
    assert.equal(told.status, 200, told.text)
    return told.body['invitations'] as Record<string, unknown>[]
  }
  const stateOf = async (invitationId: string): Promise<unknown> => (await listed()).find((one) => one['invitationId'] === invitationId)!['state']

  it('lets somebody in as what it says, at once and in every read', async () => {
    const { appId } = fixture.app
    const { link, token, expiresAt } = await invite({ role: 'guest', apps: [{ appId, role: 'analyst' }] })
    assert.equal(link, `${fixture.url}/invitations/${token}`)
    assert.match(token, /^ri_[0-9A-Za-z]{32}$/)
    assert.ok(Math.abs(Date.parse(expiresAt) - Date.now() - 7 * DAY) < 60_000)
    const person = await enter(token)
    const apps = (await fixture.ask({ path: '/apps', token: person.token })).body['apps'] as Record<string, unknown>[]
    assert.deepEqual(apps.map((app) => [app['appId'], app['role']]), [[appId, 'analyst']])
    const read = (path: string): Promise<Told> => fixture.ask({ path, token: person.token })
    for (const path of [`/apps/${appId}`, `/events?appId=${appId}`, `/analytics/event-summary?appId=${appId}`, `/organisations/${FIRST_ORGANISATION}`]) assert.equal(answered(await read(path)), '200', path)
    assert.equal(answered(await read(`/apps/${fixture.other.appId}`)), '404 not_found')
    const analyst = await enter((await invite({ role: 'analyst' })).token)
    assert.equal((await fixture.ask({ path: `/apps/${fixture.other.appId}`, token: analyst.token })).body['role'], 'analyst')
  })

  it('lets somebody who is here already join one organisation more, by the token of the link', async () => {
    const path = `/organisations/${other.organisationId}/invitations`
    const { token, invitationId } = await invite({ role: 'viewer' }, other.ownerToken, path)
    const person = await memberOf(fixture, 'viewer')
    assert.equal(answered(await fixture.ask({ path: `/apps/${other.appId}`, token: person.token })), '404 not_found')
    const told = await accept(person, token)
    assert.deepEqual([told.status, told.body], [200, { organisationId: other.organisationId, role: 'viewer' }])
    assert.equal(answered(await fixture.ask({ path: `/apps/${other.appId}`, token: person.token })), '200')
    assert.equal(answered(await accept(await memberOf(fixture, 'viewer'), token)), '410 invitation_ended')
    const shown = (await fixture.ask({ path, token: other.ownerToken })).body['invitations'] as Record<string, unknown>[]
    const used = shown.find((one) => one['invitationId'] === invitationId)!
    assert.deepEqual([used['state'], used['acceptedBy'], used['invitedBy']], ['accepted', person.accountId, other.ownerId])
    assert.ok(Date.parse(used['endedAt'] as string) > 0)
    const again = (await invite({ role: 'admin' }, other.ownerToken, path)).token
    assert.equal(answered(await accept(person, again)), '409 already_member')
    assert.equal(answered(await fixture.ask({ path: '/invitations/accept', body: { token: again } })), '401 unauthenticated')
    assert.equal(answered(await accept(person, 'ri_short')), '400 invalid_body')
  })

  it('shows what it grants on single apps, and once it was used one way on and whom to ask', async () => {
    const { token } = await invite({ role: 'guest', apps: [{ appId: fixture.other.appId, role: 'analyst' }] })
    const path = `/invitations/${token}`
    const headers = { accept: 'text/html' }
    assert.match((await fixture.ask({ path, headers })).text, /<dd>Other app \(analyst\)<\/dd>/)
    assert.deepEqual((await fixture.ask({ path })).body['apps'], [{ name: 'Other app', role: 'analyst' }])
    await enter(token)
    const used = await fixture.ask({ path, headers })
    assert.deepEqual([used.status, used.text.match(/<a /g)?.length], [410, 1])
    assert.match(used.text, /ask whoever invited you/)
  })

  it('lets in only whom it is for', async () => {
    const { token } = await invite({ role: 'viewer', email: 'bob@bakery.example' })
    await assert.rejects(enter(token, { email: 'eve@bakery.example' }), { code: 'invitation_for_another' })
    assert.equal(answered(await accept({ token: other.ownerToken }, token)), '403 invitation_for_another')
    const bob = await enter(token, { email: 'Bob@Bakery.example' })
    assert.equal(answered(await fixture.ask({ path: '/apps', token: bob.token })), '200')
  })

  it('lets one of many in who come at once', async () => {
    const { token } = await invite({ role: 'viewer' })
    const answers = await Promise.allSettled(Array.from({ length: 5 }, () => enter(token)))
    assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const one of answers) if (one.status === 'rejected') assert.equal((one.reason as { code: string }).code, 'invitation_ended')
  })

  it('ends when it is taken back', async () => {
    const { token, invitationId } = await invite({ role: 'viewer' })
    const revoke = (by = owner): Promise<Told> => fixture.ask({ method: 'DELETE', path: `${INVITATIONS}/${invitationId}`, token: by })
    assert.equal(answered(await revoke((await memberOf(fixture, 'analyst')).token)), '403 forbidden')
    assert.equal(await stateOf(invitationId), 'open')
    assert.equal(answered(await revoke()), '204')
    assert.equal(await stateOf(invitationId), 'revoked')
    await assert.rejects(enter(token), { code: 'invitation_ended' })
    assert.equal(answered(await accept({ token: other.ownerToken }, token)), '410 invitation_ended')
    assert.equal(answered(await revoke()), '204')
    assert.equal(answered(await fixture.ask({ method: 'DELETE', path: `${INVITATIONS}/${uuidv7()}`, token: owner })), '404 not_found')
  })

  it('gives away no more than whoever makes it has', async () => {
    const admin = await memberOf(fixture, 'admin')
    assert.equal(answered(await fixture.ask({ path: INVITATIONS, token: admin.token, body: { role: 'owner' } })), '403 forbidden')
    const { invitationId } = await invite({ role: 'owner' })
    assert.equal(answered(await fixture.ask({ method: 'DELETE', path: `${INVITATIONS}/${invitationId}`, token: admin.token })), '403 forbidden')
    await invite({ role: 'admin' }, admin.token)
    for (const role of ['analyst', 'viewer', 'guest'] as const) {
      const { token } = await memberOf(fixture, role)
      assert.equal(answered(await fixture.ask({ path: INVITATIONS, token, body: { role: 'guest' } })), '403 forbidden')
      assert.equal(answered(await fixture.ask({ path: INVITATIONS, token })), '403 forbidden')
    }
    const apps = [{ appId: other.appId, role: 'viewer' }]
    assert.equal(answered(await fixture.ask({ path: INVITATIONS, token: owner, body: { role: 'guest', apps } })), '400 invalid_body')
  })

  it('is listed newest first, page by page, without what is secret', async () => {
    // Several of one millisecond, over which a page must neither skip nor repeat.
    halted = Date.now()
    for (let count = 0; count < 5; count++) await invite({ role: 'viewer' })
    halted = undefined
    const made = [await invite({ role: 'viewer', email: 'a@bakery.example' }), await invite({ role: 'guest', apps: [{ appId: fixture.app.appId, role: 'viewer' }] })]
    const { text } = await fixture.ask({ path: `${INVITATIONS}?limit=500`, token: owner })
    for (const { token } of made) assert.ok(!text.includes(token) && !text.includes(hashInvitationToken(token)))
    const all = await listed()
    assert.deepEqual(new Set(all.slice(0, 2).map((one) => one['invitationId'])), new Set(made.map(({ invitationId }) => invitationId)))
    const guest = all.find((one) => one['invitationId'] === made[1]!.invitationId)!
    assert.deepEqual([guest['apps'], guest['email'], guest['invitedBy']], [[{ appId: fixture.app.appId, role: 'viewer' }], null, OWNER_ID])
    const seen: unknown[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = (await fixture.ask({ path: `${INVITATIONS}?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`, token: owner })).body as { invitations: unknown[]; nextCursor: string | null }
      seen.push(...page.invitations)
      cursor = page.nextCursor
    }
    assert.deepEqual(seen, all)
  })

  it('makes its link from PUBLIC_URL, whatever the Host header says', async () => {
    const linkBy = async (of: Fixture, host: string): Promise<string> => (await of.ask({ path: INVITATIONS, token: of.app.userToken, body: { role: 'guest' }, headers: { host } })).body['link'] as string
    const known = await startFixture({ PUBLIC_URL: 'https://recount.bakery.example/' })
    try {
      for (const host of ['evil.example', 'recount.bakery.example.evil.example', '"><script>']) {
        assert.match(await linkBy(known, host), /^https:\/\/recount\.bakery\.example\/invitations\/ri_\w{32}$/)
      }
    } finally {
      await known.close()
    }
    assert.match(await linkBy(fixture, 'evil.example/x?'), /^http:\/\/localhost:1055\/invitations\/ri_\w{32}$/)
  })

  it('ends by itself, and says so from that moment on', async () => {
    const { token, invitationId } = await invite({ role: 'viewer', expiresInDays: 1 })
    assert.equal(await stateOf(invitationId), 'open')
    skew = DAY + 60_000
    owner = tokenOf(fixture, OWNER_ID)
    assert.equal(await stateOf(invitationId), 'expired')
    await assert.rejects(enter(token), { code: 'invitation_ended' })
    const late = { token: tokenOf(fixture, other.ownerId) }
    assert.equal(answered(await accept(late, token)), '410 invitation_ended')
  })
})
