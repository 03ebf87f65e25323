// What is printed at the start: everything that a newcomer needs, and in production nothing that a log should not keep.
import assert from 'node:assert/strict'
import { readConfig } from '../../src/config.ts'
import { firstRun } from '../../src/firstRun.ts'
import { startRecount } from '../../src/main.ts'
import { scratchDirectory } from '../support/scratch.ts'

async function printed(environment: string): Promise<{ text: string; apps: number }> {
  const directory = scratchDirectory('first')
  const env = { PORT: '0', DATA_DIR: directory, JWT_SECRET: 'x'.repeat(32), LOG_LEVEL: 'silent', NODE_ENV: environment, PARTITIONS: '1' }
  const config = readConfig(env)
  const recount = await startRecount(config)
  try {
    const text = await firstRun(recount, config)
    return { text, apps: [...recount.keyring.state.apps()].length }
  } finally {
    await recount.close()
  }
}

describe('the first run', function () {
  this.timeout(30_000)

  it('shows the owner code and an event to send with a key that works', async () => {
    const { text, apps } = await printed('development')
    assert.match(text, /Owner code {8}\S{4}-\S{4}-\S{4}-\S{4}/)
    assert.match(text, /Authorization: Bearer rk_\w{32}/)
    assert.equal(apps, 1)
  })

  it('prints no code, key or token in production, and makes no app unasked', async () => {
    const { text, apps } = await printed('production')
    assert.match(text, /^Recount is running at /)
    assert.doesNotMatch(text, /Bearer|Owner code|eyJ|rk_/)
    assert.equal(apps, 0)
  })
})
