// A rebuild beside the live build: readers see the old numbers, then the new ones, and never a mix; whatever stops it leaves
// the live build as it was; and a build that lacks an event never becomes live.
import assert from 'node:assert/strict'
import { setImmediate as breathe } from 'node:timers/promises'
import type { Head } from '../../../src/events/eventLog.ts'
import { uuidToBytes } from '../../../src/kernel/ids.ts'
import { BuildBehind, createBuild, ensureFirstBuild, listBuilds, liveBuild, switchBuild } from '../../../src/projections/builds.ts'
import { takeLease } from '../../../src/projections/checkpoints.ts'
import { replay, type ReplayProgress, rollback } from '../../../src/projections/replay.ts'
import { PoisonEvent } from '../../../src/projections/unitRunner.ts'
import { eventually } from '../../support/eventually.ts'
import { append, appIn, collected, counting, ENGINES, foldedTo, LEASE_MS, many, openStage, seen, type Seen, settings, type Stage, storeAway, sumTo } from './stage.ts'

for (const engine of ENGINES) {
  describe(`replay on ${engine}`, function () {
    this.timeout(60_000)
    let stage: Stage

    beforeEach(async () => {
      stage = await openStage(engine)
    })
    afterEach(() => stage.close())

    it('shows readers the old build, then the new one, and never goes back, while events keep coming', async () => {
      const appId = appIn(stage.log, 1)
      const last = await append(stage.log, many(appId, 300))
      stage.project({ rebuilds: false })
      await foldedTo(stage, appId, last)
      const writing = new AbortController()
      const appending = (async () => {
        while (!writing.signal.aborted) {
          await append(stage.log, many(appId, 3))
          await breathe()
        }
      })()
      const views: Seen[] = []
      const reading = (async () => {
        while (!writing.signal.aborted) {
          views.push(await seen(stage, appId))
          await breathe()
        }
      })()
      await eventually(() => views.length > 3)
      const progress: ReplayProgress[] = []
      await replay({ ...of(stage, counting({ mark: 'v2' })), onProgress: (step) => progress.push(step) })
      const switched = views.length
      await eventually(() => views.length > switched + 3)
      writing.abort()
      await Promise.all([appending, reading])
      const head = (await stage.log.head(1)).position
      views.push(await foldedTo(stage, appId, head))
      let before = views[0]!
      for (const view of views) {
        if (view.build === 1) assert.equal(view.mark, 'v1')
        assert.equal(view.events, view.position, 'rows and checkpoint are of one moment')
        assert.equal(view.positions, sumTo(view.position))
        assert.ok(view.position >= before.position && view.build >= before.build, 'never back')
        before = view
      }
      assert.deepEqual([...new Set(views.map(({ build }) => build))], [1, 2])
      assert.equal(progress.at(-1)!.percent, 100)
      assert.deepEqual((await listBuilds(stage.database.knex, 'counting')).map(({ status }) => status), ['live', 'kept'])
    })

    it('refuses to switch to a build that is behind', async () => {
      const appId = appIn(stage.log, 1)
      const last = await append(stage.log, many(appId, 5))
      stage.project({ rebuilds: false })
      await foldedTo(stage, appId, last)
      const { build } = await createBuild(stage.database, counting(), [1, 2], 0)
      await assert.rejects(switchBuild(stage.database, 'counting', build, 0), BuildBehind)
      assert.equal((await seen(stage, appId)).build, 1)
    })

    it('goes back to the kept build after catching it up', async () => {
      const appId = appIn(stage.log, 1)
      await append(stage.log, many(appId, 5))
      stage.project({ rebuilds: false })
      await foldedTo(stage, appId, 5)
      await replay(of(stage, counting({ mark: 'v2' })))
      await append(stage.log, many(appId, 7))
      await foldedTo(stage, appId, 12)
      const { build } = await rollback(of(stage))
      const { events, position, ...now } = await seen(stage, appId)
      assert.deepEqual([build, now.build, events, position], [1, 1, 12, 12])
      await append(stage.log, many(appId, 1))
      assert.equal((await foldedTo(stage, appId, 13)).events, 13)
    })

    it('goes on where a killed rebuild stopped', async () => {
      const appId = appIn(stage.log, 1)
      await append(stage.log, many(appId, 900))
      await ensureFirstBuild(stage.database, counting(), 2, 0)
      const killed = await createBuild(stage.database, counting(), [1, 2], 0)
      // What a kill leaves: an unfinished build, its leases in the name of a worker that beats no more.
      await stage.database.knex('projection_workers').insert({ owner: 'killed', serves: 'rebuild', beat: 7, renewed_at: 0 })
      const unit = { projection: 'counting', build: killed.build, partition: 1 }
      await takeLease(stage.database, unit, 'killed', null)
      await stage.database.knex('projection_checkpoints').where(unit).update({ position: 600, recorded_at: 1 })
      await stage.database.knex('test_counts').insert({ build: killed.build, app_id: uuidToBytes(appId), events: 600, positions: sumTo(600), zone: 'UTC', mark: 'v1' })
      const { build } = await replay(of(stage))
      assert.equal(build, killed.build)
      const { events, positions } = await seen(stage, appId)
      assert.deepEqual({ events, positions }, { events: 900, positions: sumTo(900) })
    })

    for (const [when, failing] of [
      ['before it has begun', (call: number) => call <= 2],
      ['while it catches up', (call: number) => call === 3 || call === 5],
      ['just after it has switched', (_: number, live: number | undefined) => live === 2],
    ] as const) {
      it(`begins again where it was when the store goes away ${when}, and builds no second time`, async () => {
        const appId = appIn(stage.log, 1)
        const last = await append(stage.log, many(appId, 40))
        stage.project({ rebuilds: false })
        await foldedTo(stage, appId, last)
        const log = awayAt(stage, failing)
        assert.equal((await replay({ ...of(stage, counting({ mark: 'v2' })), log })).build, 2)
        assert.ok(log.failed > 0, 'it never went away')
        const builds = await listBuilds(stage.database.knex, 'counting')
        assert.deepEqual(builds.map(({ build, status }) => [build, status]), [[2, 'live'], [1, 'kept']])
        assert.equal((await rollback({ ...of(stage), log: awayAt(stage, (_, live) => live === 1) })).build, 1)
        assert.deepEqual((await foldedTo(stage, appId, last)).events, last)
      })
    }

    it('leaves the live build alone when it is aborted, and can be resumed', async () => {
      const appId = appIn(stage.log, 1)
      await append(stage.log, many(appId, 50))
      stage.project({ rebuilds: false })
      const before = await foldedTo(stage, appId, 50)
      const abort = new AbortController()
      const stopping = counting({ mark: 'v2', onWrite: () => abort.abort(new Error('enough')) })
      await assert.rejects(replay({ ...of(stage, stopping), signal: abort.signal }), /enough/)
      assert.deepEqual(await seen(stage, appId), before)
      const { build } = await replay(of(stage, counting({ mark: 'v2' })))
      assert.equal(build, 2)
      assert.equal((await seen(stage, appId)).mark, 'v2')
    })

    it('fails fast on an event that the live build has counted, and names it', async () => {
      const appId = appIn(stage.log, 1)
      const poison = collected(appId, 'poison')
      await append(stage.log, [...many(appId, 20), poison, ...many(appId, 20)])
      stage.project({ projections: [counting({ digestsPoison: true })], rebuilds: false })
      await foldedTo(stage, appId, 41)
      await assert.rejects(replay(of(stage)), (error) => error instanceof PoisonEvent && error.message.includes(poison.eventId))
      const [failed] = await listBuilds(stage.database.knex, 'counting')
      assert.equal(failed!.status, 'building')
      assert.match(failed!.error!, /position 21/)
      assert.equal((await seen(stage, appId)).build, 1)
    })

    it('rebuilds by itself what was folded by older code', async () => {
      const appId = appIn(stage.log, 1)
      await append(stage.log, many(appId, 30))
      const old = stage.project()
      await foldedTo(stage, appId, 30)
      await old.close()
      stage.project({ projections: [counting({ codeVersion: 2, mark: 'v2' })] })
      await eventually(async () => (await seen(stage, appId)).mark === 'v2')
      assert.equal((await seen(stage, appId)).events, 30)
    })

    it('flips one app while events keep coming, to it and to its neighbour', async () => {
      const [appId, other] = [appIn(stage.log, 1), appIn(stage.log, 1)]
      await append(stage.log, [...many(appId, 100), ...many(other, 100)])
      stage.project({ rebuilds: false })
      await foldedTo(stage, appId, 200)
      const writing = new AbortController()
      const appending = (async () => {
        while (!writing.signal.aborted) {
          await append(stage.log, [collected(appId), collected(other)])
          await breathe()
        }
      })()
      const views: Seen[] = []
      const reading = (async () => {
        while (!writing.signal.aborted) {
          views.push(await seen(stage, appId))
          await breathe()
        }
      })()
      const { build } = await replay({ ...of(stage, counting({ mark: 'v2' })), appId })
      const switched = views.length
      await eventually(() => views.length > switched + 3)
      writing.abort()
      await Promise.all([appending, reading])
      const { position } = await stage.log.head(1)
      const [now, neighbour] = [await foldedTo(stage, appId, position), await seen(stage, other)]
      assert.deepEqual([now.build, now.events, neighbour.build, neighbour.events], [build, position / 2, 1, position / 2])
      for (const view of views) assert.equal(view.events, view.position < 200 ? Math.min(view.position, 100) : 100 + Math.ceil((view.position - 200) / 2))
      const left = await stage.database.knex('test_counts').where({ build: 1, app_id: uuidToBytes(appId) })
      assert.equal(left.length, 0, 'the rows it had before are gone')
    })

    it('re-cuts an app when its zone changes, and names the old zone until then', async () => {
      const appId = appIn(stage.log, 1)
      const zoned = counting({ zoned: true })
      await append(stage.log, [settings(appId, 'Asia/Kathmandu'), ...many(appId, 10)])
      const held = stage.project({ projections: [zoned], rebuilds: false })
      await foldedTo(stage, appId, 11)
      await append(stage.log, [settings(appId, 'Pacific/Apia'), ...many(appId, 10)])
      const before = await foldedTo(stage, appId, 22)
      assert.deepEqual([before.zone, before.timezone, before.events, before.build], ['Asia/Kathmandu', 'Asia/Kathmandu', 20, 1])
      await held.close()
      stage.project({ projections: [zoned] })
      const after = await eventually(async () => {
        const now = await seen(stage, appId)
        assert.equal(now.zone, now.timezone, 'rows and the zone that is named go together')
        return now.timezone === 'Pacific/Apia' ? now : undefined
      })
      assert.deepEqual([after.zone, after.events, after.positions], ['Pacific/Apia', 20, sumTo(22) - 1 - 12])
      await append(stage.log, many(appId, 5))
      assert.equal((await foldedTo(stage, appId, 27)).events, 25)
      assert.equal((await stage.database.knex('projection_apps').whereNotNull('wanted_timezone')).length, 0)
    })
  })
}

/** The log, whose heads cannot be read at some calls, by which build is live then: once in the same state. */
function awayAt(stage: Stage, failing: (call: number, live: number | undefined) => boolean): Stage['log'] & { failed: number } {
  const { log, database } = stage
  let calls = 0
  let last: number | undefined
  const heads = async (): Promise<Head[]> => {
    const live = await liveBuild(database.knex, 'counting')
    if (failing(++calls, live) && (calls <= 5 || live !== last)) {
      last = live
      away.failed++
      throw storeAway(stage)
    }
    return log.heads()
  }
  const away = Object.assign(Object.create(log) as Stage['log'], { heads, failed: 0 })
  return away
}

function of({ log, database }: Stage, projection = counting()): Parameters<typeof replay>[0] {
  return { log, database, projection, leaseMs: LEASE_MS }
}
