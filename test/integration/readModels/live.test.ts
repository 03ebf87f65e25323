import assert from 'node:assert/strict'
import { uuidv5, uuidv7 } from '../../../src/kernel/ids.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { eventSummary as summaries } from '../../../src/projections/eventSummary/eventSummary.ts'
import type { Projection } from '../../../src/projections/projection.ts'
import { createQueryBus } from '../../../src/queries/bus.ts'
import { live, type Live } from '../../../src/queries/live.ts'
import { createMemoryCache } from '../../../src/queries/memoryCache.ts'
import type { Query } from '../../../src/queries/query.ts'
import { type Collected, type Driver, type Engine, openDriver } from './driver.ts'

const projection = summaries as Projection
const question = live as unknown as Query<never, unknown>
const BOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'
// A local midnight in Kathmandu is ten minutes away, and no quarter of an hour ends there.
const NOW = Date.parse('2026-11-22T18:25:30.500Z')
const MINUTE_MS = 60_000

for (const engine of ['sqlite', 'mysql'] as const satisfies readonly Engine[]) {
  describe(`who is here now, on ${engine}`, () => {
    let driver: Driver
    let build: number
    let appId: string
    let now: number

    const at = (ago: number, id: string, data: Partial<Collected['data']> = {}): Collected => ({
      ...{ id: uuidv5(appId, `${id} ${ago}`), appId, at: NOW - ago },
      data: { event: 'pageview', url: 'https://example.com/', userId: id, ...data },
    })
    const counted = async (...events: Collected[]): Promise<void> => {
      await driver.collect(events)
      await driver.fold(projection, build)
    }
    const ask = async (): Promise<Live> => {
      const bus = createQueryBus({ database: driver.database, log: driver.log, cache: createMemoryCache(), clock: { now: () => now }, logger: silentLogger })
      return (await bus.ask(question, appId, {})).body as unknown as Live
    }

    before(async () => {
      driver = await openDriver(engine)
      build = await driver.build(projection)
    })
    after(() => driver.close())
    beforeEach(async () => {
      appId = uuidv7()
      now = NOW
      await driver.register(appId, 'Asia/Kathmandu')
    })

    it('is nobody where nothing happened, in thirty minutes that end now', async () => {
      await counted()
      const { at: asked, last5Minutes, last30Minutes, minutes, from } = await ask()
      assert.deepEqual([asked, last5Minutes, last30Minutes, from], ['2026-11-22T18:25:30.500Z', 0, 0, 'tables'])
      assert.deepEqual([minutes.length, minutes[0], minutes[29]?.at], [30, { at: '2026-11-22T17:55:30.500Z', visitors: 0, pageviews: 0 }, '2026-11-22T18:24:30.500Z'])
    })

    it('counts people once in five minutes and once in thirty, by when their events occurred', async () => {
      await counted(
        at(0, 'ann'),
        at(5 * MINUTE_MS - 1, 'bob'),
        at(5 * MINUTE_MS, 'cid'),
        at(12 * MINUTE_MS, 'ann'),
        at(30 * MINUTE_MS - 1, 'dan'),
        at(30 * MINUTE_MS, 'eve'),
        at(-1, 'tomorrow'),
      )
      const { last5Minutes, last30Minutes, minutes } = await ask()
      assert.deepEqual([last5Minutes, last30Minutes], [2, 4])
      assert.deepEqual([0, 17, 18, 24, 25, 29].map((minute) => minutes[minute]!.visitors), [1, 1, 0, 1, 1, 1])
      assert.equal(minutes.reduce((sum, { pageviews }) => sum + pageviews, 0), 5)
    })

    it('leaves bots out, counts other events as no pageviews, and events of nobody as no visitors', async () => {
      await counted(at(1_000, 'crawler', { userAgent: BOT }), at(2_000, 'ann', { event: 'click' }), { ...at(3_000, 'x'), data: { event: 'pageview', url: 'https://example.com/' } })
      const { last5Minutes, minutes } = await ask()
      assert.deepEqual([last5Minutes, minutes[29]!.visitors, minutes[29]!.pageviews], [1, 1, 1])
    })

    it('knows that somebody who has signed in since is one person', async () => {
      await counted(at(20 * MINUTE_MS, 'x', { userId: undefined as never, anonymousId: 'browser' }), at(MINUTE_MS, 'ann'))
      assert.equal((await ask()).last30Minutes, 2)
      await counted(at(2 * MINUTE_MS, 'ann', { event: 'login', anonymousId: 'browser' }))
      const { last5Minutes, last30Minutes } = await ask()
      assert.deepEqual([last5Minutes, last30Minutes], [1, 1])
    })

    it('moves on with the time, and takes in late events and those of clocks that ran ahead', async () => {
      await counted(at(-20 * MINUTE_MS, 'ahead'), at(1_000, 'ann'))
      assert.equal((await ask()).last30Minutes, 1)
      await counted(at(10 * MINUTE_MS, 'late'))
      assert.equal((await ask()).last30Minutes, 2)
      now += 20 * MINUTE_MS
      const { last5Minutes, last30Minutes } = await ask()
      assert.deepEqual([last5Minutes, last30Minutes], [1, 2])
    })

    it('answers a busy app again by reading only what is new', async () => {
      const events: Collected[] = []
      for (let each = 0; each < 3_000; each++) events.push(at(each * 500, `person ${each % 700}`))
      await counted(...events)
      assert.equal((await ask()).last30Minutes, 700)
      let reads = 0
      const readAt = driver.log.readAt.bind(driver.log)
      driver.log.readAt = (partition, positions) => ((reads += positions.length), readAt(partition, positions))
      try {
        await counted(at(1, 'new one'))
        assert.equal((await ask()).last30Minutes, 701)
        assert.equal(reads, 1)
      } finally {
        driver.log.readAt = readAt
      }
    })
  })
}
