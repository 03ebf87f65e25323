// Members over HTTP: a role counts from the next request on, whether it rises, falls or ends; keys follow whoever answers for
// them; nobody acts above themselves, and an organisation keeps an owner whoever acts at once.
import assert from 'node:assert/strict'
import { createInvitationToken, hashInvitationToken } from '../../src/commands/invitationToken.ts'
import { inviteMember } from '../../src/commands/inviteMember.ts'
import { OWNER_ID } from '../../src/commands/signInOwner.ts'
import { FIRST_ORGANISATION } from '../../src/events/organisations.ts'
import { uuidv7 } from '../../src/kernel/ids.ts'
import { codeOf, type Fixture, startFixture, type Told } from './support/fixture.ts'
import { join, keyOf, memberOf, otherOrganisation, type Organisation, type Person, signIn } from './support/people.ts'

const MEMBERS = `/organisations/${FIRST_ORGANISATION}/members`
const EVENT = { event: 'signup', userId: 'u-1' }

describe('members over HTTP', function () {
  this.timeout(60_000)
  let fixture: Fixture
  let owner: string
  let other: Organisation

  before(async () => {
    fixture = await startFixture()
    owner = fixture.app.userToken
    other = await otherOrganisation(fixture)
  })
  after(() => fixture.close())

  const change = (token: string, accountId: string, body: Record<string, unknown>): Promise<Told> => fixture.ask({ method: 'PATCH', path: `${MEMBERS}/${accountId}`, token, body })
  const remove = (token: string, accountId: string, query = ''): Promise<Told> => fixture.ask({ method: 'DELETE', path: `${MEMBERS}/${accountId}${query}`, token })
  const answered = ({ status, ...told }: Told): string => `${status} ${codeOf({ status, ...told })}`.trim()
  const using = async (token: string): Promise<string[]> => [
    answered(await fixture.ask({ path: '/collect', token, body: EVENT })),
    answered(await fixture.ask({ path: '/analytics/event-summary', token })),
  ]
  const listed = async (token = owner): Promise<Map<string, Record<string, unknown>>> => {
    const told = await fixture.ask({ path: `${MEMBERS}?limit=500`, token })
    assert.equal(told.status, 200, told.text)
    return new Map((told.body['members'] as Record<string, unknown>[]).map((one) => [one['accountId'] as string, one]))
  }
  const keyIn = async (keyId: string): Promise<Record<string, unknown>> => {
    const told = await fixture.ask({ path: `/auth/api-key?appId=${fixture.app.appId}&limit=500`, token: owner })
    return (told.body['keys'] as Record<string, unknown>[]).find((one) => one['keyId'] === keyId)!
  }

  it('lists them with what hangs on each: role, last sign-in, working keys, grants', async () => {
    const before = Date.now()
    const person = await memberOf(fixture, 'admin', FIRST_ORGANISATION, [{ appId: fixture.other.appId, role: 'viewer' }])
    const { keyId } = await keyOf(fixture, person, fixture.app.appId)
    for (const { appId } of [fixture.app, fixture.other]) await keyOf(fixture, person, appId)
    await fixture.ask({ path: '/auth/revoke', token: owner, body: { keyId } })
    const { joinedAt, lastSignedInAt, ...rest } = (await listed()).get(person.accountId)!
    assert.ok(Date.parse(joinedAt as string) >= before && Date.parse(lastSignedInAt as string) >= before)
    assert.match(rest['name'] as string, /^Person \d+$/)
    const grants = [{ appId: fixture.other.appId, role: 'viewer' }]
    assert.deepEqual({ ...rest, name: '' }, { accountId: person.accountId, email: person.email, name: '', role: 'admin', keys: 2, grants })
    assert.deepEqual((await listed()).get(OWNER_ID)!['email'], null)
  })

  it('pages in the order in which they joined, for admins only', async () => {
    for (let count = 0; count < 3; count++) await memberOf(fixture, 'viewer')
    const all = [...(await listed()).keys()]
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const told = await fixture.ask({ path: `${MEMBERS}?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`, token: owner })
      const page = told.body as { members: { accountId: string }[]; nextCursor: string | null }
      seen.push(...page.members.map(({ accountId }) => accountId))
      cursor = page.nextCursor
    }
    assert.deepEqual(seen, all)
    assert.equal(seen[0], OWNER_ID)
    for (const cursor of ['nothing', `1.${'x'.repeat(36)}`, all[0]]) assert.equal(codeOf(await fixture.ask({ path: `${MEMBERS}?cursor=${cursor}`, token: owner })), 'invalid_parameter')
    for (const role of ['analyst', 'viewer', 'guest'] as const) assert.equal(codeOf(await fixture.ask({ path: MEMBERS, token: (await memberOf(fixture, role)).token })), 'forbidden')
    assert.ok((await listed((await memberOf(fixture, 'admin')).token)).size > all.length)
  })

  it('lets a role count from the next request on, up and down', async () => {
    const person = await memberOf(fixture, 'viewer')
    const { appId } = fixture.app
    const may = async (): Promise<string[]> => [
      answered(await fixture.ask({ path: `/events?appId=${appId}`, token: person.token })),
      answered(await fixture.ask({ path: MEMBERS, token: person.token })),
      ((await fixture.ask({ path: `/apps/${appId}`, token: person.token })).body['role'] as string | undefined) ?? 'none',
    ]
    assert.deepEqual(await may(), ['403 forbidden', '403 forbidden', 'viewer'])
    assert.equal((await change(owner, person.accountId, { role: 'admin' })).status, 200)
    assert.deepEqual(await may(), ['200', '200', 'admin'])
    assert.deepEqual((await change(owner, person.accountId, { role: 'analyst' })).body, { accountId: person.accountId, role: 'analyst', keys: { adopted: [], weakened: [] } })
    assert.deepEqual(await may(), ['200', '403 forbidden', 'analyst'])
    await change(owner, person.accountId, { role: 'guest' })
    assert.deepEqual(await may(), ['404 not_found', '403 forbidden', 'none'])
    assert.equal((await listed()).get(person.accountId)!['role'], 'guest')
  })

  it('shows whoever did something what they did', async () => {
    const person = await memberOf(fixture, 'viewer')
    assert.equal((await listed()).get(person.accountId)!['role'], 'viewer')
    for (const role of ['analyst', 'admin', 'guest', 'viewer']) {
      await change(owner, person.accountId, { role })
      assert.equal((await listed()).get(person.accountId)!['role'], role)
    }
    await remove(owner, person.accountId)
    assert.ok(!(await listed()).has(person.accountId))
  })

  it('takes from keys what their issuer loses, and says so', async () => {
    const person = await memberOf(fixture, 'admin')
    const { appId } = fixture.app
    const key = await keyOf(fixture, person, appId, ['collect', 'query'])
    assert.deepEqual(await using(key.token), ['202', '200'])
    const told = await change(owner, person.accountId, { role: 'viewer' })
    assert.deepEqual(told.body['keys'], { adopted: [], weakened: [{ keyId: key.keyId, appId, name: 'API key', scopes: ['query'], lost: ['collect'] }] })
    assert.deepEqual(await using(key.token), ['403 forbidden', '200'])
    const shown = await keyIn(key.keyId)
    assert.deepEqual([shown['scopes'], shown['effectiveScopes'], shown['issuedBy']], [['collect', 'query'], ['query'], person.accountId])
    await change(owner, person.accountId, { role: 'admin' })
    assert.deepEqual(await using(key.token), ['202', '200'])
  })

  it('ends a member\'s access and keys with the removal; adopted keys live on', async () => {
    const [leaving, kept] = [await memberOf(fixture, 'admin'), await memberOf(fixture, 'admin')]
    const { appId } = fixture.app
    const dying = await keyOf(fixture, leaving, appId)
    const living = await keyOf(fixture, kept, appId)
    const told = await remove(owner, leaving.accountId)
    const all = ['collect', 'query', 'people']
    assert.deepEqual(told.body, { accountId: leaving.accountId, keys: { adopted: [], weakened: [{ keyId: dying.keyId, appId, name: 'API key', scopes: [], lost: all }] } })
    assert.deepEqual(await using(dying.token), ['401 key_revoked', '401 key_revoked'])
    assert.deepEqual((await keyIn(dying.keyId))['effectiveScopes'], [])
    const adopted = await remove(owner, kept.accountId, '?adoptKeys=true')
    assert.deepEqual(adopted.body['keys'], { adopted: [{ keyId: living.keyId, appId, name: 'API key' }], weakened: [] })
    assert.deepEqual(await using(living.token), ['202', '200'])
    assert.equal(answered(await fixture.ask({ path: '/collect', token: living.writeKey, body: EVENT })), '202')
    const shown = await keyIn(living.keyId)
    assert.deepEqual([shown['issuedBy'], shown['effectiveScopes']], [OWNER_ID, all])
    for (const { token } of [leaving, kept]) assert.equal(answered(await fixture.ask({ path: '/apps', token })), '401 unauthenticated')
    assert.ok(!(await listed()).has(leaving.accountId))
    assert.equal(answered(await remove(owner, leaving.accountId)), '404 not_found')
  })

  it('leaves whoever belongs elsewhere too with that, and this is not there for them any more', async () => {
    const person = await memberOf(fixture, 'admin')
    await join(fixture, person, 'viewer', other.organisationId)
    await remove(owner, person.accountId)
    const told = await fixture.ask({ path: '/apps', token: person.token })
    assert.deepEqual((told.body['apps'] as { appId: string }[]).map(({ appId }) => appId), [other.appId])
    for (const path of [MEMBERS, `/organisations/${FIRST_ORGANISATION}`, `/apps/${fixture.app.appId}`]) {
      assert.equal(answered(await fixture.ask({ path, token: person.token })), '404 not_found')
    }
  })

  it('does not bring sessions from before a removal back to life when their person is let in again', async () => {
    const letIn = async (): Promise<Person> => {
      const { token, tokenHash } = createInvitationToken()
      await fixture.bus.execute(inviteMember, { organisationId: FIRST_ORGANISATION, role: 'viewer', tokenHash }, { actor: OWNER_ID })
      return signIn(fixture, { googleId: 'comes-back', invitationHash: hashInvitationToken(token) })
    }
    const before = await letIn()
    assert.equal(answered(await fixture.ask({ path: '/apps', token: before.token })), '200')
    await remove(owner, before.accountId)
    const after = await letIn()
    assert.equal(after.accountId, before.accountId)
    assert.equal(answered(await fixture.ask({ path: '/apps', token: before.token })), '401 session_ended')
    assert.equal(answered(await fixture.ask({ path: '/apps', token: after.token })), '200')
  })

  it('lets nobody act above themselves', async () => {
    const [admin, second, analyst] = [await memberOf(fixture, 'admin'), await memberOf(fixture, 'owner'), await memberOf(fixture, 'analyst')]
    assert.equal(answered(await change(admin.token, second.accountId, { role: 'viewer' })), '403 forbidden')
    assert.equal(answered(await remove(admin.token, second.accountId)), '403 forbidden')
    for (const { accountId } of [analyst, admin]) assert.equal(answered(await change(admin.token, accountId, { role: 'owner' })), '403 forbidden')
    assert.equal(answered(await change(analyst.token, analyst.accountId, { role: 'admin' })), '403 forbidden')
    assert.equal(answered(await remove(analyst.token, admin.accountId)), '403 forbidden')
    assert.equal(answered(await change(admin.token, analyst.accountId, { role: 'admin' })), '200')
    assert.equal(answered(await change(owner, uuidv7(), { role: 'viewer' })), '404 not_found')
    assert.equal(answered(await change(owner, analyst.accountId, { role: 'king' })), '400 invalid_body')
    assert.equal(answered(await remove(owner, second.accountId)), '200')
  })

  it('lets everybody leave but the last owner', async () => {
    const guest = await memberOf(fixture, 'guest')
    assert.equal(answered(await remove(guest.token, guest.accountId, '?adoptKeys=true')), '400 invalid_body')
    assert.equal(answered(await remove(guest.token, guest.accountId)), '200')
    assert.equal(answered(await fixture.ask({ path: '/apps', token: guest.token })), '401 unauthenticated')
    for (const told of [await remove(owner, OWNER_ID), await change(owner, OWNER_ID, { role: 'admin' })]) assert.equal(answered(told), '409 last_owner')
    assert.equal((await listed()).get(OWNER_ID)!['role'], 'owner')
  })

  it('keeps one owner of two who act at once, whatever they do to each other or themselves', async () => {
    const there = `/organisations/${other.organisationId}/members`
    let one: Pick<Person, 'accountId' | 'token'> = { accountId: other.ownerId, token: other.ownerToken }
    for (let round = 0; round < 6; round++) {
      const two = await memberOf(fixture, 'owner', other.organisationId)
      const away = (who: Pick<Person, 'token'>, whom: Pick<Person, 'accountId'>): Promise<Told> =>
        round % 2 === 0
          ? fixture.ask({ method: 'DELETE', path: `${there}/${whom.accountId}`, token: who.token })
          : fixture.ask({ method: 'PATCH', path: `${there}/${whom.accountId}`, token: who.token, body: { role: 'admin' } })
      const answers = await Promise.all(round < 3 ? [away(one, two), away(two, one)] : [away(one, one), away(two, two)])
      assert.equal(answers.filter(({ status }) => status === 200).length, 1, answers.map(answered).join())
      const owners = [...fixture.keyring.state.membersOf(other.organisationId)].filter(({ role }) => role === 'owner')
      assert.equal(owners.length, 1)
      if (owners[0]!.accountId === two.accountId) one = two
    }
  })
})
