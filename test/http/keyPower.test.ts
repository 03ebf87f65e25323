// A key never does more than whoever issued it may at the moment: it shrinks with them, dies with them, lives on with whoever
// takes it over, and ends with its app.
import assert from 'node:assert/strict'
import { changeMemberRole } from '../../src/commands/changeMemberRole.ts'
import { deleteApp } from '../../src/commands/deleteApp.ts'
import { registerApp } from '../../src/commands/registerApp.ts'
import { removeMember } from '../../src/commands/removeMember.ts'
import { FIRST_ORGANISATION, type MemberRole } from '../../src/events/organisations.ts'
import { OWNER_ID } from '../../src/commands/signInOwner.ts'
import { codeOf, type Fixture, startFixture } from './support/fixture.ts'
import { type Key, keyOf, memberOf, otherOrganisation, tokenOf } from './support/people.ts'

describe('what a key may do', function () {
  this.timeout(60_000)
  let fixture: Fixture

  before(async () => {
    fixture = await startFixture()
    // There from the beginning, so that reading about her is a question of rights alone.
    const { token } = fixture.app
    const { ids } = (await fixture.ask({ path: '/collect?ack=stored', token, body: { event: 'signup', userId: 'ada' } })).body as { ids: string[] }
    assert.equal((await fixture.ask({ path: `/analytics/visits?userId=ada&after=${ids[0]!}`, token })).status, 200)
  })
  after(() => fixture.close())

  /** How sending an event, reading a number and reading about a person are answered. */
  const power = async ({ token, writeKey }: Key): Promise<string[]> => {
    const event = { event: 'signup', userId: 'ada' }
    const told = [
      await fixture.ask({ path: '/collect', token, body: event }),
      await fixture.ask({ path: `/collect?key=${writeKey}`, body: event }),
      await fixture.ask({ path: '/analytics/overview', token }),
      await fixture.ask({ path: '/analytics/visits?userId=ada', token }),
    ]
    return told.map((one) => `${one.status} ${codeOf(one)}`.trim())
  }
  const EVERYTHING = ['202', '202', '200', '200']
  const NOTHING = Array<string>(4).fill('401 key_revoked')

  const issued = async (role: MemberRole): Promise<{ accountId: string; key: Key }> => {
    const { accountId } = await memberOf(fixture, role)
    return { accountId, key: await keyOf(fixture, { accountId }, fixture.app.appId) }
  }
  const change = (accountId: string, role: MemberRole, adoptKeys = false): Promise<unknown> =>
    fixture.bus.execute(changeMemberRole, { organisationId: FIRST_ORGANISATION, accountId, role, adoptKeys }, { actor: OWNER_ID })
  const remove = (accountId: string, adoptKeys = false): Promise<unknown> =>
    fixture.bus.execute(removeMember, { organisationId: FIRST_ORGANISATION, accountId, adoptKeys }, { actor: OWNER_ID })

  it('shrinks with its issuer’s role, and comes back with it', async () => {
    const { accountId, key } = await issued('admin')
    assert.deepEqual(await power(key), EVERYTHING)
    await change(accountId, 'analyst')
    assert.deepEqual(await power(key), ['403 forbidden', '403 forbidden', '200', '200'])
    await change(accountId, 'viewer')
    assert.deepEqual(await power(key), ['403 forbidden', '403 forbidden', '200', '403 forbidden'])
    await change(accountId, 'guest')
    assert.deepEqual(await power(key), NOTHING)
    await change(accountId, 'admin')
    assert.deepEqual(await power(key), EVERYTHING)
  })

  it('dies with an issuer who is removed', async () => {
    const { accountId, key } = await issued('admin')
    await remove(accountId)
    assert.deepEqual(await power(key), NOTHING)
  })

  it('goes on where somebody takes it over, whether its issuer is demoted or removed', async () => {
    for (const end of [(accountId: string) => change(accountId, 'viewer', true), (accountId: string) => remove(accountId, true)]) {
      const { accountId, key } = await issued('admin')
      await end(accountId)
      assert.deepEqual(await power(key), EVERYTHING)
    }
  })

  it('does not get back by being taken over what it had lost with its issuer’s role', async () => {
    const { accountId, key } = await issued('admin')
    await change(accountId, 'viewer')
    const left = ['403 forbidden', '403 forbidden', '200', '403 forbidden']
    assert.deepEqual(await power(key), left)
    await remove(accountId, true)
    assert.deepEqual(await power(key), left)
    const shown = (await fixture.ask({ path: `/auth/api-key?appId=${fixture.app.appId}`, token: fixture.app.userToken })).body['keys'] as Record<string, unknown>[]
    assert.deepEqual(shown.find((one) => one['keyId'] === key.keyId)?.['scopes'], ['query'])
  })

  it('ends with its app at once, and nothing that was on its way counts anywhere', async () => {
    const actor = OWNER_ID
    const { appId } = await fixture.bus.execute(registerApp, { name: 'Short-lived', organisationId: FIRST_ORGANISATION }, { actor })
    const key = await keyOf(fixture, { accountId: actor }, appId)
    const counted = async (): Promise<unknown> => (await fixture.ask({ path: '/analytics/overview?period=all', token: fixture.app.token })).body['events']
    const before = await counted()
    const onTheWay = Array.from({ length: 20 }, () => fixture.ask({ path: '/collect', token: key.token, body: { event: 'late', userId: 'ada' } }))
    await fixture.bus.execute(deleteApp, { appId }, { actor })
    assert.deepEqual(await power(key), NOTHING)
    for (const told of await Promise.all(onTheWay)) assert.ok(['202', '401 key_revoked'].includes(`${told.status} ${codeOf(told)}`.trim()), told.text)
    const stranger = await otherOrganisation(fixture)
    for (const token of [tokenOf(fixture, actor), stranger.ownerToken]) {
      for (const path of [`/analytics/overview?appId=${appId}`, `/events?appId=${appId}`, `/apps/${appId}`]) {
        assert.equal((await fixture.ask({ path, token })).status, 404, path)
      }
      assert.ok(!(await fixture.ask({ path: '/apps', token })).text.includes(appId))
    }
    assert.equal(await counted(), before)
  })
})
