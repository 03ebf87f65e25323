// One person seen in the log: links over all history, corrections, retractions, bots, filters and earlier moments.
import assert from 'node:assert/strict'
import { parseFilter } from '../../../../src/events/filter.ts'
import { ALL_TIME, type Bots } from '../../../../src/queries/stats.ts'
import type { UserStats } from '../../../../src/queries/userStats.ts'
import { LIMITS } from '../../../../src/limits.ts'
import { DAY, GOOGLEBOT, History, idAt } from './history.ts'

const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1'

describe('a person from the log', () => {
  // Pages of two events: what is theirs lies on several.
  const started = (): History => new History(2)
  const ask = async (history: History, { upTo = history.head, ...more }: { upTo?: number; bots?: Bots; filter?: string } = {}): Promise<UserStats> => {
    const filter = more.filter === undefined ? undefined : parseFilter(more.filter)
    const question = { name: 'user-stats', userId: 'ann', range: { ...ALL_TIME, timezone: 'UTC' }, bots: more.bots ?? 'include', filter } as const
    return (await history.ask(question, { upTo })) as UserStats
  }
  const nobody = { code: 'not_found' }
  const minute = (minutes: number): string => new Date(DAY.fromMs + minutes * 60_000).toISOString()

  it('counts the history of ids that turned out to be theirs, and no one else\'s', async () => {
    const history = started()
    const first = history.add(5, { anonymousId: 'a', ip: '203.0.113.0', userAgent: IPHONE })
    history.add(1, { anonymousId: 'b' })
    history.add(2, { userId: 'bob', anonymousId: 'b' })
    const before = history.head
    const linked = history.add(20, { event: 'login', userId: 'ann', anonymousId: 'a' })
    history.add(3, { userId: 'ann', anonymousId: 'b' })
    const told = await ask(history)
    assert.deepEqual([told.totalEvents, told.firstSeen, told.lastSeen], [3, minute(3), minute(20)])
    assert.deepEqual([told.ipAddress, told.deviceDetails], ['203.0.113.0', { browser: 'Safari', os: 'iOS', device: 'mobile' }])
    assert.deepEqual(told.recentEvents.map(({ id, event, url, at }) => [id, event, url, at]), [
      [idAt(linked), 'login', null, minute(20)],
      [idAt(first), 'pageview', 'https://example.com/', minute(5)],
      [idAt(history.head), 'pageview', 'https://example.com/', minute(3)],
    ])
    await assert.rejects(ask(history, { upTo: before }), nobody)
    assert.equal((await ask(history, { upTo: linked })).totalEvents, 2)
  })

  it('takes corrected events as they were corrected, under the ids they were collected with', async () => {
    const history = started()
    const wrong = history.add(0, { userId: 'bob' })
    const kept = history.add(1, { userId: 'ann' })
    const gone = history.add(2, { userId: 'ann' })
    history.correct(wrong, 9, { userId: 'ann', event: 'order' })
    history.retract(gone)
    const told = await ask(history)
    assert.deepEqual(told.recentEvents.map(({ id, event, at }) => [id, event, at]), [[idAt(wrong), 'order', minute(9)], [idAt(kept), 'pageview', minute(1)]])
    assert.deepEqual([told.totalEvents, told.lastSeen], [2, minute(9)])
    assert.deepEqual((await ask(history, { upTo: gone })).totalEvents, 2)
    history.retract(kept)
    history.correct(wrong, 9, { userId: 'bob' })
    await assert.rejects(ask(history), nobody)
  })

  it('leaves out bots, or all else, and what a filter says', async () => {
    const history = started()
    history.add(0, { userId: 'ann' })
    history.add(1, { userId: 'ann', userAgent: GOOGLEBOT })
    history.add(2, { userId: 'ann', event: 'signup' })
    const counts = await Promise.all([ask(history), ask(history, { bots: 'exclude' }), ask(history, { bots: 'only' }), ask(history, { filter: 'event is signup' })])
    assert.deepEqual(counts.map(({ totalEvents, lastSeen }) => [totalEvents, lastSeen]), [[3, minute(2)], [2, minute(2)], [1, minute(1)], [1, minute(2)]])
    await assert.rejects(ask(history, { filter: 'event is nothing' }), nobody)
  })

  it('names the latest events, and no more', async () => {
    const history = started()
    for (let at = 0; at <= LIMITS.recentEvents; at++) history.add(at, { userId: 'ann' })
    const { totalEvents, recentEvents } = await ask(history)
    assert.deepEqual([totalEvents, recentEvents.length, recentEvents.at(-1)!.at], [LIMITS.recentEvents + 1, LIMITS.recentEvents, minute(1)])
  })
})
