// Who counts as whom, and what counts at all: links over all history, corrections, retractions, erasure, earlier positions.
import assert from 'node:assert/strict'
import { LogTooLong } from '../../../../src/queries/fromLog/logSource.ts'
import { day, GOOGLEBOT, History } from './history.ts'

const COOKIELESS = 'c'.repeat(22)

describe('visitors from the log', () => {
  it('counts ids that turned out to be a user as that user, from the first event on, also when the link lies outside the range', async () => {
    const history = new History()
    history.add(0, { anonymousId: 'a' })
    history.add(1, { cookieless: COOKIELESS })
    history.add(2, { userId: 'u' })
    history.add('2026-12-24T00:00:00Z', { userId: 'u', anonymousId: 'a', cookieless: COOKIELESS, userAgent: GOOGLEBOT })
    const { visitors, visitorsBy, visits } = await history.overview()
    assert.deepEqual([visitors, visitorsBy, visits], [1, { userId: 1, anonymousId: 0, cookieless: 0 }, 3])
    assert.equal((await history.overview({ range: day('2026-12-24'), bots: 'only' })).visitors, 1)
  })

  it('prefers the user collected first, whenever it happened; events of the other user stay theirs', async () => {
    const history = new History()
    const first = history.add(500, { userId: 'u', anonymousId: 'a' })
    history.add(10, { userId: 'v', anonymousId: 'a' })
    history.add(20, { anonymousId: 'a' })
    history.add(21, { userId: 'u' })
    const byUser = async (): Promise<unknown> => (await history.overview({ filter: { op: 'in', field: 'event', values: ['pageview'] } })).visitors
    assert.equal(await byUser(), 2)
    assert.deepEqual((await history.overview({ range: { ...day('2026-11-02'), fromMs: Date.parse('2026-11-02T00:15:00Z'), toMs: Date.parse('2026-11-02T01:00:00Z') } })).visitors, 1)
    // Without the first, the id belongs to the other: two people between 00:15 and 01:00.
    history.retract(first)
    assert.deepEqual((await history.overview({ range: { ...day('2026-11-02'), fromMs: Date.parse('2026-11-02T00:15:00Z'), toMs: Date.parse('2026-11-02T01:00:00Z') } })).visitors, 2)
  })

  it('keeps the place of a corrected event among links', async () => {
    const history = new History()
    const first = history.add(0, { userId: 'wrong', anonymousId: 'a' })
    history.add(1, { userId: 'v', anonymousId: 'a' })
    history.add(2, { anonymousId: 'a' })
    history.correct(first, 0, { userId: 'right', anonymousId: 'a' })
    const { visitors } = await history.overview()
    assert.equal(visitors, 2)
    // The event at 2 is one of "right", so nobody is left over beside right and v.
    history.add(3, { userId: 'right' })
    assert.equal((await history.overview()).visitors, 2)
  })

  it('splits distinct visitors by what they are known by', async () => {
    const history = new History()
    history.add(0, { userId: 'same' })
    history.add(1, { anonymousId: 'same' })
    history.add(2, { cookieless: COOKIELESS })
    history.add(3, { anonymousId: 'other' })
    history.add(4)
    const { visitors, visitorsBy } = await history.overview()
    assert.deepEqual([visitors, visitorsBy], [4, { userId: 1, anonymousId: 2, cookieless: 1 }])
  })
})

describe('what counts of the log', () => {
  it('takes the latest correction, at its time, and nothing of what was retracted or erased', async () => {
    const history = new History()
    const wrong = history.add(0, { anonymousId: 'a', url: 'https://example.com/wrong' })
    const gone = history.add(1, { anonymousId: 'a', url: 'https://example.com/gone' })
    const erased = history.add(2, { anonymousId: 'a', url: 'https://example.com/erased' })
    history.correct(wrong, 5, { anonymousId: 'b', url: 'https://example.com/better' })
    const before = history.head
    history.correct(wrong, 700, { anonymousId: 'c', url: 'https://example.com/right' })
    history.retract(gone)
    history.erase(erased)
    assert.deepEqual(await history.values('page'), { '/right': [1, 1, 1, 1] })
    const early = (await history.ask({ name: 'overview' }, { upTo: before })) as { events: number; visits: number }
    assert.deepEqual([early.events, early.visits], [2, 2])
    assert.deepEqual(((await history.ask({ name: 'overview' }, { upTo: 1 })) as { events: number }).events, 0)
  })

  it('ignores what names no event of the app, and events of other kinds', async () => {
    const history = new History()
    history.add(0, { anonymousId: 'a' })
    history.retract(1)
    history.correct(2, 0, { anonymousId: 'b' })
    history.put('AppSettingsApplied', 0, '{"name":"x"}')
    assert.equal((await history.overview()).events, 1)
  })

  it('passes over what cannot be read, and lets a correction put it right', async () => {
    const history = new History()
    const broken = history.put('EventCollected', 0, '{"event":')
    history.put('EventCollected', 0, '{"url":"https://example.com/"}')
    const event = history.add(1, { anonymousId: 'a' })
    history.put('EventCorrected', 0, `{"position":${event},"data":{}}`)
    assert.equal((await history.overview()).events, 1)
    history.correct(broken, 2, { anonymousId: 'b' })
    assert.deepEqual(await history.values('page'), { '/': [2, 2, 2, 2] })
  })

  it('reads page by page to the position, tells how far it is, and reads no further', async () => {
    const history = new History(2)
    for (let at = 0; at < 7; at++) history.add(at, { anonymousId: 'a' })
    const told: number[] = []
    const upTo = history.events[4]!.position
    const { events } = (await history.ask({ name: 'overview' }, { upTo, onProgress: (scanned) => told.push(scanned) })) as { events: number }
    assert.deepEqual([events, told], [5, [2, 4, 5]])
    assert.deepEqual(history.scans.map(({ after }) => after), [0, 6, 12])
    history.scans.length = 0
    await history.ask({ name: 'overview' }, { upTo: history.events[3]!.position })
    assert.deepEqual(history.scans.map(({ after }) => after), [0, 6])
  })

  it('refuses a log that is too long, and stops when told', async () => {
    const history = new History(2)
    for (let at = 0; at < 7; at++) history.add(at, { anonymousId: 'a' })
    await assert.rejects(history.ask({ name: 'overview' }, { maxEvents: 6 }), (error) => error instanceof LogTooLong && error.maxEvents === 6)
    assert.ok(await history.ask({ name: 'overview' }, { maxEvents: 7 }))
    const stop = new AbortController()
    const reason = new Error('enough')
    history.scans.length = 0
    const answer = history.ask({ name: 'overview' }, { signal: stop.signal, onProgress: (scanned) => scanned === 4 && stop.abort(reason) })
    await assert.rejects(answer, reason)
    assert.deepEqual(history.scans.map(({ after }) => after), [0, 6, 12])
  })
})
