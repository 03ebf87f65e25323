// What an owner asks of a projection, carried out in a thread: as in the process itself, on both engines; it halts, it fails aloud,
// and it is gone when it has ended.
import assert from 'node:assert/strict'
import { listBuilds, pauseBuilds } from '../../../src/projections/builds.ts'
import { readCheckpoint } from '../../../src/projections/checkpoints.ts'
import type { RebuildJob } from '../../../src/projections/rebuildJobs.ts'
import { carryingOutInThreads } from '../../../src/projections/rebuildThread.ts'
import { eventSummary } from '../../../src/projections/eventSummary/eventSummary.ts'
import { eventually } from '../../support/eventually.ts'
import { freshSqlite } from '../../support/servers.ts'
import { append, appIn, ENGINES, many, openStage, type Stage } from './stage.ts'

const PROJECTION = 'eventSummary'

type Job = RebuildJob extends infer Each ? (Each extends RebuildJob ? Omit<Each, 'projection'> : never) : never

describe('a rebuild in a thread', function () {
  this.timeout(60_000)
  let stage: Stage | undefined
  let appId: string

  const carryOut = (job: Job, signal = new AbortController().signal, url = stage!.url): Promise<string> =>
    carryingOutInThreads({ url, partitions: 2, logLevel: 'silent', role: 'api', secrets: [] })({ ...job, projection: PROJECTION }, signal)
  const statuses = async (): Promise<string[]> => (await listBuilds(stage!.database.knex, PROJECTION)).map(({ build, status, paused }) => `${build} ${status}${paused ? ' paused' : ''}`)
  const counted = async (): Promise<unknown[]> => {
    const rows = await stage!.database.knex('event_summary_days').select<{ build: number }[]>('build')
    return [...new Set(rows.map(({ build }) => build))].toSorted()
  }
  const started = async (engine: (typeof ENGINES)[number], events: number): Promise<void> => {
    stage = await openStage(engine)
    appId = appIn(stage.log, 1)
    for (let sent = 0; sent < events; sent += 1_000) await append(stage.log, many(appId, 1_000))
    stage.project({ projections: [eventSummary], rebuilds: false })
    const unit = { projection: PROJECTION, build: 1, partition: 1 }
    await eventually(async () => (await readCheckpoint(stage!.database.knex, unit))?.position === events)
  }

  afterEach(async () => {
    await stage?.close()
    stage = undefined
  })

  for (const engine of ENGINES) {
    it(`rebuilds and goes back on ${engine}`, async () => {
      await started(engine, 1_000)
      assert.equal(await carryOut({ do: 'rebuild' }), 'done')
      assert.deepEqual(await statuses(), ['2 live', '1 kept'])
      assert.deepEqual(await counted(), [1, 2])
      assert.equal(await carryOut({ do: 'rollback', build: undefined }), 'done')
      assert.deepEqual(await statuses(), ['2 kept', '1 live'])
    })

    it(`halts when it is paused or the process stops, and goes on when it is asked again, on ${engine}`, async () => {
      await started(engine, 20_000)
      const pausing = carryOut({ do: 'rebuild' })
      await eventually(async () => (await pauseBuilds(stage!.database, PROJECTION)).length > 0)
      assert.equal(await pausing, 'paused')
      assert.deepEqual(await statuses(), ['2 building paused', '1 live'])
      const stop = new AbortController()
      const stopping = carryOut({ do: 'rebuild' }, stop.signal)
      stop.abort()
      await assert.rejects(stopping, /the process stops/)
      assert.equal(await carryOut({ do: 'rebuild' }), 'done')
      assert.deepEqual(await statuses(), ['2 live', '1 kept'])
    })
  }

  it('tries out, drops, and rebuilds one app', async () => {
    await started('sqlite', 1_000)
    assert.equal(await carryOut({ do: 'trial' }), 'done')
    assert.deepEqual(await statuses(), ['2 building paused', '1 live'])
    assert.equal(await carryOut({ do: 'drop', build: 2 }), 'done')
    assert.equal(await carryOut({ do: 'rebuild', appId }), 'done')
    assert.deepEqual(await statuses(), ['3 live', '1 live'])
    assert.deepEqual(await counted(), [3])
  })

  it('fails with what failed it', async () => {
    await assert.rejects(carryOut({ do: 'rebuild' }, undefined, freshSqlite()), /no such table|meta/)
  })
})
