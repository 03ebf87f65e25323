// An app that is handed to another organisation: its new people see it and its old ones do not, from the next request on; its
// keys live on, so that its site loses no events.
import assert from 'node:assert/strict'
import { OWNER_ID } from '../../src/commands/signInOwner.ts'
import { FIRST_ORGANISATION } from '../../src/events/organisations.ts'
import { newApp } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { codeOf, type Fixture, OWNER_CODE, startFixture, type Told } from './support/fixture.ts'
import { join, keyOf, memberOf, otherOrganisation, type Organisation } from './support/people.ts'

describe('transfer of an app over HTTP', function () {
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

  const transfer = (appId: string, organisationId: string, token = owner): Promise<Told> => fixture.ask({ path: `/apps/${appId}/transfer`, token, body: { organisationId } })
  const answered = (told: Told): string => `${told.status} ${codeOf(told)}`.trim()
  const read = async (path: string, token: string): Promise<string> => answered(await fixture.ask({ path, token }))

  it('moves it with its keys and its history, without its grants', async () => {
    const { organisationId } = (await fixture.ask({ path: '/organisations', token: owner, body: { name: 'Buyer' } })).body as { organisationId: string }
    const { appId, keyId, token, writeKey } = await newApp(fixture.url, OWNER_CODE, { name: 'Sold', organisationId: FIRST_ORGANISATION })
    const [admin, guest] = [await memberOf(fixture, 'admin'), await memberOf(fixture, 'guest', FIRST_ORGANISATION, [{ appId, role: 'analyst' }])]
    const [buyer, visitor] = [await memberOf(fixture, 'analyst', organisationId), await memberOf(fixture, 'guest', organisationId)]
    // Who had a grant and belongs to the new organisation as well must be granted it anew.
    await join(fixture, guest, 'guest', organisationId)
    const adminKey = await keyOf(fixture, admin, appId, ['collect'])
    const collect = async (credential: string): Promise<string> => answered(await fixture.ask({ path: '/collect?ack=stored', token: credential, body: { event: 'sale' } }))
    assert.equal(await collect(adminKey.token), '201')

    const told = await transfer(appId, organisationId)
    assert.deepEqual(told.body, { appId, organisationId, keys: { adopted: [{ keyId: adminKey.keyId, appId, name: 'API key' }], weakened: [] } })

    for (const person of [admin, guest, visitor]) assert.equal(await read(`/apps/${appId}`, person.token), '404 not_found')
    for (const credential of [adminKey.token, adminKey.writeKey, token, writeKey]) assert.equal(await collect(credential), '201')
    const app = (await fixture.ask({ path: `/apps/${appId}`, token: buyer.token })).body
    assert.deepEqual([app['organisationId'], app['role'], app['name']], [organisationId, 'analyst', 'Sold'])
    assert.ok(!(await fixture.ask({ path: '/apps', token: admin.token })).text.includes(appId))
    // Read models follow the log in their own time.
    await eventually(async () => ((await fixture.ask({ path: `/events?appId=${appId}`, token: buyer.token })).body['events'] as unknown[]).length === 5)
    const shown = (await fixture.ask({ path: `/auth/api-key?appId=${appId}`, token: buyer.token })).body['keys'] as Record<string, unknown>[]
    assert.deepEqual(new Map(shown.map((key) => [key['keyId'], key['issuedBy']])), new Map([[keyId, OWNER_ID], [adminKey.keyId, OWNER_ID]]))
    assert.deepEqual((await fixture.ask({ path: `/apps/${appId}/grants`, token: owner })).body['grants'], [])
    const member = (await fixture.ask({ path: `/organisations/${FIRST_ORGANISATION}/members?limit=500`, token: owner })).body['members'] as Record<string, unknown>[]
    assert.deepEqual(member.find((one) => one['accountId'] === guest.accountId)!['grants'], [])
  })

  it('takes an owner of the app who may register apps over there', async () => {
    const { appId } = fixture.app
    const both = await memberOf(fixture, 'owner')
    assert.equal(answered(await transfer(appId, other.organisationId, both.token)), '404 not_found')
    await join(fixture, both, 'analyst', other.organisationId)
    assert.equal(answered(await transfer(appId, other.organisationId, both.token)), '403 forbidden')
    assert.equal(answered(await transfer(appId, FIRST_ORGANISATION, both.token)), '400 invalid_body')
    const admin = await memberOf(fixture, 'admin')
    await join(fixture, admin, 'owner', other.organisationId)
    assert.equal(answered(await transfer(appId, other.organisationId, admin.token)), '403 forbidden')
    assert.equal(answered(await transfer(appId, other.organisationId, other.ownerToken)), '404 not_found')
    assert.equal(await read(`/apps/${appId}`, owner), '200')
  })
})
