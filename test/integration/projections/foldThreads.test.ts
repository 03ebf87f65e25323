// Rebuilds whose units are folded in threads come to what one thread would have come to; what goes wrong in a thread ends the
// rebuild as it would here, and leaves the live build alone.
import assert from 'node:assert/strict'
import { systemClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { uuidToBytes } from '../../../src/kernel/ids.ts'
import { PROJECTIONS } from '../../../src/projections/all.ts'
import { liveBuild } from '../../../src/projections/builds.ts'
import { FoldThreads } from '../../../src/projections/foldThreads.ts'
import { replay } from '../../../src/projections/replay.ts'
import { verifyReadModels } from '../../../src/projections/verify.ts'
import { append, appIn, collected, many, openStage, type Stage } from './stage.ts'

const NAMES = ['eventSummary', 'userStats']
const [summary, people] = NAMES.map((name) => PROJECTIONS.find((projection) => projection.name === name)!)

describe('a rebuild in threads', function () {
  this.timeout(60_000)
  let stage: Stage
  let threads: FoldThreads

  beforeEach(async () => {
    stage = await openStage('mysql')
    // Both read models of partition 1 share its pages in one thread; those of partition 2 are divided.
    const shares = [
      [...NAMES.map((projection) => ({ projection, partition: 1, cost: 1 })), { projection: 'eventSummary', partition: 2, cost: 1 }],
      [{ projection: 'userStats', partition: 2, cost: 1 }],
    ]
    threads = new FoldThreads({ url: stage.url, partitions: stage.log.partitions, logger: silentLogger }, shares)
  })
  afterEach(async () => {
    await threads.close()
    await stage.close()
  })

  const options = () => ({ database: stage.database, log: stage.log, clock: systemClock, logger: silentLogger, folding: threads }) as const

  it('makes the rows that one thread makes, of every partition', async () => {
    const apps = [appIn(stage.log, 1), appIn(stage.log, 1), appIn(stage.log, 2)]
    for (const appId of apps) for (let batch = 0; batch < 4; batch++) await append(stage.log, [...many(appId, 700), ...named(appId, batch)])
    const done = await Promise.all([replay({ ...options(), projection: summary! }), replay({ ...options(), projection: people! })])
    const heads = new Map((await stage.log.heads()).filter(({ partition }) => partition > 0).map(({ partition, position }) => [partition, position]))
    for (const { positions } of done) assert.deepEqual(positions, heads)
    const { events } = await stage.database.knex('event_summary_days').where({ build: done[0].build, app_id: uuidToBytes(apps[2]!) }).sum<{ events: number }>({ events: 'events' }).first() as { events: number }
    assert.equal(events, 2 * 4 * 720, 'under its name and under all')
    for (const { differences, rows } of await verifyReadModels({ ...options(), projections: [summary!, people!] })) {
      assert.deepEqual(differences, [])
      assert.ok(rows > 0)
    }
  })

  it('ends with the reason when it is aborted, and can be resumed', async () => {
    await append(stage.log, many(appIn(stage.log, 1), 900))
    const abort = new AbortController()
    const onProgress = (): void => abort.abort(new Error('enough'))
    await assert.rejects(replay({ ...options(), projection: summary!, signal: abort.signal, onProgress }), /enough/)
    assert.equal(await liveBuild(stage.database.knex, 'eventSummary'), 1)
    threads.leave('userStats')
    assert.equal((await replay({ ...options(), projection: summary! })).build, 2)
  })

  it('ends with what a thread could not fold', async () => {
    const appId = appIn(stage.log, 2)
    await append(stage.log, [...many(appId, 50), { ...collected(appId), data: '{}' }])
    threads.leave('userStats')
    await assert.rejects(replay({ ...options(), projection: summary! }), { name: 'PoisonEvent', message: /position 51 of partition 2/ })
    assert.equal(await liveBuild(stage.database.knex, 'eventSummary'), 1)
  })

  it('ends when a thread does', async () => {
    await append(stage.log, many(appIn(stage.log, 2), 50))
    await threads.close()
    await assert.rejects(replay({ ...options(), projection: people! }), /thread that folds has ended/)
    assert.equal(await liveBuild(stage.database.knex, 'userStats'), 1)
  })
})

function named(appId: string, batch: number): ReturnType<typeof many> {
  return Array.from({ length: 20 }, (_, at) => ({ ...collected(appId), data: JSON.stringify({ event: 'seen', anonymousId: `a${at}`, ...(at % 3 === 0 ? { userId: `u${batch}-${at}` } : {}) }) }))
}
