// The order of two threads' transactions on one SQLite file: who answers clients is let in before whoever can wait takes the lock
// again, and a failure or a rollback gives the turn back as a commit does; and who can wait waits the less, the further behind it is.
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { openSqlite, type SqliteDatabase } from '../../../src/kernel/database/sqlite.ts'
import { FirstTurns, newTurns, SecondTurns } from '../../../src/kernel/database/writeTurns.ts'
import { eventually } from '../../support/eventually.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const ROUNDS = 20
const HELD_MS = 30

describe('turns at the write lock of a file', function () {
  this.timeout(30_000)
  let first: SqliteDatabase
  let second: SqliteDatabase

  before(async () => {
    const path = `${scratchDirectory('turns')}/turns.db`
    first = await openSqlite(path)
    second = await openSqlite(path, { rewritable: true, turns: first.turns })
    await first.knex.schema.createTable('wrote', (table) => {
      table.increments('at')
      table.text('who')
    })
  })
  after(async () => {
    await second.close()
    await first.close()
  })

  const waiting = (): number => Atomics.load(new Int32Array(first.turns), 0)
  const write = (database: SqliteDatabase, who: string): Promise<unknown> => database.knex.transaction((trx) => trx('wrote').insert({ who }))
  /** Holds the lock, in the second's name, until the first waits for it. */
  const hold = (end: 'commit' | 'rollback'): { readonly taken: Promise<void>; readonly ended: Promise<void> } => {
    const refused = new Error('refused')
    let ended: Promise<void> | undefined
    const taken = new Promise<void>((resolve) => {
      const holding = second.knex.transaction(async (trx) => {
        await trx('wrote').insert({ who: 'holder' })
        resolve()
        await eventually(() => waiting() === 1, { everyMs: 1 })
        if (end === 'rollback') throw refused
      })
      ended = holding.catch((error: unknown) => assert.equal(error, refused))
    })
    return { taken, ended: ended! }
  }

  for (const end of ['commit', 'rollback'] as const) {
    it(`goes to who answers clients, who has waited, and not back to who held it (after a ${end})`, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await first.knex('wrote').delete()
        const { taken, ended } = hold(end)
        await taken
        await Promise.all([write(first, 'first'), ended.then(() => write(second, 'second'))])
        const wrote = await first.knex('wrote').orderBy('at').pluck('who')
        assert.deepEqual(wrote.filter((who) => who !== 'holder'), ['first', 'second'], `round ${round}`)
        assert.equal(waiting(), 0)
      }
    })
  }

  it('is kept off for longer than it was held, but not for as long once it is behind', async () => {
    const kept = async (behindMs: number): Promise<number> => {
      const shared = newTurns()
      const [others, own] = [new FirstTurns(shared), new SecondTurns(shared)]
      own.behind(behindMs)
      await own.come()
      own.begin()
      await Promise.all([pause(HELD_MS), others.come()])
      own.end()
      const ended = performance.now()
      await own.come()
      return performance.now() - ended
    }
    const [atHead, behind] = [await kept(0), await kept(60_000)]
    assert.ok(atHead >= 3 * HELD_MS, `${atHead} ms at the head`)
    assert.ok(behind >= HELD_MS && behind < atHead, `${behind} ms behind, ${atHead} ms at the head`)
  })
})
