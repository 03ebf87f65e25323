// Grants over HTTP: on one app somebody may do more than their role says, from the next request on and no longer than that.
import assert from 'node:assert/strict'
import { FIRST_ORGANISATION } from '../../src/events/organisations.ts'
import { uuidv7 } from '../../src/kernel/ids.ts'
import { codeOf, type Fixture, startFixture, type Told } from './support/fixture.ts'
import { keyOf, memberOf, otherOrganisation, type Organisation, type Person } from './support/people.ts'

describe('grants over HTTP', function () {
  this.timeout(60_000)
  let fixture: Fixture
  let owner: string
  let appId: string
  let other: Organisation
  let guest: Person

  before(async () => {
    fixture = await startFixture()
    owner = fixture.app.userToken
    appId = fixture.app.appId
    other = await otherOrganisation(fixture)
    guest = await memberOf(fixture, 'guest')
  })
  after(() => fixture.close())

  const grant = (accountId: string, role: string, { token = owner, app = appId } = {}): Promise<Told> => fixture.ask({ method: 'PUT', path: `/apps/${app}/grants/${accountId}`, token, body: { role } })
  const end = (accountId: string, { token = owner, app = appId } = {}): Promise<Told> => fixture.ask({ method: 'DELETE', path: `/apps/${app}/grants/${accountId}`, token })
  const answered = (told: Told): string => `${told.status} ${codeOf(told)}`.trim()
  const read = async (person: Pick<Person, 'token'>, path: string): Promise<string> => answered(await fixture.ask({ path, token: person.token }))
  const appsOf = async ({ token }: Pick<Person, 'token'>): Promise<unknown[]> =>
    ((await fixture.ask({ path: '/apps', token })).body['apps'] as Record<string, unknown>[]).map((app) => [app['appId'], app['role']])
  const listed = async (query = ''): Promise<{ grants: Record<string, unknown>[]; nextCursor: string | null }> => {
    const told = await fixture.ask({ path: `/apps/${appId}/grants${query}`, token: owner })
    assert.equal(told.status, 200, told.text)
    return told.body as never
  }

  it('shows a guest the apps that were granted, and nothing else', async () => {
    const summary = `/analytics/event-summary?appId=${appId}`
    assert.deepEqual([await appsOf(guest), await read(guest, `/apps/${appId}`), await read(guest, summary)], [[], '404 not_found', '404 not_found'])
    assert.deepEqual((await grant(guest.accountId, 'viewer')).body, { appId, accountId: guest.accountId, role: 'viewer', keys: { adopted: [], weakened: [] } })
    assert.deepEqual(await appsOf(guest), [[appId, 'viewer']])
    assert.deepEqual([await read(guest, `/apps/${appId}`), await read(guest, summary)], ['200', '200'])
    assert.deepEqual([await read(guest, `/events?appId=${appId}`), await read(guest, `/apps/${fixture.other.appId}`)], ['403 forbidden', '404 not_found'])
    assert.equal(answered(await end(guest.accountId)), '200')
    assert.deepEqual([await appsOf(guest), await read(guest, summary)], [[], '404 not_found'])
    assert.equal(answered(await end(guest.accountId)), '200', 'ending it again is no fault')
  })

  it('lifts a member above their role on that app alone, as far as it says', async () => {
    const viewer = await memberOf(fixture, 'viewer')
    assert.equal(await read(viewer, `/apps/${appId}/grants`), '403 forbidden')
    await grant(viewer.accountId, 'admin')
    assert.deepEqual(new Map((await appsOf(viewer)) as [string, string][]), new Map([[appId, 'admin'], [fixture.other.appId, 'viewer']]))
    assert.equal(await read(viewer, `/apps/${appId}/grants`), '200')
    assert.equal(answered(await fixture.ask({ method: 'PATCH', path: `/apps/${appId}`, token: viewer.token, body: { name: 'Renamed' } })), '200')
    assert.equal(answered(await fixture.ask({ method: 'DELETE', path: `/apps/${appId}`, token: viewer.token })), '403 forbidden')
    assert.equal(answered(await grant(viewer.accountId, 'admin', { token: viewer.token, app: fixture.other.appId })), '403 forbidden')
    const { role, organisationRole, email } = (await listed()).grants.find((one) => one['accountId'] === viewer.accountId)!
    assert.deepEqual([role, organisationRole, email], ['admin', 'viewer', viewer.email])
    const admin = await memberOf(fixture, 'admin')
    await grant(admin.accountId, 'viewer')
    assert.deepEqual((await appsOf(admin)).length, 2)
    assert.equal(answered(await fixture.ask({ method: 'PATCH', path: `/apps/${appId}`, token: admin.token, body: { name: 'Still admin' } })), '200')
  })

  it('takes from keys what a grant no longer covers, and says so', async () => {
    const person = await memberOf(fixture, 'guest', FIRST_ORGANISATION, [{ appId, role: 'admin' }])
    const key = await keyOf(fixture, person, appId, ['collect', 'query'])
    const using = async (): Promise<string[]> => [
      answered(await fixture.ask({ path: '/collect', token: key.token, body: { event: 'signup' } })),
      answered(await fixture.ask({ path: '/analytics/event-summary', token: key.token })),
    ]
    assert.deepEqual(await using(), ['202', '200'])
    const weakened = (scopes: string[], lost: string[]): unknown => ({ adopted: [], weakened: [{ keyId: key.keyId, appId, name: 'API key', scopes, lost }] })
    assert.deepEqual((await grant(person.accountId, 'viewer')).body['keys'], weakened(['query'], ['collect']))
    assert.deepEqual(await using(), ['403 forbidden', '200'])
    assert.deepEqual((await end(person.accountId)).body['keys'], weakened([], ['query']))
    assert.deepEqual(await using(), ['401 key_revoked', '401 key_revoked'])
  })

  it('goes to members of the organisation only, from its admins only', async () => {
    for (const accountId of [other.guest.accountId, uuidv7()]) {
      assert.equal(answered(await grant(accountId, 'viewer')), '404 not_found')
      assert.equal(answered(await end(accountId)), '404 not_found')
    }
    const analyst = await memberOf(fixture, 'analyst')
    for (const told of [await grant(guest.accountId, 'viewer', analyst), await end(guest.accountId, analyst)]) assert.equal(answered(told), '403 forbidden')
    assert.equal(answered(await grant(guest.accountId, 'viewer', { token: other.ownerToken })), '404 not_found')
    assert.equal(answered(await grant(guest.accountId, 'owner')), '400 invalid_body')
    assert.deepEqual(await appsOf(guest), [])
  })

  it('ends with the membership', async () => {
    const person = await memberOf(fixture, 'guest', FIRST_ORGANISATION, [{ appId, role: 'analyst' }])
    assert.ok((await listed('?limit=500')).grants.some((one) => one['accountId'] === person.accountId))
    await fixture.ask({ method: 'DELETE', path: `/organisations/${FIRST_ORGANISATION}/members/${person.accountId}`, token: owner })
    assert.ok(!(await listed('?limit=500')).grants.some((one) => one['accountId'] === person.accountId))
  })

  it('is listed page by page, in the order in which it was given', async () => {
    for (let count = 0; count < 3; count++) await memberOf(fixture, 'guest', FIRST_ORGANISATION, [{ appId, role: 'viewer' }])
    const all = (await listed('?limit=500')).grants
    const seen: unknown[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await listed(`?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
      seen.push(...page.grants)
      cursor = page.nextCursor
    }
    assert.ok(all.length >= 3)
    assert.deepEqual(seen, all)
    assert.deepEqual(all.map((one) => one['grantedAt']), all.map((one) => one['grantedAt']).sort())
  })
})
