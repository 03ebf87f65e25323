// Rebuilds as their operator sees them over HTTP: tried out, compared, dropped, switched to, and refused where they make no sense.
import assert from 'node:assert/strict'
import { NIL_UUID } from '../../src/kernel/ids.ts'
import { eventually } from '../support/eventually.ts'
import { codeOf, type Fixture, startFixture } from './support/fixture.ts'

interface View {
  readonly build: number
  readonly status: string
  readonly paused: boolean
  readonly report: { readonly examples: readonly string[]; readonly tables: readonly { readonly changed: number; readonly added: number; readonly same: number }[] } | null
}

describe('rebuilds over HTTP', function () {
  this.timeout(30_000)
  let fixture: Fixture

  before(async () => {
    fixture = await startFixture()
    const { app } = fixture
    const events = Array.from({ length: 20 }, (_, index) => ({ event: 'seen', userId: `user ${index % 5}` }))
    const sent = await fixture.ask({ path: '/collect?ack=stored', token: app.token, body: events })
    assert.equal(sent.status, 201, sent.text)
    const last = (sent.body['ids'] as string[]).at(-1)!
    const counted = await fixture.ask({ path: `/analytics/user-stats?appId=${app.appId}&userId=user%200&after=${last}`, token: app.userToken })
    assert.equal(counted.status, 200, counted.text)
  })
  after(() => fixture.close())

  const act = (action: string, body: object): ReturnType<Fixture['ask']> =>
    fixture.ask({ path: `/projections/userStats/${action}`, token: fixture.app.userToken, body })
  const builds = async (): Promise<View[]> => {
    const { body } = await fixture.ask({ path: '/projections', token: fixture.app.userToken })
    return (body['projections'] as { name: string; builds: View[] }[]).find(({ name }) => name === 'userStats')!.builds
  }

  it('tries a rebuild out, shows what would change, and drops it', async () => {
    const told = await act('rebuild', { dry: true })
    assert.deepEqual([told.status, told.body['started']], [202, 'trial'])
    const tried = await eventually(async () => (await builds()).find(({ report }) => report !== null))
    assert.deepEqual([tried.status, tried.paused, tried.report!.examples], ['building', true, []])
    assert.ok(tried.report!.tables.every(({ changed, added }) => changed + added === 0))
    assert.ok(tried.report!.tables.some(({ same }) => same > 0))
    // The process that ran the trial may still be giving its leases back.
    await eventually(async () => (await act('drop', { build: tried.build })).status === 202)
    await eventually(async () => (await builds()).length === 1)
    assert.deepEqual((await builds()).map(({ status }) => status), ['live'])
  })

  it('keeps as many former builds as it is asked to', async () => {
    for (const expected of [2, 3]) {
      await eventually(async () => (await act('rebuild', { keep: 2 })).status === 202)
      await eventually(async () => (await builds()).filter(({ status }) => status !== 'dropping').length === expected && (await builds())[0]!.status === 'live')
    }
    assert.deepEqual((await builds()).map(({ status }) => status), ['live', 'kept', 'kept'])
  })

  it('refuses what makes no sense, and says why', async () => {
    const live = (await builds()).find(({ status }) => status === 'live')!.build
    const cases = [
      { told: await act('drop', { build: live }), status: 409, code: 'build_live' },
      { told: await act('drop', { build: 999 }), status: 404, code: 'not_found' },
      { told: await act('drop', {}), status: 400, code: 'invalid_body' },
      { told: await act('pause', {}), status: 404, code: 'not_found' },
      { told: await act('rebuild', { dry: true, keep: 1 }), status: 400, code: 'invalid_body' },
      { told: await act('rebuild', { keep: 1_000 }), status: 400, code: 'invalid_body' },
      { told: await fixture.ask({ path: '/projections/audit/rebuild', token: fixture.app.userToken, body: { appId: fixture.app.appId } }), status: 400, code: 'invalid_body' },
      { told: await fixture.ask({ path: '/projections/userStats/pause', token: fixture.app.token, body: {} }), status: 403, code: 'forbidden' },
    ]
    for (const { told, status, code } of cases) assert.deepEqual([told.status, codeOf(told)], [status, code], told.text)
  })

  it('rebuilds no app that is deleted or was never there', async () => {
    const { other } = fixture
    const gone = await fixture.ask({ path: `/apps/${other.appId}`, method: 'DELETE', token: other.userToken })
    assert.equal(gone.status, 204, gone.text)
    for (const appId of [other.appId, NIL_UUID]) {
      const told = await act('rebuild', { appId })
      assert.deepEqual([told.status, codeOf(told)], [404, 'not_found'], told.text)
    }
    assert.equal((await act('rebuild', { appId: fixture.app.appId })).status, 202)
  })
})
