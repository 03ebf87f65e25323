// The restatement log over real history: git activity in its order of receipt, one app per repository. Its late rows restate
// the days that a plain loop over the rows says.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { uuidv5, uuidv7 } from '../../../src/kernel/ids.ts'
import type { Projection } from '../../../src/projections/projection.ts'
import { restatements } from '../../../src/projections/restatements/restatements.ts'
import { type Collected, type Driver, type Engine, openDriver } from './driver.ts'

const DAY = 86_400
const model = restatements as unknown as Projection
const lines = readFileSync(new URL('../../fixtures/realData/git_activity_excerpt.tsv', import.meta.url), 'utf8').trimEnd().split('\n').slice(1)
const activity = lines.map((line, number) => {
  const [receivedAt, occurredAt, , site, user, , event] = line.split('\t') as [string, string, string, string, string, string, string]
  return { number, receivedAt: Number(receivedAt), occurredAt: Number(occurredAt), site, user, event }
})

/** By repository, restated day and reached day: how many rows came late. */
function lateByLoop(): Record<string, number> {
  const latest: Record<string, number> = {}
  const late: Record<string, number> = {}
  for (const { site, occurredAt } of activity) {
    const [day, reached] = [Math.floor(occurredAt / DAY), Math.floor((latest[site] ?? 0) / DAY)]
    if (day < reached) late[`${site} ${day} ${reached}`] = (late[`${site} ${day} ${reached}`] ?? 0) + 1
    latest[site] = Math.max(latest[site] ?? 0, occurredAt)
  }
  return late
}

async function check(driver: Driver): Promise<void> {
  const run = uuidv7()
  const sites = new Map([...new Set(activity.map(({ site }) => site))].map((site) => [uuidv5(run, site), site]))
  for (const appId of sites.keys()) await driver.register(appId, 'UTC')
  const build = await driver.build(model)
  const events = activity.map(({ number, occurredAt, site, user, event }): Collected => {
    const appId = uuidv5(run, site)
    return { id: uuidv5(appId, String(number)), appId, at: occurredAt * 1_000, data: { event, userId: user } }
  })
  await driver.collect(events)
  await driver.fold(model, build, 100)
  const rows = (await driver.rows(model, build))['restatements'] as { app_id: string; day: number; reached: number; cause: number; events_added: number; events_taken: number }[]
  const told = rows.filter(({ app_id }) => sites.has(app_id)).map((row) => [`${sites.get(row.app_id)!} ${row.day} ${row.reached}`, row.events_added] as const)
  assert.deepEqual(Object.fromEntries(told), lateByLoop())
  assert.ok(rows.every(({ cause, events_taken: taken }) => cause === 0 && taken === 0))
}

function suite(engine: Engine): void {
  describe(`the restatement log on ${engine}`, function () {
    this.timeout(60_000)
    let driver: Driver
    before(async () => {
      driver = await openDriver(engine)
    })
    after(() => driver.close())

    it('names the days that late rows of git activity restate', async () => {
      // Sparse as the excerpt is, it must have late rows for this to show anything.
      assert.ok(Object.keys(lateByLoop()).length >= 10, String(Object.keys(lateByLoop()).length))
      await check(driver)
    })

    it('takes one clock that is ahead for no more than the moment of recording', async () => {
      const appId = uuidv7()
      await driver.register(appId, 'UTC')
      const now = Date.now()
      const build = await driver.build(model)
      const at = (id: string, ms: number): Collected => ({ id: uuidv5(appId, id), appId, at: ms, data: { event: 'pageview' } })
      await driver.collect([at('ahead', now + 2 * DAY * 1_000), at('today', now), at('yesterday', now - DAY * 1_000)])
      await driver.fold(model, build)
      const rows = (await driver.rows(model, build))['restatements'] as { app_id: string; day: number; reached: number }[]
      const today = Math.floor(now / 1_000 / DAY)
      assert.deepEqual(rows.filter(({ app_id }) => app_id === appId).map(({ day, reached }) => [day, reached]), [[today - 1, today]])
    })
  })
}

suite('sqlite')
suite('mysql')
