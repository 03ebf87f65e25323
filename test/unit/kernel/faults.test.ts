// Which errors are worth another try: a wrong "deterministic" would put good events aside, a wrong "transient" would hold up
// a partition for ever.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { classifyMysql, classifySqlite } from '../../../src/kernel/database/faults.ts'
import { openDatabase } from '../../../src/kernel/database/open.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const mysqlError = (errno: number, sqlState: string, message = ''): object => ({ errno, sqlState, message, code: 'ER_X' })

describe('classification of store faults', () => {
  it('calls what passes by itself transient, on MySQL', () => {
    const passing: unknown[] = [
      mysqlError(1213, '40001'),
      mysqlError(1205, 'HY000'),
      mysqlError(1040, '08004'),
      mysqlError(1290, 'HY000', 'The server is running with the --read-only option'),
      mysqlError(1836, 'HY000'),
      mysqlError(1021, 'HY000'),
      mysqlError(1030, 'HY000', 'Got error 28 "No space left on device" from storage engine InnoDB'),
      mysqlError(1114, 'HY000'),
      mysqlError(1053, '08S01'),
      mysqlError(1927, '70100'),
      mysqlError(4031, 'HY000'),
      { code: 'ECONNREFUSED', errno: -111, fatal: true },
      { code: 'ECONNRESET', errno: -104 },
      { code: 'ETIMEDOUT' },
      { code: 'PROTOCOL_CONNECTION_LOST', fatal: true },
      { code: 'PROTOCOL_SEQUENCE_TIMEOUT' },
      { name: 'KnexTimeoutError', message: 'Knex: Timeout acquiring a connection.' },
      new Error("Can't add new command when connection is in closed state"),
    ]
    for (const error of passing) assert.equal(classifyMysql(error), 'transient', JSON.stringify(error))
  })

  it('calls what this very data causes deterministic, and the rest a defect', () => {
    for (const error of [mysqlError(1062, '23000'), mysqlError(1406, '22001'), mysqlError(1366, '22007'), mysqlError(1048, '23000'), mysqlError(1153, '08S01')]) {
      assert.equal(classifyMysql(error), 'deterministic', JSON.stringify(error))
    }
    for (const error of [mysqlError(1146, '42S02'), mysqlError(1064, '42000'), new TypeError('x is undefined'), undefined, 'text']) {
      assert.equal(classifyMysql(error), 'defect')
      assert.equal(classifySqlite(error), 'defect')
    }
  })

  it('reads codes of SQLite with their extensions', () => {
    for (const code of ['SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_FULL', 'SQLITE_IOERR_WRITE', 'SQLITE_READONLY', 'SQLITE_CANTOPEN']) {
      assert.equal(classifySqlite({ code }), 'transient', code)
    }
    for (const code of ['SQLITE_CONSTRAINT_PRIMARYKEY', 'SQLITE_CONSTRAINT_NOTNULL', 'SQLITE_TOOBIG', 'SQLITE_MISMATCH']) {
      assert.equal(classifySqlite({ code }), 'deterministic', code)
    }
    assert.equal(classifySqlite({ code: 'SQLITE_ERROR' }), 'defect')
  })

  it('knows the errors that the drivers really throw', async () => {
    await assert.rejects(openDatabase('mysql://root@127.0.0.1:1/none'), (error) => classifyMysql(error) === 'transient')
    const database = await openDatabase(`sqlite:${join(scratchDirectory('faults'), 'a.db')}`)
    await database.knex.schema.createTable('t', (table) => void table.integer('id').primary())
    await database.knex('t').insert({ id: 1 })
    await assert.rejects(database.knex('t').insert({ id: 1 }), (error) => classifySqlite(error) === 'deterministic')
    await assert.rejects(database.snapshot((trx) => trx('t').insert({ id: 2 })), (error) => classifySqlite(error) === 'transient')
    await assert.rejects(database.knex('nowhere').select(), (error) => classifySqlite(error) === 'defect')
    await assert.rejects(database.knex.raw('select ?', [{}]), TypeError)
    await database.close()
  })
})
