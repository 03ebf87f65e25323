// Four API processes under load, one of which is told to revoke: from its answer to the start of the last request that any of
// them still let pass, under a second, with Redis there, killed, and emptied; and what was accepted before is in the log.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { openEventLog } from '../../src/events/openEventLog.ts'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { type AccessLoad, isAccepted, lastAccepted, startAccessLoad } from '../support/accessLoad.ts'
import { type AccessStack, API_PROCESSES, collecting, startAccessStack } from '../support/accessStack.ts'
import { send } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { startProcess } from '../support/processes.ts'

const BOUND_MS = 1_000

describe('revocation under load', function () {
  this.timeout(120_000)
  let stack: AccessStack
  let load: AccessLoad

  before(async () => {
    stack = await startAccessStack(startProcess)
    load = startAccessLoad(stack.urls, { maxMs: 120_000 })
  })
  after(async () => {
    await load.stop()
    await stack.stop()
  })

  /** A new key that all four accept under load. */
  async function keyInUse(): Promise<{ keyId: string; token: string; owner: string }> {
    const owner = await stack.signIn()
    const issued = await stack.change(owner, '/auth/api-key', { appId: stack.app.appId, name: 'Load', scopes: ['collect'] })
    const { keyId, token } = issued as { keyId: string; token: string }
    load.ask(collecting(token))
    await everyProcess(3, isAccepted)
    return { keyId, token, owner }
  }

  /** Waits until each process has answered so many requests that began from now on in this way. */
  async function everyProcess(times: number, how: (sent: ReturnType<AccessLoad['sent']>[number]) => boolean): Promise<void> {
    const from = performance.now()
    const enough = (process: number): boolean => load.sent().filter((each) => each.process === process && each.at >= from && how(each)).length >= times
    await eventually(() => stack.urls.every((_, process) => enough(process)), { timeoutMs: 20_000 })
  }

  async function revokedWithin(revoke: () => Promise<unknown>): Promise<void> {
    await revoke()
    const answered = performance.now()
    // Seen to be refused for longer than the bound, by every process, on requests that went on all the time.
    await eventually(() => performance.now() > answered + BOUND_MS)
    await everyProcess(2, ({ status }) => status === 401 || status === 503)
    const last = lastAccepted(load.sent(), API_PROCESSES, answered)
    assert.ok(Math.max(...last) < BOUND_MS, `accepted until ${last.map(Math.round).join(', ')} ms after the answer`)
    assert.ok(load.sent().filter(({ at }) => at > answered).every(({ status }) => status !== 0), 'no request was left without an answer')
  }

  it('with all stores there', async () => {
    const { keyId, owner } = await keyInUse()
    await revokedWithin(() => stack.change(owner, '/auth/revoke', { keyId }))
    await everyProcess(2, ({ status }) => status === 401)
  })

  it('with Redis killed just before', async () => {
    const { keyId, owner } = await keyInUse()
    await stack.redis.kill9()
    await revokedWithin(() => stack.change(owner, '/auth/revoke', { keyId }))
    await stack.redis.restart()
    await everyProcess(2, ({ status }) => status === 401)
  })

  it('with Redis emptied just before, one process cut off from the log, and the revoking one from Redis', async () => {
    const { keyId, owner } = await keyInUse()
    stack.lastToLog.freeze()
    stack.firstToRedis.cut()
    const client = new Redis(stack.redis.url)
    await client.flushall()
    await client.quit()
    await revokedWithin(() => stack.change(owner, '/auth/revoke', { keyId }))
    stack.lastToLog.mend()
    stack.firstToRedis.mend()
    await everyProcess(2, ({ status }) => status === 401)
  })

  it('holds for a process that starts afterwards on a Redis that knows nothing', async () => {
    const { keyId, token, owner } = await keyInUse()
    await stack.change(owner, '/auth/revoke', { keyId })
    const client = new Redis(stack.redis.url)
    await client.flushall()
    await client.quit()
    await stack.restart(1)
    const { status, body } = await send('POST', `${stack.urls[1]!}/collect`, { token, body: { event: 'late' } })
    assert.deepEqual([status, body['code']], [401, 'key_revoked'])
  })

  it('what a revoked key had been promised is in the log', async () => {
    const { keyId, token, owner } = await keyInUse()
    load.ask({ method: 'GET', path: '/health/live', token })
    const ids = Array.from({ length: 200 }, () => randomUUID())
    const sent = ids.map((id, index) => send('POST', `${stack.urls[index % API_PROCESSES]!}/collect`, { token, body: { event: 'promised', id } }))
    await stack.change(owner, '/auth/revoke', { keyId })
    const promised = (await Promise.all(sent)).flatMap(({ status }, index) => (status === 202 ? [ids[index]!] : []))
    assert.ok(promised.length > 0)
    const database = await openDatabase(stack.databaseUrl)
    const log = await openEventLog(database, { url: stack.databaseUrl, partitions: 8 })
    try {
      await eventually(async () => {
        const stored = new Set<string>()
        for (let after = 0; ; ) {
          const page = await log.readApp(stack.app.appId, after, 5_000)
          for (const { eventId } of page) stored.add(eventId)
          if (page.length < 5_000) break
          after = page.at(-1)!.position
        }
        return promised.every((id) => stored.has(id))
      })
    } finally {
      await log.close()
      await database.close()
    }
  })
})
