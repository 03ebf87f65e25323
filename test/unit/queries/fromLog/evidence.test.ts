// The events behind a number are as many as the number says, and each can say why it is among them or not.
import assert from 'node:assert/strict'
import { explainFromLog, listFromLog } from '../../../../src/queries/fromLog/logAnswer.ts'
import type { Part, Verdict } from '../../../../src/queries/fromLog/logSource.ts'
import { type Asked, GOOGLEBOT, History, questionOf } from './history.ts'

const url = (path: string): { url: string } => ({ url: `https://example.com${path}` })
const OVERVIEW: Asked = { name: 'overview' }
const PAGES: Asked = { name: 'breakdown', dimension: 'page', sort: 'events', limit: 10, offset: 0 }
const HOURS: Asked = { name: 'timeseries', interval: 'hour' }

async function list(history: History, question: Asked, part: Part, after = 0, limit = 100): Promise<number[]> {
  return (await listFromLog(history, questionOf(question), part, { upTo: history.head, after, limit })).map(({ position }) => position)
}

async function explain(history: History, question: Asked, position: number, part?: Part): Promise<Verdict> {
  return explainFromLog(history, questionOf(question), position, { upTo: history.head, part })
}

/** The rules that fail. */
async function against(history: History, question: Asked, position: number, part?: Part): Promise<string[]> {
  const { counted, reasons } = await explain(history, question, position, part)
  const failed = reasons.filter(({ holds }) => !holds).map(({ rule }) => rule)
  assert.equal(counted, failed.length === 0)
  return failed
}

describe('the events behind a number', () => {
  it('are listed by the place of the content that counts, page by page', async () => {
    const history = new History()
    const first = history.add(0, { anonymousId: 'a' })
    const second = history.add(1, { anonymousId: 'a' })
    const third = history.add(2, { anonymousId: 'a' })
    const gone = history.add(3, { anonymousId: 'a' })
    const correction = history.correct(first, 0, { anonymousId: 'a' })
    history.retract(gone)
    const all = await listFromLog(history, questionOf(OVERVIEW), { measure: 'events' }, { upTo: history.head, after: 0, limit: 9 })
    assert.deepEqual(all, [{ position: second, eventPosition: second }, { position: third, eventPosition: third }, { position: correction, eventPosition: first }])
    assert.deepEqual(await list(history, OVERVIEW, { measure: 'events' }, second, 1), [third])
    assert.deepEqual(await list(history, OVERVIEW, { measure: 'events' }, third, 5), [correction])
  })

  it('are those of the measure', async () => {
    const history = new History()
    const view = history.add(0, { anonymousId: 'a' })
    const nobody = history.add(1, { event: 'click' })
    const bot = history.add(2, { anonymousId: 'b', userAgent: GOOGLEBOT })
    const late = history.add(1_440, { anonymousId: 'a' })
    assert.deepEqual(await list(history, OVERVIEW, { measure: 'events' }), [view, nobody])
    assert.deepEqual(await list(history, OVERVIEW, { measure: 'pageviews' }), [view])
    assert.deepEqual(await list(history, OVERVIEW, { measure: 'visitors' }), [view])
    assert.deepEqual(await list(history, OVERVIEW, { measure: 'botEvents' }), [bot])
    assert.deepEqual(await list(history, { ...OVERVIEW, bots: 'include' }, { measure: 'events' }), [view, nobody, bot])
    const summary = await list(history, { name: 'event-summary', event: 'click' }, { measure: 'events' })
    assert.deepEqual([summary, late > bot], [[nobody], true])
    await assert.rejects(list(history, { name: 'event-summary' }, { measure: 'visits' }), RangeError)
  })

  it('are those of a row, a point, a goal, a report', async () => {
    const history = new History()
    const a = history.add(0, { anonymousId: 'a', ...url('/a') })
    const b = history.add(70, { anonymousId: 'a', ...url('/b'), metadata: { plan: 'pro' } })
    const click = history.add(80, { event: 'click' })
    assert.deepEqual(await list(history, PAGES, { measure: 'events', value: '/b' }), [b])
    assert.deepEqual(await list(history, PAGES, { measure: 'events', value: '/nowhere' }), [])
    assert.deepEqual(await list(history, HOURS, { measure: 'events', at: '2026-11-02T01:00:00.000Z' }), [b, click])
    assert.deepEqual(await list(history, HOURS, { measure: 'events', at: '2026-11-02T01:30:00.000Z' }), [])
    const goal: Asked = { name: 'goal', goal: { name: 'g', page: '/a' } }
    assert.deepEqual(await list(history, goal, { measure: 'conversions' }), [a])
    assert.deepEqual(await list(history, goal, { measure: 'visitors' }), [a, b])
    const report: Asked = { name: 'report', report: { name: 'r', measures: [], dimensions: ['metadata.plan'], interval: 'hour', event: 'pageview' } }
    assert.deepEqual(await list(history, report, { measure: 'events', at: '2026-11-02T01:00:00.000Z', dimensions: ['pro'] }), [b])
    assert.deepEqual(await list(history, report, { measure: 'events', dimensions: [null] }), [a])
  })

  it('of visits are all of the visits that count', async () => {
    const history = new History()
    const lead = history.add(-1, { anonymousId: 'a', event: 'engagement' })
    const a = history.add(50, { anonymousId: 'a', ...url('/a') })
    const b = history.add(65, { anonymousId: 'a', ...url('/b') })
    const other = history.add(300, { anonymousId: 'a', ...url('/a') })
    assert.deepEqual(await list(history, OVERVIEW, { measure: 'visits' }), [a, b, other])
    assert.deepEqual(await list(history, PAGES, { measure: 'visits', value: '/b' }), [a, b])
    assert.deepEqual(await list(history, HOURS, { measure: 'visits', at: '2026-11-02T01:00:00.000Z' }), [])
    assert.deepEqual(await list(history, HOURS, { measure: 'visits', at: '2026-11-02T05:00:00.000Z' }), [other])
    assert.deepEqual(await against(history, OVERVIEW, lead, { measure: 'visits' }), ['visit', 'visitStart', 'visitHolds'])
    assert.deepEqual(await against(history, PAGES, other, { measure: 'visits', value: '/b' }), ['visitHolds'])
    assert.deepEqual(await against(history, HOURS, b, { measure: 'visits', at: '2026-11-02T01:00:00.000Z' }), ['visitStart'])
  })
})

describe('why an event counts', () => {
  it('says which rules it breaks, each', async () => {
    const history = new History()
    const good = history.add(0, { anonymousId: 'a', ...url('/a') })
    const bot = history.add(1_441, { event: 'click', userAgent: GOOGLEBOT })
    const filter = { op: 'is', field: 'page', values: ['/a'] } as const
    assert.deepEqual(await against(history, { ...OVERVIEW, filter }, good), [])
    assert.deepEqual(await against(history, { ...OVERVIEW, filter }, bot), ['bots', 'range', 'filter'])
    assert.deepEqual(await against(history, { ...HOURS, event: 'signup' }, good, { measure: 'events', at: '2026-11-02T01:00:00.000Z' }), ['event', 'interval'])
    assert.deepEqual(await against(history, PAGES, good, { measure: 'pageviews', value: '/b' }), ['value'])
    assert.deepEqual(await against(history, OVERVIEW, bot, { measure: 'visitors' }), ['bots', 'range', 'visitor'])
    assert.deepEqual(await against(history, { name: 'goal', goal: { name: 'g', page: '/b', filter: 'event = x' } }, good), ['page', 'definitionFilter'])
    assert.deepEqual(await against(history, OVERVIEW, 1_000_000), ['collected'])
  })

  it('knows of corrections, retractions and erasure, and is asked by any of their places', async () => {
    const history = new History()
    const event = history.add(0, { anonymousId: 'a' })
    const erased = history.add(0, { anonymousId: 'a' })
    const correction = history.correct(event, 0, { anonymousId: 'b' })
    history.erase(erased)
    const said = async (position: number): Promise<string> => (await explain(history, OVERVIEW, position)).reasons.map(({ detail }) => detail).slice(0, 2).join('; ')
    assert.equal(await said(event), `it was collected at position ${event}; it counts as it was corrected at position ${correction}`)
    assert.equal(await said(correction), await said(event))
    assert.equal(await said(erased), `it was collected at position ${erased}; its data was erased`)
    const retraction = history.retract(event)
    assert.equal(await said(retraction), `it was collected at position ${event}; it was retracted at position ${retraction}`)
    assert.deepEqual(await against(history, OVERVIEW, event), ['inForce'])
  })

  it('names the person that a visitor counts as', async () => {
    const history = new History()
    const event = history.add(0, { anonymousId: 'a' })
    history.add(5, { anonymousId: 'a', userId: 'ada' })
    const { reasons } = await explain(history, OVERVIEW, event, { measure: 'visitors' })
    assert.equal(reasons.at(-1)!.detail, 'its visitor counts as the user "ada"')
  })
})
