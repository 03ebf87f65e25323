import { strict as assert } from 'node:assert'
import { execFile } from 'node:child_process'
import { Redis } from 'ioredis'
import mysql from 'mysql2/promise'
import { eventually } from '../support/eventually.ts'
import { freshDatabase, freshRedis, mariadb, startMariadb, startRedis } from '../support/servers.ts'

describe('the servers that tests run on', function () {
  this.timeout(60_000)

  it('gives MariaDB with durable commits and a fresh database each time', async () => {
    const first = await freshDatabase()
    const second = await freshDatabase()
    assert.notEqual(first, second)
    const connection = await mysql.createConnection(first)
    try {
      const [rows] = await connection.query('SELECT @@innodb_flush_log_at_trx_commit AS flush, DATABASE() AS name')
      assert.deepEqual(rows, [{ flush: 1, name: new URL(first).pathname.slice(1) }])
    } finally {
      await connection.end()
    }
  })

  it('keeps what MariaDB committed across kill -9 and restart on the same port', async () => {
    const server = await startMariadb()
    const url = await freshDatabase(server)
    const { port, pid } = server
    let connection = await mysql.createConnection(url)
    connection.on('error', () => undefined)
    await connection.query('CREATE TABLE kept (n INT)')
    await connection.query('INSERT INTO kept VALUES (7)')
    await server.kill9()
    await assert.rejects(mysql.createConnection(url))
    await server.restart()
    assert.equal(server.port, port)
    assert.notEqual(server.pid, pid)
    connection = await mysql.createConnection(url)
    const [rows] = await connection.query('SELECT n FROM kept')
    assert.deepEqual(rows, [{ n: 7 }])
    await connection.end()
    await server.stop()
  })

  it('keeps what Redis acknowledged across kill -9, and freezes and thaws', async () => {
    const server = await startRedis()
    const client = new Redis(server.url)
    client.on('error', () => undefined)
    assert.deepEqual(await client.config('GET', 'appendfsync'), ['appendfsync', 'always'])
    await client.set('kept', '7')
    await server.kill9()
    await server.restart()
    assert.equal(await eventually(() => client.get('kept')), '7')
    await server.freeze()
    const impatient = new Redis(server.url, { commandTimeout: 200, enableReadyCheck: false })
    impatient.on('error', () => undefined)
    await assert.rejects(impatient.get('kept'), /timed out/)
    impatient.disconnect()
    const answer = client.get('kept')
    server.thaw()
    assert.equal(await answer, '7')
    client.disconnect()
    await server.kill9()
  })

  it('gives an empty Redis database each time', async () => {
    const urls = [await freshRedis(), await freshRedis()]
    assert.notEqual(urls[0], urls[1])
    for (const url of urls) {
      const client = new Redis(url)
      assert.equal(await client.dbsize(), 0)
      client.disconnect()
    }
  })

  it('refuses to stop a server that was handed in', async () => {
    const { url } = await mariadb()
    const script = `import { mariadb } from './test/support/servers.ts'
      await (await mariadb()).kill9()`
    const seen = await new Promise<string>((resolve) => {
      const env = { ...process.env, TEST_MYSQL_URL: url }
      execFile(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { env }, (_error, _out, err) => resolve(err))
    })
    assert.match(seen, /TEST_MYSQL_URL is not ours to stop/)
  })
})
