// Time series and breakdowns counted from literal histories: local intervals, values, visits under values, pages of rows.
import assert from 'node:assert/strict'
import { breakdownField, type BreakdownQuestion } from '../../../../src/queries/fromLog/breakdown.ts'
import { gather } from '../../../../src/queries/fromLog/gathered.ts'
import { boundedField } from '../../../../src/queries/fromLog/overflow.ts'
import { readRows } from '../../../../src/queries/fromLog/readRows.ts'
import { APP, day, History, questionOf, range } from './history.ts'

const url = (path: string): { url: string } => ({ url: `https://example.com${path}` })

describe('time series from the log', () => {
  it('has every interval, counts what is in the range, and visits where they start', async () => {
    const history = new History()
    history.add(10, { anonymousId: 'a' })
    history.add(55, { anonymousId: 'a' })
    history.add(62, { anonymousId: 'a', event: 'click' })
    history.add(63, { anonymousId: 'b', event: 'click' })
    history.add(200, { anonymousId: 'b' })
    const { points } = await history.timeseries({ interval: 'hour', range: range('2026-11-02T00:30:00Z', '2026-11-02T03:10:00Z') })
    assert.deepEqual(
      points.map(({ at, visitors, visits, pageviews, events }) => [at.slice(11, 16), visitors, visits, pageviews, events]),
      [['00:00', 1, 1, 1, 1], ['01:00', 2, 1, 0, 2], ['02:00', 0, 0, 0, 0], ['03:00', 0, 0, 0, 0]],
    )
  })

  it('cuts days where the zone does: 25 hours, half hours, a date that was skipped', async () => {
    const history = new History()
    for (const at of ['2026-10-24T22:00:00Z', '2026-10-25T22:30:00Z', '2026-10-25T23:00:00Z']) history.add(at, { anonymousId: at })
    const berlin = range('2026-10-24T22:00:00Z', '2026-10-26T23:00:00Z', 'Europe/Berlin')
    const days = await history.timeseries({ interval: 'day', range: berlin })
    assert.deepEqual(days.points.map(({ at, events }) => [at, events]), [['2026-10-24T22:00:00.000Z', 2], ['2026-10-25T23:00:00.000Z', 1]])
    const hours = await history.timeseries({ interval: 'hour', range: { ...berlin, toMs: Date.parse('2026-10-25T23:00:00Z') } })
    assert.equal(hours.points.length, 25)
    const nepal = await history.timeseries({ interval: 'hour', range: range('2026-10-25T21:45:00Z', '2026-10-25T23:15:00Z', 'Asia/Kathmandu') })
    assert.deepEqual(nepal.points.map(({ at, events }) => [at.slice(11, 16), events]), [['21:15', 0], ['22:15', 2]])
    const samoa = new History()
    samoa.add('2011-12-30T09:59:00Z', { anonymousId: 'a' })
    samoa.add('2011-12-30T10:00:00Z', { anonymousId: 'b' })
    const apia = await samoa.timeseries({ interval: 'day', range: range('2011-12-29T10:00:00Z', '2011-12-31T10:00:00Z', 'Pacific/Apia') })
    assert.deepEqual(apia.points.map(({ events }) => events), [1, 1])
  })

  it('starts weeks on Monday, and months on the first', async () => {
    const history = new History()
    for (const at of ['2026-11-01T12:00:00Z', '2026-11-02T00:00:00Z', '2026-11-08T23:59:00Z']) history.add(at, { anonymousId: at })
    const asked = range('2026-10-31T00:00:00Z', '2026-11-09T00:00:00Z')
    const points = async (interval: 'week' | 'month'): Promise<unknown[]> =>
      (await history.timeseries({ interval, range: asked })).points.map(({ at, events }) => [at.slice(0, 10), events])
    assert.deepEqual(await points('week'), [['2026-10-26', 1], ['2026-11-02', 2]])
    assert.deepEqual(await points('month'), [['2026-10-01', 0], ['2026-11-01', 3]])
  })

  it('counts one event name, and visits that hold it anywhere', async () => {
    const history = new History()
    history.add(59, { anonymousId: 'a' })
    history.add(61, { anonymousId: 'a', event: 'signup' })
    history.add(62, { anonymousId: 'b' })
    const { points } = await history.timeseries({ interval: 'hour', event: 'signup', range: range('2026-11-02T00:00:00Z', '2026-11-02T02:00:00Z') })
    assert.deepEqual(points.map(({ visitors, visits, pageviews, events }) => [visitors, visits, pageviews, events]), [[0, 1, 0, 0], [1, 0, 0, 1]])
  })
})

describe('breakdowns from the log', () => {
  it('counts events, visitors, visits and pageviews per value, and what lacks one', async () => {
    const history = new History()
    history.add(0, { anonymousId: 'a', ...url('/a') })
    history.add(1, { anonymousId: 'a', ...url('/b') })
    history.add(2, { anonymousId: 'a', ...url('/b'), event: 'click' })
    history.add(90, { anonymousId: 'a', ...url('/a') })
    history.add(91, { anonymousId: 'b', event: 'click' })
    const { total, without, values, rows } = await history.breakdown('page')
    assert.deepEqual({ total, without, values }, { total: 5, without: 1, values: 2 })
    assert.deepEqual(rows, [
      { value: '/a', events: 2, visitors: 1, visits: 2, pageviews: 2 },
      { value: '/b', events: 2, visitors: 1, visits: 1, pageviews: 1 },
    ])
  })

  it('shows a value that only a visit which starts in the range has, after the range', async () => {
    const history = new History()
    history.add(1_430, { anonymousId: 'a', ...url('/a') })
    history.add(1_441, { anonymousId: 'a', ...url('/b') })
    history.add('2026-11-03T00:00:00Z', { anonymousId: 'b', ...url('/c') })
    assert.deepEqual(await history.values('page'), { '/a': [1, 1, 1, 1], '/b': [0, 0, 1, 0] })
    assert.deepEqual(await history.values('page', { range: day('2026-11-03') }), { '/b': [1, 1, 0, 1], '/c': [1, 1, 1, 1] })
  })

  it('counts people and not ids in each value', async () => {
    const history = new History()
    history.add(0, { anonymousId: 'a', ...url('/a') })
    history.add(1, { anonymousId: 'b', ...url('/a') })
    history.add(2, { userId: 'u', anonymousId: 'a', ...url('/b') })
    history.add(3, { userId: 'u', anonymousId: 'b', ...url('/b') })
    assert.deepEqual(await history.values('page', { sort: 'visitors' }), { '/a': [2, 1, 2, 2], '/b': [2, 1, 2, 2] })
  })

  it('gives the dimensions of a visit to all its carrying events, and to no others', async () => {
    const history = new History()
    history.add(0, { anonymousId: 'a', event: 'engagement', ...url('/early') })
    history.add(1, { anonymousId: 'a', event: 'click' })
    history.add(2, { anonymousId: 'a', ...url('/in?utm_source=letter') })
    history.add(3, { anonymousId: 'a', ...url('/mid?utm_source=other') })
    history.add(4, { anonymousId: 'a', event: 'asset', interactive: false })
    history.add(5, { anonymousId: 'a', ...url('/out') })
    history.add(6, { anonymousId: 'a', event: 'engagement', ...url('/end') })
    assert.deepEqual(await history.values('entryPage'), { '/in': [5, 1, 1, 3] })
    assert.deepEqual(await history.values('exitPage'), { '/out': [5, 1, 1, 3] })
    assert.deepEqual(await history.values('utmSource'), { letter: [5, 1, 1, 3] })
    const { total, without } = await history.breakdown('utmSource')
    assert.deepEqual([total, without], [7, 2])
  })

  it('takes the arrival of the first interactive event with a url, though it says nothing', async () => {
    const history = new History()
    history.add(0, { anonymousId: 'a', ...url('/plain') })
    history.add(1, { anonymousId: 'a', ...url('/?utm_source=later') })
    assert.deepEqual(await history.values('utmSource'), {})
    assert.deepEqual(await history.values('page', { filter: { op: 'is', field: 'entryPage', values: ['/plain'] } }), { '/': [1, 1, 1, 1], '/plain': [1, 1, 1, 1] })
  })

  it('breaks down by metadata of any key, as text', async () => {
    const history = new History()
    history.add(0, { anonymousId: 'a', metadata: { plan: 'pro', seats: 5 } })
    history.add(1, { anonymousId: 'b', metadata: { plan: 'pro', seats: '5' } })
    history.add(2, { anonymousId: 'b', metadata: { plan: ['x'] } })
    assert.deepEqual(await history.values('metadata.plan'), { pro: [2, 2, 2, 2] })
    assert.deepEqual(await history.values('metadata.seats'), { 5: [2, 2, 2, 2] })
    assert.equal((await history.breakdown('metadata.plan')).without, 1)
  })

  it('asks of one event that it passes the filter and has the value', async () => {
    const history = new History()
    history.add(0, { anonymousId: 'a', ...url('/a'), metadata: { plan: 'pro' } })
    history.add(1, { anonymousId: 'a', ...url('/b'), metadata: { plan: 'free' } })
    assert.deepEqual(await history.values('page', { filter: { op: 'is', field: 'metadata.plan', values: ['pro'] } }), { '/a': [1, 1, 1, 1] })
    const either = { op: 'or', of: [{ op: 'is', field: 'metadata.plan', values: ['pro'] }, { op: 'isNot', field: 'page', values: ['/a'] }] }
    assert.deepEqual(Object.keys(await history.values('page', { filter: either })), ['/a', '/b'])
  })

  it('sorts by the measure asked, ties by bytes, and pages through', async () => {
    const history = new History()
    for (const [at, path] of ['/c', '/c', '/a', '/b', '/\u{1F600}', '/\uFF5E'].entries()) {
      history.add(at, { anonymousId: 'a', event: path, metadata: { path } })
    }
    history.add(9, { anonymousId: 'b', metadata: { path: '/a' }, event: 'x' })
    const page = async (offset: number, sort = 'events'): Promise<unknown> => {
      const { rows, nextCursor, values } = await history.breakdown('metadata.path', { limit: 2, offset, sort })
      return [rows.map(({ value }) => value), nextCursor, values]
    }
    assert.deepEqual(await page(0), [['/a', '/c'], '2', 5])
    assert.deepEqual(await page(2), [['/b', '/\uFF5E'], '4', 5])
    assert.deepEqual(await page(4), [['/\u{1F600}'], null, 5])
    assert.deepEqual(await page(0, 'visitors'), [['/a', '/b'], '2', 5])
  })

  it('names so many values of a local day, in log order, and calls the rest other', async () => {
    const history = new History()
    const put = (at: string, key: string): number => history.add(at, { anonymousId: 'a', metadata: { key } })
    for (const key of ['x', 'y', 'z', 'x', 'w', 'y']) put('2026-11-02T10:00:00Z', key)
    // Another day in Berlin, and the same one in UTC.
    for (const key of ['z', 'w', 'x']) put('2026-11-02T23:30:00Z', key)
    const fields = new Set(['metadata.key'])
    const { rows } = await readRows(history, APP, { fields, numbers: new Set(), device: false, visits: false }, { upTo: history.head })
    const counted = (zone: string, bound: number): string => {
      const { dictionary, codes } = boundedField(rows, rows.fields.get('metadata.key')!, zone, { valuesPerDay: bound })
      return Array.from(codes.subarray(0, rows.count), (code) => dictionary.valueOf(code)).join(' ')
    }
    assert.equal(counted('Europe/Berlin', 2), 'x y (other) x (other) y z w (other)')
    assert.equal(counted('UTC', 2), 'x y (other) x (other) y (other) (other) x')
    assert.equal(counted('UTC', 4), 'x y z x w y z w x')
  })

  it('bounds what visits say by the events that could say it, in log order', async () => {
    const history = new History()
    const arrival = (path: string, source: string): object => ({ ...url(`${path}?utm_source=${source}`) })
    // In no visit, or no pageview: these use up no entry page.
    history.add(0, { ...url('/nobody') })
    history.add(1, { anonymousId: 'a', interactive: false, ...url('/passive') })
    history.add(2, { anonymousId: 'a', event: 'click', ...arrival('/click', 'mail') })
    // No entry page of its visit, and yet it might have been.
    history.add(3, { anonymousId: 'a', ...arrival('/a', 'ads') })
    history.add(4, { anonymousId: 'a', ...arrival('/b', 'feed') })
    history.add(5, { anonymousId: 'b', ...arrival('/c', 'feed') })
    history.add(6, { anonymousId: 'c', ...arrival('/a', 'mail') })
    const counted = async (dimension: string, valuesPerDay: number): Promise<string> => {
      const question = questionOf({ name: 'breakdown', dimension, sort: 'events', limit: 10, offset: 0 }) as BreakdownQuestion
      const gathered = await gather(history, question, { upTo: history.head })
      const { dictionary, codes } = breakdownField(gathered, question, valuesPerDay)
      return Array.from(codes.subarray(0, gathered.rows.count), (code) => dictionary.valueOf(code) ?? '-').join(' ')
    }
    assert.equal(await counted('entryPage', 2), '- - /a /a /a (other) /a')
    assert.equal(await counted('exitPage', 1), '- - (other) (other) (other) (other) /a')
    assert.equal(await counted('utmSource', 2), '- - mail mail mail (other) mail')
    assert.equal(await counted('utmSource', 3), '- - mail mail mail feed mail')
  })
})
