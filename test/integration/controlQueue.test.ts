// Control commands when nobody works on their queue: the process that was asked appends by itself, in time and once, and a
// worker that comes later adds nothing.
import assert from 'node:assert/strict'
import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { CONTROL_PREFIX, CONTROL_QUEUE } from '../../src/commands/appendJobs.ts'
import { openEventLog } from '../../src/events/openEventLog.ts'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { LIMITS } from '../../src/limits.ts'
import { eventually } from '../support/eventually.ts'
import { type Recounts, type Started, startRecounts } from '../support/recounts.ts'

/** What a command may take that waits for the queue first. */
const IN_TIME_MS = LIMITS.controlQueueMs + 1_000

describe('the control queue without its worker', function () {
  this.timeout(60_000)
  let recounts: Recounts
  let api: Started
  let owner: string
  let appId: string

  before(async () => {
    recounts = await startRecounts()
    api = await recounts.start('api')
    const worker = await recounts.start('append')
    owner = (await recounts.signIn(api)).token
    appId = (await api.ask('POST', '/auth/register', owner, { name: 'Queue' })).body['appId'] as string
    await worker.close()
  })
  after(() => recounts.close())

  /** Types of the events in the stream of a key. */
  async function history(keyId: string): Promise<string[]> {
    const database = await openDatabase(recounts.databaseUrl)
    const log = await openEventLog(database, { url: recounts.databaseUrl, partitions: 2 })
    try {
      return (await log.readStream(0, `key:${keyId}`)).map(({ type }) => type)
    } finally {
      await log.close()
      await database.close()
    }
  }

  async function timed(path: string, body: object): Promise<Record<string, unknown>> {
    const began = performance.now()
    const answer = await api.ask('POST', path, owner, body)
    const took = performance.now() - began
    assert.ok(answer.status < 300, JSON.stringify(answer.body))
    assert.ok(took < IN_TIME_MS, `${path} took ${took} ms`)
    return answer.body
  }

  /** Until the queue holds nothing that a worker could still work on. */
  async function worked(): Promise<void> {
    const redis = new Redis(recounts.redisUrl)
    try {
      const lengths = () => Promise.all(['wait', 'active'].map((list) => redis.llen(`${CONTROL_PREFIX}:${CONTROL_QUEUE}:${list}`)))
      await eventually(async () => (await lengths()).every((length) => length === 0))
    } finally {
      await redis.quit()
    }
  }

  it('issues and revokes within two seconds and a little, and once, although a worker comes later', async () => {
    const { keyId, token } = (await timed('/auth/api-key', { appId })) as { keyId: string; token: string }
    assert.equal(await api.says('POST', '/collect', token, { event: 'direct' }), '202')
    await timed('/auth/revoke', { keyId })
    assert.equal(await api.says('POST', '/collect', token, { event: 'late' }), '401 key_revoked')
    assert.deepEqual(await history(keyId), ['ApiKeyIssued', 'ApiKeyRevoked'])
    const worker = await recounts.start('append')
    await worked()
    assert.deepEqual(await history(keyId), ['ApiKeyIssued', 'ApiKeyRevoked'])
    await worker.close()
  })

  it('a job that a worker took and died with is given to the next one, and adds nothing', async () => {
    const connection = new Redis(recounts.redisUrl, { maxRetriesPerRequest: null })
    let taken = 0
    // Takes jobs and never says anything about them again, as a process that was killed.
    const dead = new Worker(CONTROL_QUEUE, () => new Promise(() => void (taken += 1)), { connection, prefix: CONTROL_PREFIX, concurrency: 8, lockDuration: 1_000, skipLockRenewal: true, skipStalledCheck: true })
    await dead.waitUntilReady()
    const { keyId } = (await timed('/auth/api-key', { appId })) as { keyId: string }
    await timed('/auth/revoke', { keyId })
    assert.equal(taken, 2)
    await dead.close(true)
    connection.disconnect()
    const worker = await recounts.start('append')
    await worked()
    assert.deepEqual(await history(keyId), ['ApiKeyIssued', 'ApiKeyRevoked'])
    await worker.close()
  })
})
