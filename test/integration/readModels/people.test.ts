import assert from 'node:assert/strict'
import type { EventCollected } from '../../../src/events/eventCollected.ts'
import { uuidv5, uuidv7 } from '../../../src/kernel/ids.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { createQueryBus } from '../../../src/queries/bus.ts'
import { createMemoryCache } from '../../../src/queries/memoryCache.ts'
import type { QueryBus } from '../../../src/queries/query.ts'
import { timeline, type TimelineItem } from '../../../src/queries/timeline.ts'
import { type VisitItem, visits } from '../../../src/queries/visits.ts'
import { type Collected, type Driver, type Engine, openDriver } from './driver.ts'
import { web } from './webQueries.ts'

const START = Date.parse('2026-11-20T10:00:00Z')
const MINUTE_MS = 60_000

for (const engine of ['sqlite', 'mysql'] as const satisfies readonly Engine[]) {
  describe(`visits and timeline of a person, on ${engine}`, function () {
    this.timeout(60_000)
    let driver: Driver
    let build: number
    let bus: QueryBus
    let appId: string

    const at = (minutes: number, data: Partial<EventCollected>): Collected => ({
      ...{ id: uuidv7(), appId, at: START + minutes * MINUTE_MS },
      data: { event: 'pageview', url: `https://example.com/${minutes}`, ...data },
    })
    const counted = async (...events: Collected[]): Promise<void> => {
      await driver.collect(events)
      await driver.fold(web, build)
    }
    const askVisits = async (params: Record<string, unknown>): Promise<{ visits: VisitItem[]; nextCursor: string | null }> => (await bus.ask(visits, appId, params)).body as never
    const askTimeline = async (params: Record<string, unknown>): Promise<{ events: TimelineItem[]; nextCursor: string | null }> => (await bus.ask(timeline, appId, params)).body as never
    const minuteOf = (iso: string): number => (Date.parse(iso) - START) / MINUTE_MS

    before(async () => {
      driver = await openDriver(engine)
      build = await driver.build(web)
      bus = createQueryBus({ database: driver.database, log: driver.log, cache: createMemoryCache(), clock: { now: () => START }, logger: silentLogger })
    })
    after(() => driver.close())
    beforeEach(async () => {
      appId = uuidv7()
      await driver.register(appId, 'Asia/Kathmandu')
    })

    it('hold what was done before signing in, and on every device', async () => {
      await counted(at(0, { anonymousId: 'phone' }), at(100, { anonymousId: 'laptop', userId: 'ann' }), at(200, { anonymousId: 'phone', userId: 'ann' }), at(300, { userId: 'ann' }), at(400, { anonymousId: 'other' }))
      const told = await askVisits({ userId: 'ann' })
      assert.deepEqual(told.visits.map(({ start }) => minuteOf(start)), [300, 200, 100, 0])
      assert.deepEqual(await askVisits({ anonymousId: 'phone' }), told)
      assert.deepEqual((await askTimeline({ anonymousId: 'laptop' })).events.map(({ at: when }) => minuteOf(when)), [300, 200, 100, 0])
      await assert.rejects(askVisits({ userId: 'Ann' }), { code: 'not_found' })
    })

    it('go on page by page, each visit and event once, whatever comes in meanwhile', async () => {
      const some: Collected[] = []
      for (let each = 0; each < 25; each++) for (const minute of [0, 1, 2]) some.push(at(each * 60 + minute, { userId: 'ann' }))
      // Two visits of one instant, on two devices.
      some.push(at(600, { userId: 'ann', sessionId: 'other device' }))
      await counted(...some)
      const seen: string[] = []
      const shown: string[] = []
      for (let cursor: string | null = '', page = 0; cursor !== null; page++) {
        const told = await askVisits({ userId: 'ann', limit: 7, ...(cursor === '' ? {} : { cursor }) })
        seen.push(...told.visits.map(({ start, events }) => `${start} ${events}`))
        cursor = told.nextCursor
        if (page === 1) await counted(at(5_000, { userId: 'ann' }), at(5_001, { userId: 'ann' }))
      }
      assert.deepEqual([seen.length, new Set(seen).size], [26, 26])
      for (let cursor: string | null = '', page = 0; cursor !== null; page++) {
        const told = await askTimeline({ userId: 'ann', limit: page === 0 ? 1 : 10, ...(cursor === '' ? {} : { cursor }) })
        shown.push(...told.events.map(({ id }) => id))
        cursor = told.nextCursor
        if (page === 0) await counted(at(9_000, { userId: 'ann' }))
      }
      assert.deepEqual([shown.length, new Set(shown).size], [78, 78])
    })

    it('tell persons apart who share a session, and leave out what belongs to no visit', async () => {
      await counted(
        at(-1, { event: 'engagement', interactive: false, userId: 'ann', sessionId: 's' }),
        at(0, { userId: 'ann', sessionId: 's' }),
        at(1, { userId: 'bob', sessionId: 's' }),
        at(2, { event: 'asset', interactive: false, userId: 'ann', sessionId: 's' }),
        at(3, { event: 'engagement', interactive: false, userId: 'ann', sessionId: 's' }),
      )
      assert.deepEqual((await askTimeline({ userId: 'ann' })).events.map(({ event, at: when }) => [event, minuteOf(when)]), [['engagement', 3], ['pageview', 0]])
      assert.deepEqual((await askTimeline({ userId: 'bob' })).events.map(({ at: when, visitStart }) => [minuteOf(when), minuteOf(visitStart)]), [[1, 0]])
      assert.deepEqual((await askVisits({ userId: 'bob' })).visits.map(({ events, durationSeconds, bounce }) => [events, durationSeconds, bounce]), [[3, 180, false]])
    })

    it('say what a correction made of the first event, under the id it was collected by', async () => {
      const wrong = at(0, { userId: 'ann', device: 'tablet' })
      await counted(wrong, at(5, { userId: 'ann' }))
      const { position } = (await driver.log.find(appId, wrong.id))!
      const data = { eventId: wrong.id, position, contentPosition: position, reason: 'a test', occurredAt: START, data: { ...wrong.data, device: 'mobile', title: 'Right' } }
      await driver.append([{ eventId: uuidv5(appId, 'correction'), appId, type: 'EventCorrected', schemaVersion: 1, occurredAt: START, data: JSON.stringify(data), meta: null, stream: `correction:${wrong.id}` }])
      await driver.fold(web, build)
      const [visit] = (await askVisits({ userId: 'ann' })).visits
      assert.deepEqual([minuteOf(visit!.start), visit!.device, visit!.pageviews], [0, 'mobile', 2])
      const { events } = await askTimeline({ userId: 'ann' })
      assert.deepEqual(events.map(({ id, title, at: when }) => [id === wrong.id, title, minuteOf(when)]), [[false, null, 5], [true, 'Right', 0]])
    })

    it('show nothing of an event that was erased', async () => {
      const gone = at(0, { userId: 'ann', title: 'Secret' })
      await counted(gone, at(5, { userId: 'ann' }))
      assert.equal((await askTimeline({ userId: 'ann' })).events.length, 2)
      await driver.log.redact(appId, gone.id, null)
      assert.deepEqual((await askTimeline({ userId: 'ann' })).events.map(({ at: when }) => minuteOf(when)), [5])
      assert.equal((await askVisits({ userId: 'ann' })).visits[0]!.device, null)
    })
  })
}
