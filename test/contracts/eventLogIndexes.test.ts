// Reading one app goes by its index on both engines, whatever else is in its partition: asserted on the engine's own SQL.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { StoredEvent } from '../../src/events/eventLog.ts'
import { MysqlEventLog } from '../../src/events/mysqlEventLog.ts'
import { createLogPool } from '../../src/events/openEventLog.ts'
import { SqliteEventLog } from '../../src/events/sqliteEventLog.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import type { SqliteDatabase } from '../../src/kernel/database/sqlite.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { freshDatabase } from '../support/servers.ts'
import { append, neighbourOf, newEvent, openStore } from './logFixtures.ts'

class ExplainedMysql extends MysqlEventLog {
  from = ''
  values: unknown[] = []
  protected override select(from: string, values: Parameters<MysqlEventLog['select']>[1]): Promise<StoredEvent[]> {
    this.from = from
    this.values = [...values]
    return super.select(from, values)
  }

  sql = ''
  protected override prepared(sql: string, values: Parameters<MysqlEventLog['prepared']>[1]): ReturnType<MysqlEventLog['prepared']> {
    this.sql = sql
    return super.prepared(sql, values)
  }
}

class ExplainedSqlite extends SqliteEventLog {
  from = ''
  protected override select(from: string, bindings: unknown[]): Promise<StoredEvent[]> {
    this.from = from
    return super.select(from, bindings)
  }
}

describe('indexes of the log', function () {
  this.timeout(60_000)

  it('readApp and browse use the app index on MySQL, and so do find, and scan of an app that is little of its partition', async () => {
    const url = await freshDatabase()
    const store = await openStore(url)
    const log = new ExplainedMysql(createLogPool(url), store.log.partitions, systemClock, 1_000_000)
    const appId = randomUUID()
    const other = neighbourOf(log, appId)
    await append(log, Array.from({ length: 300 }, (_, index) => newEvent(index % 100 === 0 ? appId : other)))
    const keyOf = async (): Promise<unknown> => {
      const [rows] = (await store.database.knex.raw(`EXPLAIN SELECT data FROM ${log.from}`, log.values as never)) as [{ key: string }[]]
      return rows[0]!.key
    }
    assert.equal((await log.readApp(appId, 0, 10)).length, 3)
    assert.equal(await keyOf(), 'events_app_position')
    await log.browse(appId, { limit: 10 })
    assert.equal(await keyOf(), 'events_app_position')
    await log.find(appId, randomUUID())
    assert.match(String(await keyOf()), /^events_app_event$|^null$/)
    // In the table's own order where that skips little.
    for (const [id, index] of [[appId, 'events_app_position'], [other, 'PRIMARY']] as const) {
      assert.ok((await log.scan(id, 0, 100)).length > 0)
      assert.match(log.sql, new RegExp(`FORCE INDEX \\(${index}\\) WHERE`))
    }
    await log.close()
    await store.close()
  })

  it('readApp and browse use the app index on SQLite, and so does find', async () => {
    const store = await openStore(`sqlite:${join(scratchDirectory('log'), 'recount.db')}`)
    const database = store.database as SqliteDatabase
    const log = new ExplainedSqlite(database, store.log.partitions, systemClock)
    const planOf = (bindings: unknown[]): string =>
      (database.reader.prepare(`EXPLAIN QUERY PLAN SELECT data FROM ${log.from}`).all(bindings) as { detail: string }[]).map(({ detail }) => detail).join()
    const appId = randomUUID()
    await log.readApp(appId, 0, 10)
    assert.match(planOf([Buffer.alloc(16), 0, 1, 10]), /USING INDEX events_app_position \(app_id=\? AND position>\?\)$/)
    await log.browse(appId, { limit: 10 })
    assert.match(planOf([Buffer.alloc(16), 1, 10]), /USING INDEX events_app_position \(app_id=\?\)$/)
    await log.find(appId, randomUUID())
    assert.match(planOf([Buffer.alloc(16), Buffer.alloc(16)]), /USING INDEX events_app_event \(app_id=\? AND event_id=\?\)$/)
    await store.close()
  })
})
