// `recount heads` and `recount verify --heads` as an operator runs them: published daily, checked later.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NoHeads, readHeads } from '../../../src/events/publishedHeads.ts'
import { run } from '../../../src/cli/program.ts'
import { append, newEvent, openStore } from '../../contracts/logFixtures.ts'
import { scratchDirectory } from '../../support/scratch.ts'

describe('recount heads', function () {
  this.timeout(30_000)
  const directory = scratchDirectory('heads')
  const url = `sqlite:${join(directory, 'recount.db')}`
  const file = join(directory, 'published.txt')
  const { DATABASE_URL: configured } = process.env
  let out: string[] = []
  const { log, error } = console

  beforeEach(() => {
    process.env.DATABASE_URL = url
    out = []
    console.log = (text: string) => void out.push(text)
    console.error = (text: string) => void out.push(text)
  })
  afterEach(() => {
    Object.assign(console, { log, error })
    if (configured === undefined) delete process.env.DATABASE_URL
    else process.env.DATABASE_URL = configured
  })

  const recount = (...words: string[]): Promise<number> => run(['node', 'recount', ...words])

  it('prints what verify --heads proves later, day by day in one file; history from before its first head that fails is proven', async () => {
    const store = await openStore(url)
    const appId = randomUUID()
    try {
      for (let day = 0; day < 3; day++) {
        await append(store.log, [newEvent(appId), newEvent(appId)])
        assert.equal(await recount('heads'), 0)
        writeFileSync(file, out.join('\n'))
      }
      assert.equal(out.length, 3)
      assert.equal(await recount('heads', '--json', '--out', join(directory, 'heads.json')), 0)
      assert.equal(await recount('verify', '--log-only', '--heads', join(directory, 'heads.json')), 0)
      assert.equal(await recount('verify', '--log-only', '--json', '--heads', file), 0)
      const { heads } = JSON.parse(out.at(-1)!) as { heads: { events: number; differences: unknown[] }[] }
      assert.deepEqual(heads.map(({ events, differences }) => [events, differences]), [[2, []], [4, []], [6, []]])
      // As after a restore of a backup that is older than what was published.
      const partition = store.log.partitionOf(appId)
      await store.database.knex('events').where('partition', partition).where('position', '>', 4).delete()
      const marks = store.database.knex<{ hash: Buffer; first_position: number }>('appends').where('partition', partition)
      await marks.clone().where('first_position', '>', 4).delete()
      const mark = await marks.clone().where('first_position', 3).first()
      await store.database.knex<{ partition: number; position: number; hash: Buffer }>('heads').where('partition', partition).update({ position: 4, hash: mark!.hash })
      assert.equal(await recount('verify', '--log-only', '--heads', file), 1)
      const said = out.at(-1)!
      assert.match(said, /published {4}\S+, 4 events: as they were then\npublished {4}\S+, 6 events: NOT AS THEY WERE THEN\n {2}partition \d, position 6: the log ends at position 4/)
    } finally {
      await store.close()
    }
  })

  it('takes no text without heads, and none that is damaged', () => {
    const line = readFileSync(file, 'utf8').split('\n')[0]!
    assert.equal(readHeads(line).length, 1)
    for (const text of ['nothing', '{"at":1}', line.slice(0, -1), line.replace(/:2:/, ':3:')]) assert.throws(() => readHeads(text), NoHeads, text)
  })
})
