// Faults of the log's MariaDB: gone, frozen, read-only, full, out of connections, and rivals that lock what an append or a fold
// needs, in the order that makes a deadlock or for longer than anybody waits.
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { eventually } from '../../support/eventually.ts'
import type { Fault } from '../support/fault.ts'
import { between, errnoOf, INNODB_LOOK_MS, lasting, session, withSession } from './harm.ts'

const NO_MORE_CONNECTIONS = 1040
const DEADLOCK = 1213
const TABLE_FULL = new Set([1021, 1030, 1114])
/** What a rival has written weighs more than any append: the server ends the lighter of two that wait for each other. */
const WEIGHT_ROWS = 20_000
const DEADLOCK_TRIES = 20

const killed: Fault = {
  name: 'MariaDB: kill -9, and again on its data',
  hits: 'mariadb',
  async inject({ mariadb, random }) {
    const awayMs = between(random, 100, 5_000)
    await mariadb.kill9()
    await lasting(awayMs)
    await mariadb.restart()
  },
}

const stopped: Fault = {
  name: 'MariaDB: stopped, and started again',
  hits: 'mariadb',
  async inject({ mariadb, random }) {
    const awayMs = between(random, 100, 5_000)
    await mariadb.stop()
    await lasting(awayMs)
    await mariadb.restart()
  },
}

function frozen(words: string, leastMs: number, mostMs: number): Fault {
  return {
    name: `MariaDB: frozen ${words}, and thawed`,
    hits: 'mariadb',
    async inject({ mariadb, random }) {
      const frozenMs = between(random, leastMs, mostMs)
      await mariadb.freeze()
      await lasting(frozenMs)
      mariadb.thaw()
    },
  }
}

const readOnly: Fault = {
  name: 'MariaDB: read-only, and writable again',
  hits: 'mariadb',
  async inject({ databaseUrl, random }) {
    const lastsMs = between(random, 1_000, 6_000)
    await withSession(databaseUrl, async (rival) => {
      await rival.query('SET GLOBAL read_only = ON')
      try {
        await lasting(lastsMs)
      } finally {
        await rival.query('SET GLOBAL read_only = OFF')
      }
    })
  },
}

const connectionsKilled: Fault = {
  name: 'MariaDB: every connection killed, again and again',
  hits: 'mariadb',
  async inject({ databaseUrl, random }) {
    const rounds = between(random, 1, 12)
    await withSession(databaseUrl, async (rival) => {
      for (let round = 0; round < rounds; round++) {
        await killOthers(rival)
        await lasting(200)
      }
    })
  },
}

const noConnections: Fault = {
  name: 'MariaDB: max_connections reached by others',
  hits: 'mariadb',
  async inject({ databaseUrl, random }) {
    const lastsMs = between(random, 1_000, 6_000)
    const rivals: Connection[] = []
    const takeAll = async (): Promise<void> => {
      for (;;) {
        const rival = await session(databaseUrl).catch((error: unknown) => {
          if (errnoOf(error) === NO_MORE_CONNECTIONS) return undefined
          throw error
        })
        if (rival === undefined) return
        rivals.push(rival)
      }
    }
    try {
      await takeAll()
      // Whoever had a connection loses it, and finds none.
      await killOthers(rivals[0]!)
      const until = performance.now() + lastsMs
      while (performance.now() < until) {
        await takeAll()
        await lasting(10)
      }
    } finally {
      for (const rival of rivals) rival.destroy()
    }
  },
}

/** Of everybody but this user. */
async function killOthers(rival: Connection): Promise<void> {
  const [rows] = await rival.query<RowDataPacket[]>("SELECT id FROM information_schema.processlist WHERE user = 'plain'")
  for (const { id } of rows as { id: number }[]) {
    // It may have ended by itself.
    await rival.query(`KILL CONNECTION ${id}`).catch(() => undefined)
  }
}

const lockWait: Fault = {
  name: 'MariaDB: a rival holds the heads for longer than anybody waits',
  hits: 'mariadb',
  async inject({ databaseUrl, random }) {
    const [heldMs, all] = [between(random, 5_500, 8_000), random.int(2) === 1]
    await withSession(databaseUrl, async (rival) => {
      const busiest = 'SELECT `partition` FROM heads WHERE `partition` > 0 ORDER BY position DESC LIMIT 1'
      const [[head]] = await rival.query<RowDataPacket[]>(busiest)
      await rival.query('BEGIN')
      await rival.query(`SELECT position FROM heads ${all ? '' : 'WHERE `partition` = ?'} FOR UPDATE`, all ? [] : [(head as { partition: number }).partition])
      await lasting(heldMs)
      await rival.query('ROLLBACK')
    })
  },
}

/** `first` is what the victim needs last, `then` what it holds first. */
function deadlock(victim: string, first: string, then: string): Fault {
  return {
    name: `MariaDB: a rival's deadlock with ${victim}`,
    hits: 'mariadb',
    async inject(world) {
      await withSession(world.databaseUrl, async (rival) => {
        await rival.query('CREATE DATABASE IF NOT EXISTS rival')
        await rival.query('CREATE TABLE IF NOT EXISTS rival.weight (id INT NOT NULL)')
        const rows = Array.from({ length: WEIGHT_ROWS }, (_, id) => `(${id})`).join()
        const began = await deadlocks(rival)
        for (let tries = 1; (await deadlocks(rival)) === began; tries++) {
          if (tries > DEADLOCK_TRIES) throw new Error(`no deadlock with ${victim} in ${DEADLOCK_TRIES} tries`)
          await rival.query(`BEGIN;INSERT INTO rival.weight VALUES ${rows}`)
          try {
            await rival.query(first)
            await somebodyWaits(rival)
            await rival.query(then)
          } catch (error) {
            // It was the rival that was ended: nobody was harmed, and this was none.
            if (errnoOf(error) !== DEADLOCK) throw error
            world.say('the rival itself was the victim')
          } finally {
            await rival.query('ROLLBACK')
          }
        }
      })
    },
  }
}

async function deadlocks(rival: Connection): Promise<number> {
  const [[row]] = await rival.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
  if (row === undefined) throw new Error('this server does not count its deadlocks')
  return Number((row as { Value: string }).Value)
}

/** Or nobody comes for what is locked; then the next try may find somebody. */
async function somebodyWaits(rival: Connection): Promise<void> {
  const waiting = async (): Promise<boolean> => {
    const [rows] = await rival.query<RowDataPacket[]>("SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT' LIMIT 1")
    return rows.length > 0
  }
  await eventually(waiting, { timeoutMs: 2_000, everyMs: INNODB_LOOK_MS }).catch(() => undefined)
}

const FULL_AT_LEAST_MS = 1_000
const FULL_AT_MOST_MS = 15_000

const diskFull: Fault = {
  name: 'MariaDB: its disk full, and freed',
  hits: 'mariadb',
  async inject(world) {
    const { disk } = world.mariadb
    if (disk === undefined) throw new Error('this MariaDB lies on no small disk that could be filled')
    const lastsMs = between(world.random, FULL_AT_LEAST_MS, 4_000)
    const refusals = (): number => world.processes().reduce((sum, process) => sum + process.log().split('is full').length - 1, 0)
    const before = refusals()
    const table = 'CREATE DATABASE IF NOT EXISTS rival;CREATE TABLE IF NOT EXISTS rival.filler (body VARCHAR(1000))'
    await withSession(world.databaseUrl, (rival) => rival.query(table))
    try {
      await disk.fill()
      await withSession(world.databaseUrl, fillTables)
      // The tables have room for a moment, as on any disk.
      await eventually(() => refusals() > before, { timeoutMs: FULL_AT_MOST_MS, everyMs: 100 }).catch(() => world.say('nobody ran out of room'))
      await lasting(lastsMs)
    } finally {
      await disk.free()
      // InnoDB ends itself where a large value finds no room; whoever watches over it starts it again.
      await withSession(world.databaseUrl, (rival) => rival.query('DROP TABLE IF EXISTS rival.filler')).catch(async () => {
        world.say('MariaDB ended on the full disk')
        await world.mariadb.restart()
      })
    }
  },
}

/** Small rows only: those a full disk refuses, large ones make InnoDB end itself. */
async function fillTables(rival: Connection): Promise<void> {
  const rows = Array.from({ length: 200 }, () => "(REPEAT('x', 1000))").join()
  for (let tries = 0; tries < 500; tries++) {
    const refused = await rival.query(`INSERT INTO rival.filler VALUES ${rows}`).then(() => undefined, errnoOf)
    if (refused !== undefined && TABLE_FULL.has(refused)) return
  }
  throw new Error('the disk is full and takes more')
}

export const MARIADB_FAULTS: readonly Fault[] = [
  killed,
  stopped,
  frozen('for less than a session may rest', 500, 4_500),
  frozen('for longer than a statement may take', 16_000, 18_000),
  readOnly,
  connectionsKilled,
  noConnections,
  lockWait,
  deadlock('an append', 'SELECT hour FROM ledger FOR UPDATE', 'SELECT position FROM heads WHERE `partition` > 0 FOR UPDATE'),
  deadlock('a fold', 'SELECT day FROM event_summary_days FOR UPDATE', 'SELECT position FROM projection_checkpoints FOR UPDATE'),
  diskFull,
]
