// Engines with the head lock taken out, to prove that the suite would notice. `Unlocked` reads the head without locking it;
// `Reserving` hands out positions before the transaction commits, as AUTO_INCREMENT does.
import type { PoolConnection, RowDataPacket } from 'mysql2/promise'
import { type Plan, planAppend } from '../../src/events/appendPlan.ts'
import type { Append, EventLog, Head } from '../../src/events/eventLog.ts'
import { writeSql } from '../../src/events/mysqlAppend.ts'
import { MysqlEventLog } from '../../src/events/mysqlEventLog.ts'
import { createLogPool, packetBytes } from '../../src/events/openEventLog.ts'
import { SqliteEventLog } from '../../src/events/sqliteEventLog.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import type { SqliteDatabase } from '../../src/kernel/database/sqlite.ts'
import type { Store } from './logFixtures.ts'

const PACKET_BYTES = 1_000_000

type Closable = EventLog & { close(): Promise<void> }

class UnlockedMysql extends MysqlEventLog {
  protected override headLock(): string {
    return ''
  }
}

class UnlockedSqlite extends SqliteEventLog {
  protected override async transaction(append: Append): Promise<Plan> {
    const head = await this.head(append.partition)
    return writeSqlite(this.store, append, planOf(append, head), this)
  }

  constructor(private readonly store: SqliteDatabase, partitions: number) {
    super(store, partitions, systemClock)
  }

  write(handle: Parameters<SqliteEventLog['writePlan']>[0], partition: number, plan: Plan): void {
    this.writePlan(handle, partition, plan)
  }
}

class ReservingMysql extends MysqlEventLog {
  constructor(
    pool: ReturnType<typeof createLogPool>,
    partitions: number,
    private readonly beforeCommit: () => Promise<void>,
  ) {
    super(pool, partitions, systemClock, PACKET_BYTES)
  }

  protected override async transaction(connection: PoolConnection, append: Append): Promise<Plan> {
    const { partition } = append
    const reserve = `UPDATE heads SET position = LAST_INSERT_ID(position) + ${countOf(append)} WHERE \`partition\` = ${partition}`
    const [sets] = await connection.query<RowDataPacket[][]>(`${reserve}; SELECT LAST_INSERT_ID() AS reserved`)
    const head = { ...emptyHead(partition), position: Number(sets[1]![0]!.reserved) }
    const plan = planOf(append, head)
    const [insert] = writeSql(partition, plan, PACKET_BYTES)
    await connection.query(`START TRANSACTION; ${insert!}`)
    await this.beforeCommit()
    await connection.query('COMMIT')
    return plan
  }
}

class ReservingSqlite extends UnlockedSqlite {
  constructor(
    private readonly reserveIn: SqliteDatabase,
    partitions: number,
    private readonly beforeCommit: () => Promise<void>,
  ) {
    super(reserveIn, partitions)
  }

  protected override async transaction(append: Append): Promise<Plan> {
    const { partition } = append
    const reserved = await this.reserveIn.write((handle) => {
      const [row] = handle.prepare('SELECT position FROM heads WHERE `partition` = ?').all([partition]) as [{ position: number }]
      handle.prepare('UPDATE heads SET position = position + ? WHERE `partition` = ?').run([countOf(append), partition])
      return row.position
    })
    const plan = planOf(append, { ...emptyHead(partition), position: reserved })
    await this.beforeCommit()
    return writeSqlite(this.reserveIn, append, { ...plan, head: await this.head(partition) }, this)
  }
}

export async function unlocked({ database, log, url }: Store): Promise<Closable> {
  if (database.engine === 'sqlite') return new UnlockedSqlite(database as SqliteDatabase, log.partitions)
  const pool = createLogPool(url)
  return new UnlockedMysql(pool, log.partitions, systemClock, await packetBytes(pool))
}

export function reserving({ database, log, url }: Store, beforeCommit: () => Promise<void>): Closable {
  if (database.engine === 'sqlite') return new ReservingSqlite(database as SqliteDatabase, log.partitions, beforeCommit)
  return new ReservingMysql(createLogPool(url), log.partitions, beforeCommit)
}

function writeSqlite(database: SqliteDatabase, { partition }: Append, plan: Plan, log: UnlockedSqlite): Promise<Plan> {
  return database.write((handle) => {
    log.write(handle, partition, plan)
    return plan
  })
}

function planOf(append: Append, head: Head): Plan {
  return planAppend(append, { head, positions: new Map(), versions: new Map(), delivered: new Set(), refused: new Map() }, Date.now())
}

function emptyHead(partition: number): Head {
  return { partition, position: 0, recordedAt: 0, hash: Buffer.alloc(32) }
}

function countOf({ packs }: Append): number {
  return packs.reduce((sum, { events }) => sum + events.length, 0)
}
