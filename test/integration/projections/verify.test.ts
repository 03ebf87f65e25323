// verify finds what the log does not say, and only that, beside a projector at work.
import assert from 'node:assert/strict'
import { setImmediate as breathe } from 'node:timers/promises'
import { uuidToBytes } from '../../../src/kernel/ids.ts'
import { listBuilds } from '../../../src/projections/builds.ts'
import { replay } from '../../../src/projections/replay.ts'
import { verifyReadModels } from '../../../src/projections/verify.ts'
import { append, appIn, collected, counting, ENGINES, foldedTo, many, openStage, settings, type Stage } from './stage.ts'

for (const engine of ENGINES) {
  describe(`verify on ${engine}`, function () {
    this.timeout(60_000)
    let stage: Stage
    const zoned = counting({ zoned: true })

    beforeEach(async () => {
      stage = await openStage(engine)
    })
    afterEach(() => stage.close())

    it('finds nothing while events keep coming, apps rebuilt alone, zones pending and events set aside included', async () => {
      const { log, database } = stage
      const apps = Array.from({ length: 1_200 }, () => appIn(log, 1))
      const [moved, waiting] = [apps[7]!, apps[8]!]
      await append(log, [settings(waiting, 'Asia/Kathmandu'), ...apps.map((appId) => collected(appId)).slice(0, 900)])
      await append(log, [...apps.map((appId) => collected(appId)), collected(moved, 'poison')].slice(900))
      await append(log, [settings(waiting, 'Pacific/Apia'), ...many(appIn(log, 2), 50).slice(0, 0), ...many(moved, 3)])
      await append(log, many(appIn(log, 2), 50))
      stage.project({ projections: [zoned], rebuilds: false })
      await foldedTo(stage, moved, (await log.head(1)).position)
      await replay({ log, database, projection: zoned, appId: moved })
      const writing = new AbortController()
      const appending = (async () => {
        while (!writing.signal.aborted) {
          await append(log, [collected(moved), collected(waiting)])
          await breathe()
        }
      })()
      const [verified] = await verifyReadModels({ log, database, projections: [zoned] })
      writing.abort()
      await appending
      assert.deepEqual(verified!.differences, [])
      assert.equal(verified!.rows, 1_201)
      assert.deepEqual((await listBuilds(database.knex)).filter(({ status }) => status === 'scratch'), [])
      assert.deepEqual((await database.knex('test_counts').distinct<{ build: number }[]>('build')).map(({ build }) => build).sort(), [1, 2])
    })

    it('says in words which row is wrong, missing or too many', async () => {
      const { log, database } = stage
      const [wrong, missing, extra] = [appIn(log, 1), appIn(log, 1), appIn(log, 1)]
      await append(log, [...many(wrong, 5), collected(missing)])
      stage.project({ projections: [zoned] })
      await foldedTo(stage, wrong, 6)
      await database.knex('test_counts').where({ app_id: uuidToBytes(wrong) }).update({ events: 6 })
      await database.knex('test_counts').where({ app_id: uuidToBytes(missing) }).delete()
      await database.knex('test_counts').insert({ build: 1, app_id: uuidToBytes(extra), events: 1, positions: 1, zone: 'UTC', mark: 'v1' })
      const [verified] = await verifyReadModels({ log, database, projections: [zoned] })
      const hex = (appId: string): string => uuidToBytes(appId).toString('hex')
      assert.deepEqual(
        [...verified!.differences].sort(),
        [
          `test_counts: app_id ${hex(extra)} is in the read model and should not be`,
          `test_counts: app_id ${hex(missing)} is missing from the read model`,
          `test_counts: app_id ${hex(wrong)} has events 6 and should have 5`,
        ].sort(),
      )
    })
  })
}
