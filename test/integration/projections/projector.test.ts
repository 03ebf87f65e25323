// The projector counts every event exactly once, whoever races, dies, freezes or comes back.
import assert from 'node:assert/strict'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { WholePlaces } from '../../../src/projections/appPlaces.ts'
import { termsFromEvents } from '../../../src/projections/appTerms.ts'
import { ensureFirstBuild } from '../../../src/projections/builds.ts'
import { Fenced, readCheckpoint, releaseLeases, takeLease, type Unit } from '../../../src/projections/checkpoints.ts'
import { Folder } from '../../../src/projections/folder.ts'
import { partitionPages } from '../../../src/projections/logPages.ts'
import type { Projection } from '../../../src/projections/projection.ts'
import { UnitRunner } from '../../../src/projections/unitRunner.ts'
import { eventually } from '../../support/eventually.ts'
import { append, appIn, collected, counting, ENGINES, foldedTo, LEASE_MS, many, openStage, seen, type Stage, sumTo } from './stage.ts'

for (const engine of ENGINES) {
  describe(`projector on ${engine}`, function () {
    this.timeout(60_000)
    let stage: Stage
    let warnings: Error[]
    const listen = (warning: Error): void => void warnings.push(warning)

    beforeEach(async () => {
      stage = await openStage(engine)
      warnings = []
      process.on('warning', listen)
    })
    afterEach(async () => {
      process.off('warning', listen)
      await stage.close()
    })

    it('makes the first build live and follows the log', async () => {
      const appId = appIn(stage.log, 1)
      stage.project()
      await append(stage.log, many(appId, 10))
      const last = await append(stage.log, many(appId, 5))
      const { events, positions, lastPosition } = await foldedTo(stage, appId, last)
      assert.deepEqual({ events, positions, lastPosition }, { events: 15, positions: sumTo(15), lastPosition: 15 })
    })

    it('tells the position at which each app last changed', async () => {
      const [one, other] = [appIn(stage.log, 1), appIn(stage.log, 1)]
      stage.project()
      await append(stage.log, [...many(one, 3), collected(other)])
      await foldedTo(stage, one, 4)
      assert.equal((await seen(stage, one)).lastPosition, 3)
      assert.equal((await seen(stage, other)).lastPosition, 4)
    })

    it('tells for how long it has not been at the head of the log', async () => {
      const told: number[] = []
      let open = (): void => undefined
      const held = new Promise<void>((resolve) => (open = resolve))
      const projector = stage.project({ onBehind: (ms) => void told.push(ms), beforeCommit: () => held })
      await append(stage.log, many(appIn(stage.log, 1), 5))
      await eventually(() => projector.following().length === 2)
      const before = await eventually(() => told.find((ms) => ms > 0))
      await eventually(() => told.at(-1)! > before + 100)
      open()
      await eventually(() => told.at(-1) === 0)
    })

    it('shares partitions between processes, and gives them up when it closes', async () => {
      const first = stage.project()
      await eventually(() => first.following().length === 2)
      const second = stage.project()
      await eventually(() => first.following().length === 1 && second.following().length === 1)
      assert.notDeepEqual(first.following(), second.following())
      await first.close()
      const closed = performance.now()
      await eventually(() => second.following().length === 2)
      assert.ok(performance.now() - closed < LEASE_MS, 'leases were given back, not waited for')
    })

    it('counts once when two projectors fold the same unit at the same time', async () => {
      const appId = appIn(stage.log, 1)
      await append(stage.log, many(appId, 400))
      const unit = await leased(stage)
      const racers = [1, 2].map(() => runnerFor(stage, counting(), unit))
      const race = async (runner: Promise<UnitRunner>): Promise<void> => {
        const racing = await runner
        for (;;) {
          try {
            if (!(await racing.step(racing.checkpoint.position + 7))) return
          } catch (error) {
            assert.ok(error instanceof Fenced, String(error))
            await racing.reload()
          }
        }
      }
      // Each step goes a little way, so that the two meet many times.
      const stepwise = async (runner: Promise<UnitRunner>): Promise<void> => {
        while ((await runner).checkpoint.position < 400) await race(runner)
      }
      await Promise.all(racers.map(stepwise))
      const { events, positions } = await seen(stage, appId)
      assert.deepEqual({ events, positions }, { events: 400, positions: sumTo(400) })
    })

    it('fences a zombie: one that was frozen between write and commit writes nothing after another took over', async () => {
      const appId = appIn(stage.log, 1)
      await append(stage.log, many(appId, 20))
      const unit = await leased(stage)
      let thaw = (): void => undefined
      const frozen = new Promise<void>((resolve) => (thaw = resolve))
      let reached = (): void => undefined
      const folded = new Promise<void>((resolve) => (reached = resolve))
      // Frozen after the fold, before the transaction: what it holds is then stale.
      const slow = counting()
      const load = slow.load!.bind(slow)
      const zombie = await runnerFor(stage, { ...slow, load: async (...given) => (await load(...given), reached(), frozen) }, unit)
      const step = zombie.step()
      await folded
      const heir = stage.project()
      await eventually(() => heir.following().length === 2)
      await foldedTo(stage, appId, 20)
      thaw()
      await assert.rejects(step, Fenced)
      const { events, positions } = await seen(stage, appId)
      assert.deepEqual({ events, positions }, { events: 20, positions: sumTo(20) })
    })

    it('leaves nothing behind when it dies between write and commit', async () => {
      const appId = appIn(stage.log, 1)
      await append(stage.log, many(appId, 20))
      let deaths = 0
      const unit = await leased(stage)
      const runner = await runnerFor(stage, counting(), unit, () => {
        deaths += 1
        return Promise.reject(new Error('killed'))
      })
      await assert.rejects(runner.step(), /killed/)
      assert.equal(deaths, 1)
      assert.deepEqual(pick(await seen(stage, appId)), { events: 0, position: 0 })
      stage.project()
      await foldedTo(stage, appId, 20)
      assert.deepEqual(pick(await seen(stage, appId)), { events: 20, position: 20 })
    })

    it('waits out a store that is away', async () => {
      const appId = appIn(stage.log, 1)
      let failures = 0
      const projection = counting({
        onWrite: () => {
          if (++failures <= 3) throw Object.assign(new Error('away'), { code: engine === 'sqlite' ? 'SQLITE_FULL' : 'ECONNRESET' })
        },
      })
      stage.project({ projections: [projection] })
      await append(stage.log, many(appId, 10))
      await foldedTo(stage, appId, 10)
      assert.deepEqual(pick(await seen(stage, appId)), { events: 10, position: 10 })
      assert.equal(await deadEvents(stage), 0)
    })

    for (const kind of ['poison', 'refused']) {
      it(`sets aside the one event that is ${kind} and counts those around it`, async () => {
        const [appId, other] = [appIn(stage.log, 1), appIn(stage.log, 1)]
        await append(stage.log, [...many(appId, 33), collected(other, kind), ...many(appId, 41), collected(other), collected(appId, kind), ...many(appId, 9)])
        stage.project()
        await foldedTo(stage, appId, 86)
        const { events, positions } = await seen(stage, appId)
        assert.deepEqual({ events, positions }, { events: 83, positions: sumTo(86) - 34 - 76 - 77 })
        assert.equal((await seen(stage, other)).events, 1)
        const dead = await stage.database.knex('dead_events').orderBy('position').select<{ position: number; error: string }[]>()
        assert.deepEqual(dead.map(({ position }) => position), [34, 77])
        if (kind === 'poison') assert.equal(dead[0]!.error, 'poison')
      })
    }

    it('takes a lease that it loses and that becomes free again at once, any number of times', async () => {
      const appId = appIn(stage.log, 1)
      const unit = await leased(stage)
      await releaseLeases(stage.database, 'somebody')
      // Its looks at leases are a second apart, and it has to look more often than that.
      const projector = stage.project({ leaseMs: 10 * LEASE_MS })
      await eventually(() => projector.following().length === 2)
      for (let round = 1; round <= 20; round += 1) {
        await takeLease(stage.database, unit, 'rival', (await readCheckpoint(stage.database.knex, unit))!.owner)
        await releaseLeases(stage.database, 'rival')
        await foldedTo(stage, appId, await append(stage.log, [collected(appId)]))
      }
      assert.deepEqual(pick(await seen(stage, appId)), { events: 20, position: 20 })
      assert.deepEqual(warnings, [])
    })

    it('takes over from a worker that vanished, after a lease', async () => {
      const appId = appIn(stage.log, 1)
      const gone = await leased(stage)
      await stage.database.knex('projection_workers').insert({ owner: 'gone', serves: 'live', beat: 5, renewed_at: 0 })
      await takeLease(stage.database, gone, 'gone', (await readCheckpoint(stage.database.knex, gone))!.owner)
      await append(stage.log, many(appId, 3))
      const heir = stage.project()
      await eventually(() => heir.following().length === 2)
      await foldedTo(stage, appId, 3)
      assert.equal((await stage.database.knex('projection_workers').where({ owner: 'gone' })).length, 0)
    })
  })
}

function pick({ events, position }: { events: number; position: number }): object {
  return { events, position }
}

async function deadEvents({ database }: Stage): Promise<number> {
  return (await database.knex('dead_events')).length
}

async function leased({ database, log }: Stage): Promise<Unit> {
  await ensureFirstBuild(database, counting(), log.partitions, 0)
  const unit = { projection: 'counting', build: 1, partition: 1 }
  await takeLease(database, unit, 'somebody', null)
  return unit
}

async function runnerFor({ database, log }: Stage, projection: Projection, unit: Unit, beforeCommit?: () => Promise<void>): Promise<UnitRunner> {
  const places = new WholePlaces(database.knex, unit, {}, termsFromEvents)
  const folder = new Folder({ log, database, clock: systemClock, projection, unit, source: partitionPages(log, unit.partition), places, beforeCommit })
  const checkpoint = await readCheckpoint(database.knex, unit)
  return new UnitRunner({ database, folder, unit, logger: silentLogger, onPoison: () => 'bury' }, checkpoint!)
}
