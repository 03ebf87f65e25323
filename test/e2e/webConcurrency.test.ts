// Several API processes on one port end as one does: at SIGTERM in good order, with exit code 0 and without waiting to be forced.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { startProcess } from '../support/processes.ts'
import { freePort } from '../support/serverProcess.ts'
import { freshDatabase, freshRedis } from '../support/servers.ts'

describe('WEB_CONCURRENCY', function () {
  this.timeout(90_000)

  it('ends parent and children at SIGTERM', async () => {
    const [DATABASE_URL, REDIS_URL, port] = [await freshDatabase(), await freshRedis(), await freePort()]
    const secrets = { JWT_SECRET: randomBytes(32).toString('hex'), OWNER_CODE: randomBytes(12).toString('hex') }
    const several = await startProcess('api', { DATABASE_URL, REDIS_URL, ...secrets, ALLOW_UNSAFE_STORES: '1', PORT: String(port), WEB_CONCURRENCY: '2' })
    assert.equal((await fetch(`http://127.0.0.1:${port}/health/live`)).status, 200)
    assert.equal(await several.stop(), 0, several.log())
    assert.doesNotMatch(several.log(), /draining took too long/)
  })
})
