// What counts events may stand still or be held up: collecting and the log take no notice, and once it goes on it catches up.
import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import { openDatabase } from '../../../src/kernel/database/open.ts'
import { newApp, send, type TestApp } from '../../support/client.ts'
import { eventually } from '../../support/eventually.ts'
import { type RecountProcess, startProcess } from '../../support/processes.ts'
import { freshDatabase, startRedis, type TestServer } from '../../support/servers.ts'

const OWNER_CODE = 'the owner code of these tests'
const BATCH = 100

describe('a projection that is slow', function () {
  this.timeout(120_000)
  const running: RecountProcess[] = []
  let databaseUrl: string
  let redis: TestServer
  let app: TestApp
  let projector: RecountProcess
  let sent = 0

  before(async () => {
    redis = await startRedis()
    databaseUrl = await freshDatabase()
    const env = { DATABASE_URL: databaseUrl, REDIS_URL: redis.url, OWNER_CODE, JWT_SECRET: 'a secret of the tests, thirty-two characters or more' }
    for (const role of ['api', 'append', 'project']) running.push(await startProcess(role, env))
    projector = running[2]!
    app = await newApp(running[0]!.url, OWNER_CODE)
  })
  after(async () => {
    projector.child.kill('SIGCONT')
    for (const each of running) await each.kill9()
    await redis.kill9()
  })

  /** Each request is answered once its events are in the log. */
  async function collect(requests: number): Promise<void> {
    for (let request = 0; request < requests; request++) {
      const body = Array.from({ length: BATCH }, () => ({ event: 'order', userId: `user-${sent++ % 7}` }))
      const { status, body: told } = await send('POST', `${running[0]!.url}/collect?ack=stored`, { token: app.token, body })
      assert.deepEqual([status, told['accepted']], [201, BATCH], JSON.stringify(told))
    }
  }
  const counted = async (): Promise<unknown> =>
    (await send('GET', `${running[0]!.url}/analytics/event-summary?appId=${app.appId}&event=order`, { token: app.token })).body['count']
  const caughtUp = (): Promise<unknown> => eventually(async () => (await counted()) === sent, { timeoutMs: 60_000 })

  it('that stands still lets everything into the log, and has counted it soon after it goes on', async () => {
    await collect(1)
    await caughtUp()
    projector.child.kill('SIGSTOP')
    await collect(30)
    assert.equal(await counted(), BATCH)
    projector.child.kill('SIGCONT')
    await caughtUp()
  })

  it('whose rows somebody else holds lets everything into the log, and counts it when they let go', async () => {
    const database = await openDatabase(databaseUrl)
    const before = await counted()
    try {
      await database.knex.transaction(async (rival: Knex.Transaction) => {
        // A rival is cut off where it says nothing for as long as a session may rest.
        await rival.raw('SET SESSION wait_timeout = 60')
        await rival('projection_checkpoints').where({ projection: 'eventSummary' }).forUpdate().select('position')
        await collect(30)
        assert.equal(await counted(), before)
      })
    } finally {
      await database.close()
    }
    await caughtUp()
  })
})
