// The ledger on the command line is of all history, however many hours that is.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openDatabase } from '../../../src/kernel/database/open.ts'
import { LIMITS } from '../../../src/limits.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const HOUR_MS = 3_600_000

describe('recount ledger after years', function () {
  this.timeout(120_000)

  it('says it all, where one answer over HTTP would have too many hours', async () => {
    const directory = scratchDirectory('years')
    const recount = async (...args: string[]): Promise<string> => (await promisify(execFile)(process.execPath, ['--import', 'tsx', MAIN, ...args], { env: { ...process.env, DATA_DIR: directory, DATABASE_URL: '' }, maxBuffer: 20_000_000 })).stdout
    const file = join(directory, 'one.jsonl')
    writeFileSync(file, '{"event":"signup","timestamp":"2026-11-01T00:00:00Z"}\n')
    await recount('import', file, '--format', 'jsonl', '--create-app', 'Site')
    await sendTwiceEveryHour(`sqlite:${join(directory, 'recount.db')}`, LIMITS.ledgerHours + 1)
    const row = (await recount('ledger')).split('\n').find((line) => line.startsWith('Site'))
    assert.deepEqual(row?.split(/\s+/).slice(1, 5), ['10,002', '10,002', '1', '10,001'])
    const { apps } = JSON.parse(await recount('ledger', '--app', 'Site', '--json')) as { apps: [{ hours: unknown[] }] }
    assert.equal(apps[0].hours.length, LIMITS.ledgerHours + 2)
    // What was typed wrongly is told, with the option that it was, and is not a ledger that disagrees.
    await assert.rejects(recount('ledger', '--from', 'garbage'), { code: 2, stderr: 'recount: A parameter is missing, unknown or malformed\n--from is no ISO 8601 date or time\n' })
  })
})

async function sendTwiceEveryHour(url: string, hours: number): Promise<void> {
  const database = await openDatabase(url)
  try {
    const { app_id, hour } = await database.knex('ledger').first<{ app_id: Uint8Array; hour: number }>('app_id', 'hour')
    const rows = Array.from({ length: hours }, (_, before) => ({ app_id: Buffer.from(app_id), hour: hour - (before + 1) * HOUR_MS, stored: 0, duplicate: 1, rejected: 0 }))
    await database.knex.batchInsert('ledger', rows, 500)
  } finally {
    await database.close()
  }
}
