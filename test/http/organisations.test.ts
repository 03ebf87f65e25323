// Organisations over HTTP: who sees them, who may change them, and that nobody learns of another one's existence, by any
// route. What the lists show is what a fresh fold of the log says.
import assert from 'node:assert/strict'
import { openEventLog } from '../../src/events/openEventLog.ts'
import { FIRST_ORGANISATION } from '../../src/events/organisations.ts'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { uuidv7 } from '../../src/kernel/ids.ts'
import { apps } from '../../src/projections/apps.ts'
import { keys } from '../../src/projections/keys.ts'
import { organisations } from '../../src/projections/organisations/organisations.ts'
import { verifyReadModels } from '../../src/projections/verify.ts'
import { type Asked, codeOf, type Fixture, startFixture, type Told } from './support/fixture.ts'
import { join, memberOf, type Organisation, otherOrganisation, type Person } from './support/people.ts'

describe('organisations over HTTP', function () {
  this.timeout(60_000)
  let fixture: Fixture
  let operator: string
  let admin: Person
  let guest: Person
  let other: Organisation

  before(async () => {
    fixture = await startFixture()
    operator = fixture.app.userToken
    admin = await memberOf(fixture, 'admin')
    guest = await memberOf(fixture, 'guest')
    other = await otherOrganisation(fixture)
  })
  after(() => fixture.close())

  const listed = async (token: string, query = ''): Promise<Record<string, unknown>[]> => {
    const told = await fixture.ask({ path: `/organisations${query}`, token })
    assert.equal(told.status, 200, told.text)
    return told.body['organisations'] as Record<string, unknown>[]
  }

  it('shows everybody the organisations they belong to, with their role there', async () => {
    assert.deepEqual((await listed(admin.token)).map(({ organisationId, role, name }) => [organisationId, role, name]), [[FIRST_ORGANISATION, 'admin', 'My organisation']])
    assert.deepEqual((await listed(other.ownerToken)).map(({ organisationId, role }) => [organisationId, role]), [[other.organisationId, 'owner']])
    const told = await fixture.ask({ path: `/organisations/${FIRST_ORGANISATION}`, token: guest.token })
    assert.deepEqual([told.status, told.body['role'], told.body['allowedDomains']], [200, 'guest', null])
    assert.deepEqual((await fixture.ask({ path: `/organisations/${FIRST_ORGANISATION}`, token: admin.token })).body['allowedDomains'], [])
    assert.equal((await fixture.ask({ path: `/organisations/${FIRST_ORGANISATION}`, token: guest.token, headers: { 'if-none-match': told.headers.etag! } })).status, 304)
  })

  it('lets operators begin organisations, and nobody else', async () => {
    const made = await fixture.ask({ path: '/organisations', token: operator, body: { name: ' The Mill ' } })
    const { organisationId } = made.body as { organisationId: string }
    assert.deepEqual([made.status, made.headers.location], [201, `/organisations/${organisationId}`])
    const mine = (await listed(operator)).find((one) => one['organisationId'] === organisationId)
    assert.deepEqual([mine?.['name'], mine?.['role']], ['The Mill', 'owner'])
    for (const token of [admin.token, guest.token, other.ownerToken]) {
      assert.equal(codeOf(await fixture.ask({ path: '/organisations', token, body: { name: 'Mine' } })), 'forbidden')
    }
    assert.equal((await listed(admin.token)).length, 1)
  })

  it('pages through them', async () => {
    const several = await memberOf(fixture, 'viewer')
    await join(fixture, several, 'guest', other.organisationId)
    const { organisationId } = (await fixture.ask({ path: '/organisations', token: operator, body: { name: 'Third' } })).body as { organisationId: string }
    await join(fixture, several, 'analyst', organisationId)
    const seen: unknown[] = []
    let cursor: unknown = null
    do {
      const told: Told = await fixture.ask({ path: `/organisations?limit=1${typeof cursor === 'string' ? `&cursor=${cursor}` : ''}`, token: several.token })
      const page = told.body['organisations'] as Record<string, unknown>[]
      assert.equal(page.length, 1, told.text)
      seen.push(`${String(page[0]!['organisationId'])} ${String(page[0]!['role'])}`)
      cursor = told.body['nextCursor']
    } while (cursor !== null)
    assert.deepEqual(seen, [`${FIRST_ORGANISATION} viewer`, `${other.organisationId} guest`, `${organisationId} analyst`].sort())
    assert.equal(codeOf(await fixture.ask({ path: '/organisations?cursor=first', token: several.token })), 'invalid_parameter')
  })

  it('takes changes from owners, and shows them in the very answer', async () => {
    const path = `/organisations/${other.organisationId}`
    const body = { name: 'Bakery', allowedDomains: [{ domain: 'example.com', role: 'viewer' }] }
    const told = await fixture.ask({ method: 'PATCH', path, token: other.ownerToken, body })
    assert.deepEqual([told.status, told.body['name'], told.body['allowedDomains']], [200, 'Bakery', body.allowedDomains])
    const theirAdmin = await memberOf(fixture, 'admin', other.organisationId)
    for (const { token } of [theirAdmin, other.guest]) assert.equal(codeOf(await fixture.ask({ method: 'PATCH', path, token, body: { name: 'Mine' } })), 'forbidden')
    assert.equal(codeOf(await fixture.ask({ method: 'PATCH', path, token: other.ownerToken, body: {} })), 'invalid_body')
    assert.equal((await listed(other.ownerToken))[0]!['name'], 'Bakery')
  })

  it('refuses domains of which everybody can have an address, and says why', async () => {
    const allowedDomains = [{ domain: 'mill.example', role: 'viewer' }, { domain: 'gmail.com', role: 'viewer' }]
    const told = await fixture.ask({ method: 'PATCH', path: `/organisations/${FIRST_ORGANISATION}`, token: fixture.app.userToken, body: { allowedDomains } })
    const [fault] = told.body['errors'] as { path: string; detail: string }[]
    assert.deepEqual([told.status, fault!.path], [400, '/allowedDomains/1/domain'])
    assert.match(fault!.detail, /open to everybody/)
  })

  it('is silent about what belongs to others: the same answer as for what never was', async () => {
    const named = { organisationId: other.organisationId, accountId: other.guest.accountId, appId: other.appId }
    const never = { organisationId: uuidv7(), accountId: uuidv7(), appId: uuidv7() }
    const questions = ({ organisationId, accountId, appId }: typeof named): Asked[] => [
      { path: `/organisations/${organisationId}` },
      { method: 'PATCH', path: `/organisations/${organisationId}`, body: { name: 'Ours' } },
      { path: `/organisations/${organisationId}/members` },
      { method: 'PATCH', path: `/organisations/${organisationId}/members/${accountId}`, body: { role: 'viewer' } },
      { method: 'DELETE', path: `/organisations/${organisationId}/members/${accountId}` },
      { path: `/organisations/${organisationId}/invitations` },
      { path: `/organisations/${organisationId}/invitations`, body: { role: 'viewer' } },
      { method: 'DELETE', path: `/organisations/${organisationId}/invitations/${uuidv7()}` },
      { path: `/apps/${appId}` },
      { path: `/apps/${appId}/grants` },
      { method: 'PUT', path: `/apps/${appId}/grants/${accountId}`, body: { role: 'viewer' } },
      { method: 'DELETE', path: `/apps/${appId}/grants/${accountId}` },
      { path: `/apps/${appId}/transfer`, body: { organisationId: FIRST_ORGANISATION } },
      // One's own app into what is not one's own.
      { path: `/apps/${fixture.app.appId}/transfer`, body: { organisationId } },
      { method: 'PUT', path: `/apps/${fixture.app.appId}/grants/${accountId}`, body: { role: 'viewer' } },
    ]
    for (const token of [operator, admin.token]) {
      const [theirs, nobodys] = [questions(named), questions(never)]
      for (const [index, asked] of theirs.entries()) {
        const told = await fixture.ask({ ...asked, token })
        const expected = await fixture.ask({ ...nobodys[index]!, token })
        // An admin may not transfer at all, whatever the place.
        assert.deepEqual([told.status, told.body], [expected.status, expected.body], asked.path)
        if (token === operator || index < 13) assert.equal(told.status, 404, asked.path)
      }
    }
    const everything = await Promise.all(['/apps', '/organisations', `/organisations/${FIRST_ORGANISATION}/members`].map((path) => fixture.ask({ path, token: operator })))
    for (const { text } of everything) for (const id of [other.organisationId, other.appId, other.ownerId]) assert.ok(!text.includes(id), text)
  })

  it('shows what a fresh fold of the log says', async () => {
    const url = `sqlite:${fixture.file}`
    const database = await openDatabase(url)
    const log = await openEventLog(database, { url, partitions: 2 })
    try {
      const verified = await verifyReadModels({ log, database, projections: [apps, keys, organisations] as never })
      assert.deepEqual(verified.map(({ projection, differences }) => [projection, differences]), [['apps', []], ['keys', []], ['organisations', []]])
      assert.ok(verified.every(({ rows }) => rows > 1))
    } finally {
      await log.close()
      await database.close()
    }
  })
})
