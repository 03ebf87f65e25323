// Sessions and one-time codes where processes race for them: each turn and each code is taken once, on both engines, and what
// has ended does not stay.
import assert from 'node:assert/strict'
import { createSessionStore, type SessionStore } from '../../src/commands/sessionStore.ts'
import type { Database } from '../../src/kernel/database.ts'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { sha256 } from '../../src/kernel/hashing.ts'
import { uuidv7 } from '../../src/kernel/ids.ts'
import { migrate } from '../../src/kernel/migrations.ts'
import { LIMITS } from '../../src/limits.ts'
import { freshDatabase, freshSqlite } from '../support/servers.ts'

for (const engine of ['SQLite', 'MariaDB']) {
  describe(`sessions on ${engine}`, function () {
    this.timeout(60_000)
    let databases: Database[]
    let stores: SessionStore[]
    let now = Date.now()
    before(async () => {
      const url = engine === 'SQLite' ? freshSqlite() : await freshDatabase()
      databases = [await openDatabase(url), await openDatabase(url)]
      await migrate(databases[0]!)
      stores = databases.map((database) => createSessionStore({ database, clock: { now: () => now } }))
    })
    after(() => Promise.all(databases.map((database) => database.close())))

    const begun = () => stores[0]!.begin({ sessionId: uuidv7(), accountId: uuidv7(), generation: 3 })
    /** In both processes, several times in each. */
    const together = <T>(work: (store: SessionStore) => Promise<T>): Promise<T[]> => Promise.all([...stores, ...stores, ...stores, ...stores].map(work))

    it('let one of many take a turn, and tell the others which one it is now', async () => {
      const { sessionId, accountId } = await begun()
      const all = await together((store) => store.rotate(sessionId, 0))
      const outcomes = all.map(({ outcome }) => outcome).sort()
      assert.deepEqual(outcomes, ['repeated', 'repeated', 'repeated', 'repeated', 'repeated', 'repeated', 'repeated', 'rotated'])
      for (const one of all) {
        assert.ok(one.outcome !== 'ended')
        assert.deepEqual([one.session.rotation, one.session.accountId, one.session.generation], [1, accountId, 3])
      }
    })

    it('know a copy by its age, and take no turn that is yet to come', async () => {
      const { sessionId } = await begun()
      await stores[0]!.rotate(sessionId, 0)
      assert.equal((await stores[1]!.rotate(sessionId, 2)).outcome, 'ended', 'as after the table was restored from a backup')
      now += LIMITS.refreshOverlapMs + 1
      assert.equal((await stores[1]!.rotate(sessionId, 0)).outcome, 'replayed')
      assert.equal((await stores[1]!.find(sessionId))?.rotation, 1)
      assert.equal((await stores[1]!.rotate(uuidv7(), 0)).outcome, 'ended')
    })

    it('hand a code to one of many', async () => {
      const codeHash = sha256(uuidv7())
      const code = { codeHash, challenge: sha256('challenge'), sessionId: uuidv7(), accountId: uuidv7(), generation: 1 }
      await stores[0]!.keepCode(code)
      const taken = (await together((store) => store.takeCode(codeHash))).filter((one) => one !== undefined)
      assert.equal(taken.length, 1)
      assert.deepEqual([taken[0]!.sessionId, taken[0]!.accountId, taken[0]!.generation], [code.sessionId, code.accountId, 1])
      assert.ok(Buffer.from(taken[0]!.challenge).equals(code.challenge))
    })

    it('delete what rested or lasted too long, and codes whose time is over, and nothing else', async () => {
      const resting = await begun()
      await stores[0]!.keepCode({ codeHash: sha256('old'), challenge: sha256('x'), sessionId: uuidv7(), accountId: uuidv7(), generation: 0 })
      now += LIMITS.sessionIdleMs
      const fresh = await begun()
      await stores[0]!.keepCode({ codeHash: sha256('new'), challenge: sha256('x'), sessionId: uuidv7(), accountId: uuidv7(), generation: 0 })
      assert.equal(await stores[1]!.find(resting.sessionId), undefined)
      await stores[1]!.prune()
      const kept = await databases[0]!.knex('sessions').count({ rows: '*' })
      const codes = await databases[0]!.knex('sign_in_codes').count({ rows: '*' })
      assert.deepEqual([Number(kept[0]!['rows']), Number(codes[0]!['rows'])], [1, 1])
      assert.ok(await stores[1]!.find(fresh.sessionId))
    })

    it('end one, or all of an account', async () => {
      const [one, other] = [await begun(), await begun()]
      const { sessionId } = await stores[0]!.begin({ sessionId: uuidv7(), accountId: one.accountId, generation: 3 })
      await stores[1]!.end(sessionId)
      assert.equal(await stores[0]!.find(sessionId), undefined)
      await stores[1]!.endAll(one.accountId)
      assert.equal(await stores[0]!.find(one.sessionId), undefined)
      assert.ok(await stores[0]!.find(other.sessionId))
    })
  })
}
