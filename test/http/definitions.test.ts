// Definitions over HTTP: what is defined after its events came shows the numbers of what was defined before, from the tables
// and from the log alike; a revision serves once it is filled; what is retired is gone; and nobody touches what is not theirs.
import assert from 'node:assert/strict'
import { newApp } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { codeOf, type Fixture, OWNER_CODE, startFixture, type Told } from './support/fixture.ts'

const DAY = '2026-11-10'
const RANGE = `from=${DAY}&to=2026-11-13`
const PURCHASE = { name: 'Purchase', event: 'purchase', filter: 'metadata.plan is "pro"', value: 'metadata.price' }
const REPORT = { name: 'Plans', event: 'purchase', measures: [{ measure: 'count' }, { measure: 'visitors' }, { measure: 'sum', of: 'metadata.price' }, { measure: 'median', of: 'metadata.price' }], dimensions: ['metadata.plan'], interval: 'day' }

const EVENTS = [
  { event: 'pageview', url: 'https://shop.example/', anonymousId: 'a1', timestamp: `${DAY}T09:00:00Z` },
  { event: 'pageview', url: 'https://shop.example/thanks/1', anonymousId: 'a1', timestamp: `${DAY}T09:05:00Z` },
  { event: 'purchase', anonymousId: 'a1', currency: 'EUR', metadata: { plan: 'pro', price: 0.1 }, timestamp: `${DAY}T09:06:00Z` },
  { event: 'purchase', anonymousId: 'a1', userId: 'u1', currency: 'EUR', metadata: { plan: 'pro', price: 0.2 }, timestamp: '2026-11-11T10:00:00Z' },
  { event: 'purchase', userId: 'u1', metadata: { plan: 'pro', price: 5 }, timestamp: '2026-11-12T10:00:00Z' },
  { event: 'purchase', userId: 'u2', currency: 'USD', metadata: { plan: 'free', price: 7 }, timestamp: '2026-11-12T11:00:00Z' },
  { event: 'purchase', userId: 'u3', currency: 'USD', metadata: { plan: 'pro', price: 'much' }, timestamp: '2026-11-12T12:00:00Z' },
]
const REACHED = {
  conversions: 4,
  converters: 2,
  visitors: 3,
  conversionRate: 2 / 3,
  revenue: [{ currency: 'EUR', sum: 0.3 }, { currency: null, sum: 5 }],
}

interface View { definitionId: string; revision: number; state: string; servedRevision: number | null }

describe('definitions over HTTP', function () {
  this.timeout(60_000)
  let fixture: Fixture
  let appId: string
  let token: string

  beforeEach(async () => {
    const app = await newApp(fixture.url, OWNER_CODE, { name: 'Shop' })
    appId = app.appId
    token = app.userToken
    const { body } = await fixture.ask({ path: '/collect', token: app.token, body: EVENTS })
    const last = (body['ids'] as string[]).at(-1)!
    assert.equal((await fixture.ask({ path: `/analytics/event-summary?appId=${appId}&after=${last}`, token })).status, 200)
  })
  before(async () => {
    fixture = await startFixture()
  })
  after(() => fixture.close())

  const define = async (kind: string, spec: object): Promise<string> => {
    const told = await fixture.ask({ path: `/definitions/${kind}`, token, body: { appId, ...spec } })
    assert.equal(told.status, 201, told.text)
    assert.deepEqual([told.body['revision'], told.body['status']], [1, 'filling'])
    return told.body['definitionId'] as string
  }
  const views = async (): Promise<View[]> => (await fixture.ask({ path: `/definitions?appId=${appId}`, token })).body['definitions'] as View[]
  const ready = (revision: number, definitionId: string): Promise<View> =>
    eventually(async () => {
      const view = (await views()).find((one) => one.definitionId === definitionId)!
      assert.deepEqual([view.servedRevision, view.state], [revision, 'ready'])
      return view
    })
  const read = (path: string, more = ''): Promise<Told> => fixture.ask({ path: `${path}?appId=${appId}&${RANGE}${more}`, token })
  const numbers = ({ body }: Told): object => Object.fromEntries(Object.entries(body).filter(([name]) => name in REACHED))

  it('answers a goal from the log while it is filled, and the same from the tables then', async () => {
    const id = await define('goals', PURCHASE)
    const first = await read(`/analytics/goals/${id}`)
    assert.deepEqual(numbers(first), REACHED, first.text)
    await ready(1, id)
    const told = await read(`/analytics/goals/${id}`)
    assert.deepEqual([told.body['from'], told.body['revision'], told.body['newestRevision']], ['tables', 1, 1])
    assert.deepEqual(numbers(told), REACHED)
    const { position } = told.body['asOf'] as { position: number }
    const logged = await read(`/analytics/goals/${id}`, `&asOf=${position}`)
    assert.deepEqual([logged.body['from'], numbers(logged)], ['log', REACHED])
    const recount = await fixture.ask({ path: '/recounts', token, body: { appId, question: 'goal', params: { definitionId: id, period: 'all' } } })
    assert.deepEqual([recount.status, recount.body['match'], (recount.body['stored'] as { conversions: number }).conversions], [200, true, told.body['conversions']], recount.text)
    const diff = await fixture.ask({ path: `/analytics/diff?appId=${appId}&question=goal&definitionId=${id}&period=all&a=1`, token })
    assert.equal(diff.status, 200, diff.text)
    const cut = await fixture.ask({ path: `/analytics/goals/${id}?appId=${appId}&from=${DAY}T09:06:00Z&to=2026-11-13`, token })
    assert.deepEqual([cut.body['from'], cut.body['conversions']], ['log', 4], 'bounds that cut a day are answered from the log')
    const all = await read('/analytics/goals')
    assert.deepEqual(all.body['goals'], [{ definitionId: id, revision: 1, newestRevision: 1, name: 'Purchase', ...REACHED }])
    assert.equal(codeOf(await fixture.ask({ path: `/analytics/goals?appId=${appId}&from=${DAY}T09:06:00Z&to=2026-11-13`, token })), 'invalid_parameter')
  })

  it('shows of what was defined after the events what it would show of what was defined before', async () => {
    const late = await define('reports', REPORT)
    const page = await define('goals', { name: 'Thanks', page: '/thanks/*' })
    await ready(1, late)
    await ready(1, page)
    const other = await newApp(fixture.url, OWNER_CODE, { name: 'Early shop' })
    const early = (await fixture.ask({ path: '/definitions/reports', token, body: { appId: other.appId, ...REPORT } })).body['definitionId'] as string
    const { body } = await fixture.ask({ path: '/collect', token: other.token, body: EVENTS })
    const last = (body['ids'] as string[]).at(-1)!
    const before = await fixture.ask({ path: `/analytics/reports/${early}?appId=${other.appId}&${RANGE}&after=${last}`, token })
    const told = await read(`/analytics/reports/${late}`)
    assert.deepEqual([told.body['from'], before.body['from']], ['tables', 'tables'])
    assert.deepEqual(told.body['rows'], before.body['rows'])
    assert.deepEqual(told.body['rows'], [
      { at: `${DAY}T00:00:00.000Z`, dimensions: ['pro'], measures: [1, 1, 0.1, 0.1] },
      { at: '2026-11-11T00:00:00.000Z', dimensions: ['pro'], measures: [1, 1, 0.2, 0.2] },
      { at: '2026-11-12T00:00:00.000Z', dimensions: ['free'], measures: [1, 1, 7, 7] },
      { at: '2026-11-12T00:00:00.000Z', dimensions: ['pro'], measures: [2, 2, 5, 5] },
    ])
    const { position } = told.body['asOf'] as { position: number }
    assert.deepEqual((await read(`/analytics/reports/${late}`, `&asOf=${position}`)).body['rows'], told.body['rows'])
    assert.deepEqual([(await read(`/analytics/goals/${page}`)).body['conversions'], (await read(`/analytics/goals/${page}`)).body['converters']], [1, 1])
  })

  it('serves a revision once it is filled, and shows the numbers of each', async () => {
    const id = await define('goals', PURCHASE)
    await ready(1, id)
    const path = `/definitions/${id}?appId=${appId}`
    const patched = await fixture.ask({ method: 'PATCH', path, token, body: { filter: null, expectedRevision: 1 } })
    assert.deepEqual([patched.status, patched.body['revision']], [200, 2])
    const served = await read(`/analytics/goals/${id}`)
    assert.deepEqual(served.body['conversions'], served.body['revision'] === 1 ? 4 : 5)
    assert.equal(served.body['newestRevision'], 2)
    await ready(2, id)
    const told = await read(`/analytics/goals/${id}`)
    assert.deepEqual([told.body['from'], told.body['revision'], told.body['conversions']], ['tables', 2, 5])
    assert.equal(codeOf(await fixture.ask({ method: 'PATCH', path, token, body: { value: null, expectedRevision: 1 } })), 'conflict')
    const same = await fixture.ask({ method: 'PATCH', path, token, body: { event: 'purchase' } })
    assert.deepEqual([same.body['revision'], same.body['status']], [2, 'ready'], 'a change of nothing is no revision')
    const { body } = await fixture.ask({ path, token })
    const history = body['history'] as { change: string; revision: number; by: string | null; numbers: { conversions: number } }[]
    assert.deepEqual(history.map(({ change, revision, numbers: { conversions } }) => [change, revision, conversions]), [['defined', 1, 4], ['revised', 2, 5]])
    assert.ok(history.every(({ by }) => typeof by === 'string'))
  })

  it('counts a declared dimension from the first event on, as the log does', async () => {
    const path = `/analytics/breakdown?appId=${appId}&dimension=metadata.plan&${RANGE}`
    const before = await fixture.ask({ path, token })
    assert.equal(before.body['from'], 'log', before.text)
    await ready(1, await define('dimensions', { key: 'plan' }))
    const told = await fixture.ask({ path, token })
    assert.equal(told.body['from'], 'tables')
    assert.deepEqual(told.body['rows'], before.body['rows'])
    assert.deepEqual((told.body['rows'] as { value: string; events: number }[]).map(({ value, events }) => [value, events]), [['pro', 4], ['free', 1]])
  })

  it('no longer serves what is retired, frees its name and keeps its history', async () => {
    const id = await define('goals', PURCHASE)
    await ready(1, id)
    assert.equal((await fixture.ask({ method: 'DELETE', path: `/definitions/${id}?appId=${appId}`, token })).status, 204)
    assert.equal((await read(`/analytics/goals/${id}`)).status, 404)
    assert.deepEqual(await views(), [])
    assert.equal((await fixture.ask({ method: 'DELETE', path: `/definitions/${id}?appId=${appId}`, token })).status, 404)
    const { body } = await fixture.ask({ path: `/definitions/${id}?appId=${appId}`, token })
    assert.deepEqual([(body['definition'] as { retired: boolean }).retired, (body['history'] as unknown[]).length], [true, 2])
    await eventually(async () => ((await read('/analytics/goals')).body['goals'] as unknown[]).length === 0)
    await ready(1, await define('goals', PURCHASE))
  })

  it('refuses what makes no sense, and says why', async () => {
    await define('goals', PURCHASE)
    const refused = async (kind: string, spec: object): Promise<[number, string]> => {
      const told = await fixture.ask({ path: `/definitions/${kind}`, token, body: { appId, ...spec } })
      return [told.status, codeOf(told)]
    }
    assert.deepEqual(await refused('goals', { ...PURCHASE, name: ' Purchase ' }), [409, 'already_defined'])
    assert.deepEqual(await refused('goals', { name: 'Nothing' }), [400, 'invalid_body'])
    assert.deepEqual(await refused('goals', { name: 'X', event: 'x', filter: 'plan is' }), [400, 'invalid_body'])
    assert.deepEqual(await refused('goals', { name: 'X', event: 'x', filter: 'channel is "Email"' }), [400, 'unsupported_dimension'])
    assert.deepEqual(await refused('goals', { name: 'X', event: 'x', value: 'price' }), [400, 'invalid_body'])
    assert.deepEqual(await refused('reports', { ...REPORT, dimensions: ['entryPage'] }), [400, 'unsupported_dimension'])
    assert.deepEqual(await refused('reports', { ...REPORT, dimensions: ['nonsense'] }), [400, 'invalid_body'])
    assert.deepEqual(await refused('reports', { ...REPORT, dimensions: ['page', 'os', 'country'] }), [400, 'invalid_body'])
    assert.deepEqual(await refused('reports', { ...REPORT, measures: [{ measure: 'sum' }] }), [400, 'invalid_body'])
    assert.deepEqual(await refused('reports', { ...REPORT, measures: [{ measure: 'count', of: 'value' }] }), [400, 'invalid_body'])
    assert.deepEqual(await refused('dimensions', { key: 'k'.repeat(200) }), [400, 'invalid_body'])
    assert.deepEqual(await refused('dimensions', { key: 'half \ud83d' }), [400, 'invalid_body'], 'no store holds a lone surrogate')
    assert.deepEqual(await refused('goals', { name: '\udc4d', event: 'x' }), [400, 'invalid_body'])
    assert.deepEqual(await refused('reports', { ...REPORT, dimensions: ['metadata.\ud83d'] }), [400, 'invalid_body'])
  })

  it('keeps definitions to the owner of the app, and numbers to who may query', async () => {
    const id = await define('goals', PURCHASE)
    const { other, app } = fixture
    assert.equal((await fixture.ask({ path: `/definitions/${id}?appId=${other.appId}`, token })).status, 404)
    assert.equal((await fixture.ask({ method: 'DELETE', path: `/definitions/${id}?appId=${other.appId}`, token })).status, 404)
    assert.equal((await fixture.ask({ path: `/analytics/goals/${id}?${RANGE}`, token: app.token })).status, 404)
    assert.equal((await fixture.ask({ path: `/definitions?appId=${appId}`, token: app.token })).status, 403)
    const { token: collecting } = await fixture.issue({ scopes: ['collect'] })
    assert.equal((await fixture.ask({ path: '/analytics/goals', token: collecting })).status, 403)
    assert.equal((await fixture.ask({ path: '/analytics/goals', token: app.token })).status, 200)
  })
})
