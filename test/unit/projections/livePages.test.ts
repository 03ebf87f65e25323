// Folds that follow a partition side by side: each gets every event once and in order, whatever the others do, and the log is
// read once for all that keep up.
import assert from 'node:assert/strict'
import type { StoredEvent } from '../../../src/events/eventLog.ts'
import type { Source } from '../../../src/projections/logPages.ts'
import { LivePages } from '../../../src/projections/livePages.ts'

const BOUNDS = { events: 20, pageEvents: 5 }

class GrowingLog {
  head = 0
  seen: number[] = []
  failing = false

  read(_partition: number, after: number, limit: number): Promise<StoredEvent[]> {
    if (this.failing) return Promise.reject(new Error('away'))
    const count = Math.max(0, Math.min(limit, this.head - after))
    const positions = Array.from({ length: count }, (_, index) => after + 1 + index)
    this.seen.push(...positions)
    return Promise.resolve(positions.map((position) => ({ position, appId: 'a', occurredAt: 0, data: '{}' }) as StoredEvent))
  }
}

/** Reads as a fold does: pages until there are none. */
async function drain(source: Source, after: number, limit = 7): Promise<number[]> {
  const got: number[] = []
  for (;;) {
    const page = await source(got.at(-1) ?? after, limit)
    if (page.length === 0) return got
    got.push(...page.map(({ position }) => position))
  }
}

const upTo = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index)

describe('live pages of the log', () => {
  it('reads once what several folds follow', async () => {
    const log = new GrowingLog()
    const pages = new LivePages(log, BOUNDS)
    const [one, two, three] = ['one', 'two', 'three'].map((name) => pages.source(1, name))
    // All are there before the first has read on, as at the start of a projector.
    for (const source of [one!, two!, three!]) await source(0, 7)
    log.head = 13
    assert.deepEqual(await Promise.all([drain(one!, 0), drain(two!, 0, 3), drain(three!, 0, 100)]), [upTo(1, 13), upTo(1, 13), upTo(1, 13)])
    log.head = 17
    assert.deepEqual([await drain(two!, 13), await drain(one!, 13), await drain(three!, 13)], [upTo(14, 17), upTo(14, 17), upTo(14, 17)])
    assert.deepEqual(log.seen, upTo(1, 17))
  })

  it('lets one that is further behind than what is kept read for itself, and come in again', async () => {
    const log = new GrowingLog()
    const pages = new LivePages(log, BOUNDS)
    const [quick, slow] = ['quick', 'slow'].map((name) => pages.source(1, name))
    await quick!(0, 5)
    await slow!(0, 5)
    log.head = 100
    assert.deepEqual(await drain(quick!, 0), upTo(1, 100))
    log.seen = []
    assert.deepEqual(await drain(slow!, 0), upTo(1, 100))
    assert.deepEqual(log.seen, upTo(1, 84), 'the last 20 were kept; a page of 7 overlaps them')
    log.head = 103
    log.seen = []
    assert.deepEqual([await drain(slow!, 100), await drain(quick!, 100)], [upTo(101, 103), upTo(101, 103)])
    assert.deepEqual(log.seen, upTo(101, 103))
  })

  it('keeps nothing that all have read, nor for one that has left', async () => {
    const log = new GrowingLog()
    const pages = new LivePages(log, BOUNDS)
    const [one, two] = ['one', 'two'].map((name) => pages.source(1, name))
    await two!(0, 5)
    log.head = 10
    await drain(one!, 0)
    pages.leave(1, 'two')
    log.seen = []
    assert.deepEqual(await drain(pages.source(1, 'three'), 0), upTo(1, 10))
    assert.deepEqual(log.seen, upTo(1, 10), 'what had been kept for the one that left was let go')
  })

  it('shares its bound among partitions, a page for each at least', async () => {
    const log = new GrowingLog()
    const pages = new LivePages(log, BOUNDS)
    for (const partition of [1, 2]) for (const name of ['quick', 'slow']) await pages.source(partition, name)(0, 5)
    log.head = 100
    for (const partition of [1, 2]) await drain(pages.source(partition, 'quick'), 0)
    log.seen = []
    // The second keeps a page of 5 at least, so 15 are left for the first.
    for (const partition of [1, 2]) await drain(pages.source(partition, 'slow'), 0)
    assert.deepEqual(log.seen, [...upTo(1, 91), ...upTo(1, 98)])
  })

  it('begins where the one ahead of all is, and keeps partitions apart', async () => {
    const log = new GrowingLog()
    const pages = new LivePages(log, BOUNDS)
    log.head = 60
    assert.deepEqual(await drain(pages.source(1, 'behind'), 3), upTo(4, 60))
    assert.deepEqual(await drain(pages.source(1, 'ahead'), 58), upTo(59, 60))
    assert.deepEqual(await drain(pages.source(2, 'behind'), 50), upTo(51, 60))
  })

  it('passes a failure on to all that waited, and reads again', async () => {
    const log = new GrowingLog()
    const pages = new LivePages(log, BOUNDS)
    const [one, two] = ['one', 'two'].map((name) => pages.source(1, name))
    log.head = 4
    log.failing = true
    const asked = await Promise.allSettled([one!(0, 5), two!(0, 5)])
    assert.deepEqual(asked.map(({ status }) => status), ['rejected', 'rejected'])
    log.failing = false
    assert.deepEqual([await drain(one!, 0), await drain(two!, 0)], [upTo(1, 4), upTo(1, 4)])
  })

  it('gives each every event once under random steps', async () => {
    const log = new GrowingLog()
    const pages = new LivePages(log, BOUNDS)
    const folds = Array.from({ length: 4 }, (_, index) => ({ source: pages.source(1, String(index)), got: [] as number[] }))
    let state = 7
    const next = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below
    for (let step = 0; step < 400; step++) {
      log.head += next(9)
      await Promise.all(
        folds.filter(() => next(3) > 0).map(async ({ source, got }) => got.push(...(await source(got.at(-1) ?? 0, 1 + next(12))).map(({ position }) => position))),
      )
    }
    for (const { source, got } of folds) {
      got.push(...(await drain(source, got.at(-1) ?? 0)))
      assert.deepEqual(got, upTo(1, log.head))
    }
  })
})
