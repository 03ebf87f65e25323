// What is taken away, in orders that only several processes bring about: twice at once, while a key is rotated, while a process
// starts on a Redis that lost everything, while streams are open and events are still on their way.
import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { openEventLog } from '../../src/events/openEventLog.ts'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { eventually } from '../support/eventually.ts'
import { type Recounts, type Started, startRecounts } from '../support/recounts.ts'

const BOUND_MS = 1_000
const STREAM_MS = 2_000

interface Key {
  readonly keyId: string
  readonly token: string
  readonly writeKey: string
}

describe('orders of revocation', function () {
  this.timeout(60_000)
  let recounts: Recounts
  let one: Started
  let two: Started
  let worker: Started
  let owner: string
  let appId: string

  before(async () => {
    recounts = await startRecounts()
    one = await recounts.start('api')
    ;[two, worker] = await Promise.all([recounts.start('api'), recounts.start('append')])
    owner = (await recounts.signIn(one)).token
    appId = await newApp('Orders')
  })
  after(() => recounts.close())

  const newApp = async (name: string): Promise<string> => (await one.ask('POST', '/auth/register', owner, { name })).body['appId'] as string
  const issue = async (more: object = {}): Promise<Key> => {
    const { status, body } = await one.ask('POST', '/auth/api-key', owner, { appId, ...more })
    assert.equal(status, 201, JSON.stringify(body))
    return body as unknown as Key
  }
  const collect = (at: Started, { writeKey }: Key): Promise<string> => at.says('POST', '/collect', writeKey, { event: 'order' })
  const revoke = (at: Started, { keyId }: Key): Promise<string> => at.says('POST', '/auth/revoke', owner, { keyId })
  const rotate = async (at: Started, { keyId }: Key): Promise<Key | string> => {
    const { status, body } = await at.ask('POST', '/auth/regenerate', owner, { keyId })
    return status === 201 ? (body as unknown as Key) : (body['code'] as string)
  }
  /** Waits until both refuse it so, and says how long that took. */
  const refused = async (key: Key, how = '401 key_revoked'): Promise<void> => {
    const answered = performance.now()
    await eventually(async () => (await collect(one, key)) === how && (await collect(two, key)) === how, { everyMs: 5 })
    assert.ok(performance.now() - answered < BOUND_MS, `took ${performance.now() - answered} ms`)
  }
  async function reading<T>(work: (log: Awaited<ReturnType<typeof openEventLog>>) => Promise<T>): Promise<T> {
    const database = await openDatabase(recounts.databaseUrl)
    const log = await openEventLog(database, { url: recounts.databaseUrl, partitions: 2 })
    try {
      return await work(log)
    } finally {
      await log.close()
      await database.close()
    }
  }
  const history = async ({ keyId }: Key): Promise<string[]> => (await reading((log) => log.readStream(0, `key:${keyId}`))).map(({ type }) => type)

  it('of revocations of one key at two processes at once all are answered, and one is written down', async () => {
    for (let round = 0; round < 5; round += 1) {
      const key = await issue()
      const said = await Promise.all([one, two, one, two].map((at) => revoke(at, key)))
      assert.deepEqual(said, ['200', '200', '200', '200'])
      await refused(key)
      assert.deepEqual(await history(key), ['ApiKeyIssued', 'ApiKeyRevoked'])
    }
  })

  it('revoking the old key of a rotation ends it before its overlap, and the new one goes on', async () => {
    const old = await issue()
    const successor = (await rotate(one, old)) as Key
    assert.deepEqual(await Promise.all([old, successor].map((key) => collect(one, key))), ['202', '202'])
    assert.equal(await revoke(two, old), '200')
    await refused(old)
    assert.deepEqual(await Promise.all([one, two].map((at) => collect(at, successor))), ['202', '202'])
  })

  it('revoking the new key of a rotation leaves the old one its overlap, and it has no other successor', async () => {
    const old = await issue()
    const successor = (await rotate(one, old)) as Key
    assert.equal(await revoke(two, successor), '200')
    await refused(successor)
    assert.deepEqual(await Promise.all([one, two].map((at) => collect(at, old))), ['202', '202'])
    assert.equal(await rotate(two, old), 'already_replaced')
    assert.equal(await revoke(one, old), '200')
    await refused(old)
  })

  it('a rotation and a revocation at once: the old key is dead in any case, and a successor is there only if it was promised', async () => {
    const seen = new Set<string>()
    for (let round = 0; round < 12; round += 1) {
      const key = await issue()
      // Now the one and now the other gets a little ahead.
      const late = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
      const lead = (round % 6) * 4 - 10
      const [rotated, revoked] = await Promise.all([late(-lead).then(() => rotate(one, key)), late(lead).then(() => revoke(two, key))])
      assert.equal(revoked, '200')
      await refused(key)
      if (typeof rotated === 'string') {
        assert.equal(rotated, 'key_ended')
        assert.deepEqual(await history(key), ['ApiKeyIssued', 'ApiKeyRevoked'])
      } else {
        assert.deepEqual(await Promise.all([one, two].map((at) => collect(at, rotated))), ['202', '202'])
        assert.deepEqual(await history(key), ['ApiKeyIssued', 'ApiKeyRotated', 'ApiKeyRevoked'])
      }
      seen.add(typeof rotated)
    }
    assert.deepEqual([...seen].sort(), ['object', 'string'], 'both orders came about')
  })

  it('two rotations of one key at once: one successor', async () => {
    const key = await issue()
    const both = await Promise.all([rotate(one, key), rotate(two, key)])
    assert.deepEqual(both.filter((each) => typeof each === 'string'), ['already_replaced'])
    assert.deepEqual(await history(key), ['ApiKeyIssued', 'ApiKeyRotated'])
  })

  it('a process that starts while a key is revoked, on a Redis that lost everything, refuses it from its first request on', async () => {
    const redis = new Redis(recounts.redisUrl)
    try {
      for (const flushed of ['before', 'after']) {
        const key = await issue()
        if (flushed === 'before') await redis.flushdb()
        const [, third] = await Promise.all([revoke(one, key), recounts.start('api')])
        if (flushed === 'after') await redis.flushdb()
        const fourth = await recounts.start('api')
        assert.equal(await collect(fourth, key), '401 key_revoked', 'started after the answer')
        await refused(key)
        await eventually(async () => (await collect(third, key)) === '401 key_revoked', { timeoutMs: BOUND_MS, everyMs: 5 })
        await third.close()
        await fourth.close()
      }
    } finally {
      await redis.quit()
    }
  })

  for (const everywhere of [false, true]) {
    it(`streams end when their reader signs out ${everywhere ? 'everywhere ' : ''}at another process`, async () => {
      const { token } = await recounts.signIn(one)
      const stream = await fetch(`${one.url}/projections/progress`, { headers: { authorization: `Bearer ${token}` } })
      assert.equal(stream.status, 200)
      const ended = stream.text()
      assert.equal(await two.says('POST', '/auth/sign-out', token, { everywhere }), '204')
      const answered = performance.now()
      assert.match(await ended, /^: open/)
      assert.ok(performance.now() - answered < STREAM_MS, `took ${performance.now() - answered} ms`)
      if (everywhere) owner = (await recounts.signIn(one)).token
    })
  }

  it('a deleted app: what was acknowledged is in the log and nobody reads it, and nothing more comes in anywhere', async () => {
    await worker.close()
    const deleted = await newApp('Deleted')
    const key = await issue({ appId: deleted, scopes: ['collect', 'query', 'people'] })
    assert.equal(await collect(two, key), '202')
    const told = await Promise.all(Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? one : two).ask('POST', '/collect', key.writeKey, { event: 'promised' })))
    assert.deepEqual(new Set(told.map(({ status }) => status)), new Set([202]))
    const promised = told.flatMap(({ body }) => body['ids'] as string[])
    assert.equal(await one.says('DELETE', `/apps/${deleted}`, owner), '204')
    await refused(key)
    worker = await recounts.start('append')
    await reading((log) =>
      eventually(async () => {
        const ids = new Set((await log.readApp(deleted, 0, 1_000)).map(({ eventId }) => eventId))
        return promised.every((id) => ids.has(id))
      }),
    )
    const ways = ['/analytics/event-summary', '/analytics/overview', '/events'].map((path) => `${path}?appId=${deleted}`)
    for (const at of [one, two]) {
      for (const way of [...ways, `/apps/${deleted}`]) assert.equal(await at.says('GET', way, owner), '404 not_found', way)
      for (const way of ways) assert.equal(await at.says('GET', way.split('?')[0]!, key.token), '401 key_revoked', way)
      assert.equal(await at.says('POST', '/recounts', owner, { appId: deleted, question: 'overview' }), '404 not_found')
    }
  })
})
