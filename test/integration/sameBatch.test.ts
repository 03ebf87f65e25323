// The promise as a client meets it: the same batch posted three times by each of two API processes at once, in part through
// the queue and in part straight to the log, is in the log once and counted once.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readLedger } from '../../src/events/ledger.ts'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { newApp, send } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { type RecountProcess, startProcess } from '../support/processes.ts'
import { freshDatabase, freshRedis } from '../support/servers.ts'

const OWNER_CODE = 'same-batch-owner-code'
const EVENTS = 200
const TIMES = 3

describe('the same batch, many times', function () {
  this.timeout(120_000)
  const processes: RecountProcess[] = []
  let databaseUrl: string

  before(async () => {
    databaseUrl = await freshDatabase()
    const env = {
      DATABASE_URL: databaseUrl,
      REDIS_URL: await freshRedis(),
      JWT_SECRET: 'same-batch-secret-of-more-than-32-characters',
      OWNER_CODE,
    }
    for (const role of ['api', 'api', 'append', 'project']) processes.push(await startProcess(role, env))
  })

  after(async () => {
    for (const each of processes) await each.stop()
  })

  async function ledger(appId: string): Promise<{ stored: number; duplicate: number }> {
    const database = await openDatabase(databaseUrl)
    try {
      const hours = await readLedger(database.knex, appId, 0, Number.MAX_SAFE_INTEGER)
      return hours.reduce((sum, { stored, duplicate }) => ({ stored: sum.stored + stored, duplicate: sum.duplicate + duplicate }), { stored: 0, duplicate: 0 })
    } finally {
      await database.close()
    }
  }

  it('counts once', async () => {
    const urls = processes.slice(0, 2).map(({ url }) => url)
    const app = await newApp(urls[0]!, OWNER_CODE)
    const batch = Array.from({ length: EVENTS }, (_, index) => ({ event: 'order', id: index % 2 === 0 ? randomUUID() : `order-${index}`, userId: `u${index}` }))
    const posts = urls.flatMap((url) =>
      Array.from({ length: TIMES }, (_, time) => send('POST', `${url}/collect${time === 0 ? '?ack=stored' : ''}`, { token: app.token, body: batch })),
    )
    const answers = await Promise.all(posts)
    for (const { status, body } of answers) assert.ok(status === 201 || status === 202, JSON.stringify(body))
    const ids = answers.map(({ body }) => JSON.stringify(body['ids']))
    assert.equal(new Set(ids).size, 1, 'every answer names the same ids')

    // Only when every copy has come through the queue can nothing be counted a second time any more.
    await eventually(async () => (await ledger(app.appId)).duplicate === (urls.length * TIMES - 1) * EVENTS, { timeoutMs: 30_000 })
    assert.equal((await ledger(app.appId)).stored, EVENTS)
    const last = (answers[0]!.body['ids'] as string[]).at(-1)!
    const query = `appId=${app.appId}&event=order&after=${last}`
    const summary = await send('GET', `${urls[1]!}/analytics/event-summary?${query}`, { token: app.token })
    assert.deepEqual([summary.body['count'], summary.body['uniqueUsers']], [EVENTS, EVENTS])
  })
})
