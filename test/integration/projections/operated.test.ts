// What an operator does to a read model is on record before anything is touched; what is refused leaves no record, and what
// cannot be recorded is not begun.
import assert from 'node:assert/strict'
import { Problem } from '../../../src/errors.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { listBuilds } from '../../../src/projections/builds.ts'
import { keys } from '../../../src/projections/keys.ts'
import type { Projection } from '../../../src/projections/projection.ts'
import { carryingOutHere } from '../../../src/projections/rebuildJobs.ts'
import { createRebuilds } from '../../../src/rebuilds.ts'
import { eventually } from '../../support/eventually.ts'
import { type Driver, openDriver } from '../readModels/driver.ts'

describe('operating read models', function () {
  this.timeout(30_000)
  const projections = [keys as Projection]
  let driver: Driver
  let rebuilds: ReturnType<typeof createRebuilds>

  beforeEach(async () => {
    driver = await openDriver('sqlite')
    await driver.build(projections[0]!)
    const { database, log } = driver
    rebuilds = createRebuilds({ database, projections, carryOut: carryingOutHere({ database, log, projections, clock: systemClock, logger: silentLogger }), logger: silentLogger })
  })
  afterEach(async () => {
    await rebuilds.close()
    await driver.close()
  })

  const builds = async (): Promise<string[]> => (await listBuilds(driver.database.knex, 'keys')).map(({ build, status }) => `${build} ${status}`)
  const unrecorded = (): Promise<never> => Promise.reject(new Error('was recorded'))
  const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

  it('waits for the record, and meanwhile refuses whoever comes second, without one', async () => {
    let recorded = (): void => undefined
    const first = rebuilds.rebuild('keys', {}, () => new Promise<void>((resolve) => (recorded = resolve)))
    await assert.rejects(rebuilds.rebuild('keys', {}, unrecorded), refused('already_running'))
    await assert.rejects(rebuilds.rebuild('keys', { dry: true }, unrecorded), refused('already_running'))
    assert.deepEqual(await builds(), ['1 live'])
    recorded()
    await first
    await eventually(async () => (await builds()).includes('2 live'))
  })

  it('begins nothing that could not be recorded, and lets the next one in', async () => {
    await assert.rejects(rebuilds.rebuild('keys', {}, unrecorded), /was recorded/)
    assert.deepEqual(await builds(), ['1 live'])
    await rebuilds.rebuild('keys', {}, () => Promise.resolve())
    await eventually(async () => (await builds()).includes('2 live'))
  })

  it('records nothing of what makes no sense', async () => {
    await assert.rejects(rebuilds.rebuild('nothing', {}, unrecorded), refused('not_found'))
    await assert.rejects(rebuilds.pause('keys', unrecorded), refused('not_found'))
    await assert.rejects(rebuilds.drop('keys', 1, unrecorded), refused('build_live'))
    await assert.rejects(rebuilds.drop('keys', 9, unrecorded), refused('not_found'))
    await assert.rejects(rebuilds.switch('keys', 9, unrecorded), refused('not_found'))
    await assert.rejects(rebuilds.rollback('keys', undefined, unrecorded), refused('not_found'))
  })
})
