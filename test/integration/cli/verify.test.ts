// `recount verify` of a log that somebody has changed so that it cannot even be read.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../../src/cli/program.ts'
import { openStore } from '../../contracts/logFixtures.ts'
import { scratchDirectory } from '../../support/scratch.ts'

describe('recount verify', function () {
  this.timeout(30_000)
  const directory = scratchDirectory('verify')
  const url = `sqlite:${join(directory, 'recount.db')}`
  const { DATABASE_URL: configured } = process.env
  const { log } = console

  afterEach(() => {
    console.log = log
    if (configured === undefined) delete process.env.DATABASE_URL
    else process.env.DATABASE_URL = configured
  })

  it('says what it found of a log whose rows cannot be read, and that it cannot be folded', async () => {
    process.env.DATABASE_URL = url
    const out: string[] = []
    console.log = (text: string) => void out.push(text)
    const file = join(directory, 'events.jsonl')
    writeFileSync(file, '{"event":"a","anonymousId":"x","timestamp":"2026-11-01T00:00:01Z"}\n{"event":"a","anonymousId":"y","timestamp":"2026-11-01T00:00:02Z"}\n')
    assert.equal(await run(['node', 'recount', 'import', file, '--format', 'jsonl', '--create-app', 'A']), 0)
    const store = await openStore(url)
    try {
      const [first] = await store.database.knex<{ stream: unknown; event_id: Buffer }>('events').whereNull('stream').select('event_id')
      await store.database.knex('events').where('event_id', first!.event_id).update({ app_id: Buffer.of(1) })
    } finally {
      await store.close()
    }
    assert.equal(await run(['node', 'recount', 'verify']), 1)
    const said = out.at(-1)!
    assert.match(said, /^ledger .*DIFFERENT\n {2}app \S+: 2 events counted as stored, 1 in the log$/m)
    assert.match(said, /^eventSummary 0 rows: DIFFERENT\n {2}the log cannot be folded: .+$/m)
    assert.match(said, /^apps +\d+ rows: equal to a fresh fold$/m)
    assert.match(said, /Something is wrong; see above\.$/)
  })
})
