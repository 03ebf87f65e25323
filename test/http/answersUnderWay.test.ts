// An answer that takes its time goes to nobody who has lost the right to it meanwhile: it waits for an event that comes only
// after the right has gone.
import assert from 'node:assert/strict'
import { changeMemberRole } from '../../src/commands/changeMemberRole.ts'
import { endAppGrant } from '../../src/commands/endAppGrant.ts'
import { removeMember } from '../../src/commands/removeMember.ts'
import { revokeApiKey } from '../../src/commands/revokeApiKey.ts'
import { signOut } from '../../src/commands/signOut.ts'
import { OWNER_ID } from '../../src/commands/signInOwner.ts'
import { FIRST_ORGANISATION } from '../../src/events/organisations.ts'
import { uuidv7 } from '../../src/kernel/ids.ts'
import { codeOf, type Fixture, startFixture } from './support/fixture.ts'
import { keyOf, memberOf } from './support/people.ts'

describe('answers under way', function () {
  this.timeout(60_000)
  let fixture: Fixture

  before(async () => {
    fixture = await startFixture()
  })
  after(() => fixture.close())

  const organisationId = FIRST_ORGANISATION
  const by = { actor: OWNER_ID }

  /** How a request is answered that was let in, and whose event came after what was done meanwhile. */
  const answered = async (path: string, token: string, meanwhile: () => Promise<unknown>): Promise<string> => {
    const id = uuidv7()
    const { appId } = fixture.app
    const told = fixture.ask({ path: `${path}${path.includes('?') ? '&' : '?'}appId=${appId}&after=${id}`, token })
    // A second request of the same is answered once the first has been let in: they pass the same way, one after the other.
    assert.equal((await fixture.ask({ path: `/analytics/overview?appId=${appId}`, token })).status, 200)
    await meanwhile()
    assert.equal((await fixture.ask({ path: '/collect?ack=stored', token: fixture.app.token, body: { id, event: 'late', userId: 'ada' } })).status, 201)
    const { status, ...rest } = await told
    return `${status} ${codeOf({ status, ...rest })}`.trim()
  }
  const PATHS = ['/analytics/overview', '/analytics/visits?userId=ada', '/analytics/goals', '/events']

  it('come to those who may still have them', async () => {
    const { token } = await memberOf(fixture, 'analyst')
    for (const path of PATHS) assert.equal(await answered(path, token, () => Promise.resolve()), '200', path)
  })

  it('do not come to people who were removed, signed out or demoted meanwhile', async () => {
    for (const path of PATHS) {
      const person = await memberOf(fixture, 'analyst')
      assert.equal(await answered(path, person.token, () => fixture.bus.execute(removeMember, { organisationId, accountId: person.accountId }, by)), '401 unauthenticated', path)
      const leaving = await memberOf(fixture, 'analyst')
      assert.equal(await answered(path, leaving.token, () => fixture.bus.execute(signOut, { sessionId: leaving.sessionId }, { actor: leaving.accountId })), '401 session_ended', path)
    }
    const { accountId, token } = await memberOf(fixture, 'analyst')
    const demote = () => fixture.bus.execute(changeMemberRole, { organisationId, accountId, role: 'viewer' }, by)
    assert.equal(await answered('/events', token, demote), '403 forbidden')
    const guest = await memberOf(fixture, 'guest', organisationId, [{ appId: fixture.app.appId, role: 'viewer' }])
    const end = () => fixture.bus.execute(endAppGrant, { appId: fixture.app.appId, accountId: guest.accountId }, by)
    assert.equal(await answered('/analytics/overview', guest.token, end), '404 not_found')
  })

  it('do not come to keys that were revoked, or whose issuer was demoted, meanwhile', async () => {
    for (const path of PATHS) {
      const { keyId, token } = await keyOf(fixture, { accountId: OWNER_ID }, fixture.app.appId)
      assert.equal(await answered(path, token, () => fixture.bus.execute(revokeApiKey, { keyId }, by)), '401 key_revoked', path)
    }
    const issuer = await memberOf(fixture, 'analyst')
    const { token } = await keyOf(fixture, issuer, fixture.app.appId, ['query', 'people'])
    const demote = () => fixture.bus.execute(changeMemberRole, { organisationId, accountId: issuer.accountId, role: 'viewer' }, by)
    assert.equal(await answered('/events', token, demote), '403 forbidden')
  })
})
