import assert from 'node:assert/strict'
import { uuidToBytes, uuidv5, uuidv7 } from '../../../src/kernel/ids.ts'
import type { EventCollected } from '../../../src/events/eventCollected.ts'
import type { Projection } from '../../../src/projections/projection.ts'
import { bytesOf } from '../../../src/projections/storage/rows.ts'
import { ANONYMOUS, identityKey, type IdentityKind, USER } from '../../../src/projections/visitors/visitors.ts'
import { web as webProjection } from '../../../src/projections/web/web.ts'
import { type ListedVisit, visitPositions, visitsOfVisitors } from '../../../src/projections/web/visitsRead.ts'
import { type Driver, type Engine, openDriver } from './driver.ts'
import { withLimits } from '../../support/limits.ts'

const web = webProjection as Projection
const MINUTE = 60_000
const NOON = Date.UTC(2024, 5, 1, 12)

function suite(engine: Engine): void {
  describe(`visits of a person on ${engine}`, function () {
    this.timeout(60_000)
    let driver: Driver
    let appId: string
    let step = 0
    before(async () => {
      driver = await openDriver(engine)
    })
    after(() => driver.close())
    beforeEach(async () => {
      appId = uuidv7()
      await driver.register(appId, 'Europe/Berlin')
    })

    const append = async (type: string, at: number, data: object): Promise<number> => {
      const partition = driver.log.partitionOf(appId)
      const event = { eventId: uuidv5(appId, String(step++)), appId, type, schemaVersion: 1, occurredAt: at, data: JSON.stringify(data), meta: null }
      const [placed] = await driver.log.append({ partition, packs: [{ deliveryId: uuidv7(), partition, receivedAt: Date.now(), events: [event], rejected: [] }] })
      return placed![0]!.position
    }
    const collect = (minutes: number, data: Partial<EventCollected>): Promise<number> =>
      append('EventCollected', NOON + minutes * MINUTE, { event: 'pageview', url: 'https://site.example/', ...data })

    const ordinal = async (build: number, kind: IdentityKind, id: string): Promise<number> => {
      const row = await driver.database.knex('web_visitors').where({ build, app_id: uuidToBytes(appId), identity: identityKey(kind, id) }).first<{ ordinal: number } | undefined>('ordinal')
      return row!.ordinal
    }
    const minutesOf = (visits: readonly ListedVisit[]): number[] => visits.map(({ startMs }) => (startMs - NOON) / MINUTE)

    it('are listed newest first, page by page, each once, also those that another identity began', async () => {
      const first = [await collect(0, { anonymousId: 'x' }), await collect(5, { anonymousId: 'x', userId: 'ann' })]
      await collect(-600, { anonymousId: 'z' })
      await collect(300, { userId: 'ann' })
      await collect(120, { anonymousId: 'x' })
      await collect(121, { event: 'engagement', anonymousId: 'x' })
      await collect(130, { anonymousId: 'x', userAgent: 'Googlebot/2.1' })
      const build = await driver.build(web)
      await driver.fold(web, build, 2, 2)
      const { knex } = driver.database
      const ann = await ordinal(build, USER, 'ann')
      const anonymous = await ordinal(build, ANONYMOUS, 'x')
      const asked = { appId, visitors: [ann, anonymous], limit: 2, bots: 'exclude' as const }
      const page = await visitsOfVisitors(knex, build, asked)
      assert.deepEqual(minutesOf(page), [300, 120])
      assert.equal(page[1]!.durationMs, MINUTE)
      const rest = await visitsOfVisitors(knex, build, { ...asked, after: page[1] })
      assert.deepEqual(minutesOf(rest), [0])
      assert.deepEqual(rest[0]!.visitors, [anonymous, ann].sort((left, right) => left - right))
      assert.deepEqual(await visitPositions(knex, build, appId, rest[0]!), first)
      assert.deepEqual(minutesOf(await visitsOfVisitors(knex, build, { ...asked, visitors: [ann] })), [300, 0])
      assert.deepEqual(minutesOf(await visitsOfVisitors(knex, build, { ...asked, bots: 'only' })), [130])
      assert.deepEqual(minutesOf(await visitsOfVisitors(knex, build, { ...asked, fromMs: NOON, toMs: NOON + 300 * MINUTE })), [120, 0])
    })

    it('have their positions in pieces when they are many, which a retraction writes anew', async () => {
      await withLimits({ visitRunsKept: 2 }, async () => {
        const positions: number[] = []
        for (let at = 0; at < 12; at++) {
          positions.push(await collect(at, { sessionId: 's', anonymousId: 'x', url: `https://site.example/${at}` }))
          await collect(at, { anonymousId: 'y' })
        }
        const build = await driver.build(web)
        const stored = async (of: number): Promise<unknown> => {
          const visitors = [await ordinal(of, ANONYMOUS, 'x')]
          const [visit] = await visitsOfVisitors(driver.database.knex, of, { appId, visitors, limit: 9 })
          const pieces = await driver.database.knex('web_visit_positions').where({ build: of, app_id: uuidToBytes(appId) }).orderBy('first_position').select<{ positions: Buffer }[]>('*')
          return { positions: await visitPositions(driver.database.knex, of, appId, visit!), pageviews: visit!.pageviews, pieces: pieces.map((row) => bytesOf(row.positions).toString('hex')) }
        }
        await driver.fold(web, build, 5, 2)
        const whole = (await stored(build)) as { positions: number[]; pieces: string[] }
        assert.deepEqual(whole.positions, positions)
        // Four of each client.
        assert.equal(whole.pieces.length, 8)
        const [position] = positions.splice(3, 1)
        await append('EventRetracted', Date.now(), { eventId: uuidv7(), position, contentPosition: position, reason: 'wrong' })
        await driver.fold(web, build, 5, 2)
        const left = (await stored(build)) as { positions: number[]; pageviews: number }
        assert.deepEqual(left.positions, positions)
        assert.equal(left.pageviews, 11)
        const other = await driver.build(web, true)
        await driver.fold(web, other)
        assert.deepEqual(await stored(other), left)
      })
    })
  })
}

suite('sqlite')
suite('mysql')
