// A SQLite file is shared with the command line while a server runs: SQLite's locks are the process's, and a process that closes
// any descriptor of the file loses them all; whoever closes the file next would then take the journal away under the server.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { scratchDirectory } from '../support/scratch.ts'

const OTHER_PROCESS = `
  const { openDatabase } = await import(process.argv[1])
  const database = await openDatabase(process.argv[2])
  console.log(JSON.stringify(await database.knex('kept').orderBy('number').pluck('number')))
  await database.close()`

async function seenByAnother(url: string): Promise<unknown> {
  const program = new URL('../../src/kernel/database/open.ts', import.meta.url).href
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', OTHER_PROCESS, program, url])
  return JSON.parse(stdout)
}

describe('a file that several processes use', function () {
  this.timeout(60_000)

  it('keeps its journal while a process has it open, however often that process opened it', async () => {
    const path = join(scratchDirectory('shared-file'), 'recount.db')
    const url = `sqlite:${path}`
    const first = await openDatabase(url)
    // As the thread of the projector does.
    const second = await openDatabase(url)
    await first.knex.schema.createTable('kept', (table) => table.integer('number'))
    await first.knex('kept').insert({ number: 1 })
    assert.deepEqual(await seenByAnother(url), [1])
    assert.ok(existsSync(`${path}-wal`), 'another process took the journal away')
    await first.knex('kept').insert({ number: 2 })
    assert.deepEqual(await seenByAnother(url), [1, 2])
    assert.deepEqual(await second.knex('kept').orderBy('number').pluck('number'), [1, 2])
    await second.close()
    await first.close()
    assert.deepEqual(await seenByAnother(url), [1, 2])
  })

  it('is made for its owner alone', async () => {
    const path = join(scratchDirectory('shared-file'), 'recount.db')
    await (await openDatabase(`sqlite:${path}`)).close()
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })
})
