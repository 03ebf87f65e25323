// What an operator does to a rebuild: halt it and let it go on, try it out without switching, keep and drop builds, and
// rebuild several read models from one reading of the log.
import assert from 'node:assert/strict'
import type { EventLog, Head } from '../../../src/events/eventLog.ts'
import { findBuild, listBuilds, liveBuild, pauseBuilds, switchBuild } from '../../../src/projections/builds.ts'
import { dropBuild } from '../../../src/projections/dropRows.ts'
import { dryReplay, RebuildPaused, replay, rollback } from '../../../src/projections/replay.ts'
import { replayTogether } from '../../../src/projections/replayTogether.ts'
import { readProjections } from '../../../src/queries/projections.ts'
import { eventually } from '../../support/eventually.ts'
import { append, appIn, counting, ENGINES, foldedTo, LEASE_MS, many, openStage, seen, type Stage, storeAway, sumTo } from './stage.ts'

for (const engine of ENGINES) {
  describe(`control of rebuilds on ${engine}`, function () {
    this.timeout(60_000)
    let stage: Stage
    let appId: string

    beforeEach(async () => {
      stage = await openStage(engine)
      appId = appIn(stage.log, 1)
      await append(stage.log, many(appId, 400))
      await append(stage.log, many(appId, 400))
      stage.project({ rebuilds: false })
      await foldedTo(stage, appId, 800)
    })
    afterEach(() => stage.close())

    const statuses = async (): Promise<string[]> => (await listBuilds(stage.database.knex, 'counting')).map(({ build, status, paused }) => `${build} ${status}${paused ? ' paused' : ''}`)

    it('halts where it is when it is paused from elsewhere, and goes on from there', async () => {
      let halted: Promise<number[]> | undefined
      const pausing = counting({ mark: 'v2', onWrite: () => void (halted ??= pauseBuilds(stage.database, 'counting')) })
      await assert.rejects(replay(of(stage, pausing)), RebuildPaused)
      assert.deepEqual(await halted, [2])
      assert.deepEqual(await statuses(), ['2 building paused', '1 live'])
      assert.equal((await findBuild(stage.database.knex, 'counting', 2))!.error, undefined, 'a pause is no failure')
      assert.equal((await seen(stage, appId)).mark, 'v1')
      const positions: number[] = []
      const again = counting({ mark: 'v3', onWrite: () => void positions.push(1) })
      await replay(of(stage, again))
      assert.deepEqual(await statuses(), ['2 live', '1 kept'])
      assert.equal(positions.length, 0, 'nothing was folded twice: what was paused had it all')
      const now = await seen(stage, appId)
      assert.deepEqual([now.mark, now.events, now.positions], ['v2', 800, sumTo(800)])
    })

    it('stays where it is when it is paused while it waits for the store', async () => {
      let away = false
      const heads = async (): Promise<Head[]> => {
        if (away || (await findBuild(stage.database.knex, 'counting', 2)) === undefined) return stage.log.heads()
        away = true
        await pauseBuilds(stage.database, 'counting')
        throw storeAway(stage)
      }
      const log = Object.assign(Object.create(stage.log) as Stage['log'], { heads })
      await assert.rejects(replay({ ...of(stage, counting({ mark: 'v2' })), log }), RebuildPaused)
      assert.deepEqual([away, await statuses()], [true, ['2 building paused', '1 live']])
    })

    it('leaves it at that when somebody has gone back from it before its switch was answered', async () => {
      let back: Promise<unknown> | undefined
      const heads = async (): Promise<Head[]> => {
        if (back !== undefined || (await liveBuild(stage.database.knex, 'counting')) === 1) return stage.log.heads()
        back = rollback(of(stage))
        await back
        throw storeAway(stage)
      }
      const log = Object.assign(Object.create(stage.log) as Stage['log'], { heads })
      assert.equal((await replay({ ...of(stage, counting({ mark: 'v2' })), log })).build, 2)
      assert.deepEqual(await statuses(), ['2 kept', '1 live'])
    })

    it('can be gone back to after a pause that came too late', async () => {
      await dryReplay(of(stage, counting({ mark: 'v2' })))
      assert.deepEqual(await statuses(), ['2 building paused', '1 live'])
      await switchBuild(stage.database, 'counting', 2, Date.now())
      assert.deepEqual(await statuses(), ['2 live', '1 kept'])
      await rollback(of(stage))
      await rollback(of(stage))
      assert.deepEqual(await statuses(), ['2 live', '1 kept'])
    })

    it('is not taken up again by the projector while it is paused', async () => {
      const newer = counting({ codeVersion: 2, mark: 'v2', onWrite: () => void pauseBuilds(stage.database, 'counting') })
      await assert.rejects(replay(of(stage, newer)), RebuildPaused)
      const projector = stage.project({ projections: [counting({ codeVersion: 2, mark: 'v2' })] })
      await append(stage.log, many(appId, 1))
      await foldedTo(stage, appId, 801)
      await eventually(() => projector.following().length > 0)
      await append(stage.log, many(appId, 1))
      await foldedTo(stage, appId, 802)
      assert.deepEqual(await statuses(), ['2 building paused', '1 live'])
    })

    it('tries a build out: says what would change, switches nothing, and a rebuild goes on from it', async () => {
      const { build, report } = await dryReplay(of(stage, counting({ mark: 'v2' })))
      assert.equal(build, 2)
      assert.deepEqual(report.tables, [{ table: 'test_counts', same: 0, changed: 1, added: 0, removed: 0, sums: {} }])
      assert.match(report.examples[0]!, /has mark v1 and would have v2/)
      assert.deepEqual([report.against, report.events], [1, 800])
      assert.equal((await seen(stage, appId)).mark, 'v1')
      assert.deepEqual((await findBuild(stage.database.knex, 'counting', 2))!.report, report)
      await replay(of(stage, counting({ mark: 'v2' })))
      assert.deepEqual(await statuses(), ['2 live', '1 kept'])
      assert.equal((await findBuild(stage.database.knex, 'counting', 2))!.report, undefined)
    })

    it('reports rows that would come or go, with the sums of what they count', async () => {
      await stage.database.knex('test_counts').where({ build: 1 }).update({ events: 790 })
      const { report } = await dryReplay(of(stage))
      assert.deepEqual(report.tables[0]!.sums, { events: { now: 790, then: 800 } })
      await dropBuild(stage.database, counting(), 2)
      await stage.database.knex('test_counts').where({ build: 1 }).delete()
      const [table] = (await dryReplay(of(stage))).report.tables
      assert.deepEqual([table!.added, table!.removed, table!.changed, table!.same], [1, 0, 0, 0])
    })

    it('reports nothing where nothing would change', async () => {
      const { report } = await dryReplay(of(stage))
      assert.deepEqual([report.tables[0]!.same, report.tables[0]!.changed, report.examples], [1, 0, []])
    })

    it('keeps as many former builds as it is told', async () => {
      for (const mark of ['v2', 'v3', 'v4']) await replay({ ...of(stage, counting({ mark })), keep: 2 })
      assert.deepEqual(await statuses(), ['4 live', '3 kept', '2 kept'])
      await replay({ ...of(stage, counting({ mark: 'v5' })), keep: 0 })
      assert.deepEqual(await statuses(), ['5 live'])
    })

    it('shows a build of one app as kept once the whole build that it belongs to is', async () => {
      await replay({ ...of(stage), appId })
      await replay({ ...of(stage), keep: 1 })
      const [shown] = await readProjections(stage.database.knex, [counting()], await stage.log.heads())
      assert.deepEqual(shown!.builds.map(({ build, status, appId: own }) => [build, status, own]), [[3, 'live', null], [2, 'kept', appId], [1, 'kept', null]])
    })

    it('drops a build with its rows, and never the live one', async () => {
      await dryReplay(of(stage, counting({ mark: 'v2' })))
      await dropBuild(stage.database, counting(), 2)
      assert.deepEqual(await statuses(), ['1 live'])
      assert.equal((await stage.database.knex('test_counts').where({ build: 2 })).length, 0)
      await assert.rejects(dropBuild(stage.database, counting(), 1), /is live/)
    })

    it('rebuilds several at once and reads each page of the log once', async () => {
      const reads: string[] = []
      const log: EventLog = Object.create(stage.log, {
        read: {
          value: (partition: number, after: number, limit: number) => {
            if (partition === 1 && after === 0 && limit > 1) reads.push(`${partition} ${after}`)
            return stage.log.read(partition, after, limit)
          },
        },
      }) as EventLog
      const first = counting({ mark: 'v2' })
      const second = { ...counting({ name: 'second' }), tables: [], write: () => Promise.resolve() }
      const { builds, events } = await replayTogether({ ...of(stage), log, projections: [first, second] })
      assert.equal(events, 800)
      assert.deepEqual([...builds.keys()], ['counting', 'second'])
      assert.deepEqual(reads, ['1 0'])
      const now = await seen(stage, appId)
      assert.deepEqual([now.mark, now.events, now.positions], ['v2', 800, sumTo(800)])
    })

    it('lets the others go when one of several fails', async () => {
      const failing = counting({ name: 'second', mark: 'v2', onWrite: () => Promise.reject(new Error('broken')) })
      await assert.rejects(replayTogether({ ...of(stage), projections: [counting({ mark: 'v2' }), { ...failing, tables: [] }] }), /broken/)
    })
  })
}

function of({ log, database }: Stage, projection = counting()): Parameters<typeof replay>[0] {
  return { log, database, projection, leaseMs: LEASE_MS }
}
