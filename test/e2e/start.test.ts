// `npm start` as a newcomer meets it: what it prints pastes into a shell as it is, it is small when idle, it ends in order,
// and it comes back with what it had.
import { strict as assert } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../support/eventually.ts'
import { npmStart } from '../support/npmStart.ts'
import type { Started } from '../support/npmStart.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { freePort } from '../support/serverProcess.ts'

const running: Started[] = []

async function start(...args: Parameters<typeof npmStart>): Promise<Started> {
  const started = await npmStart(...args)
  running.push(started)
  return started
}

/** What a person would mark and copy: from "curl" to the end of its last continued line. */
function commandsIn(output: string): string[] {
  return [...output.matchAll(/^ *(curl (?:.*\\\n)*.*)$/gm)].map(([, command]) => command!)
}

function paste(command: string): Record<string, unknown> {
  return JSON.parse(execFileSync('/bin/sh', ['-c', command.replace('curl ', 'curl -sS ')], { encoding: 'utf8' })) as Record<string, unknown>
}

function residentMegabytes(pid: number): number {
  const status = `/proc/${pid}/status`
  const kilobytes = existsSync(status)
    ? /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(status, 'utf8'))?.[1]
    : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  return Number(kilobytes) / 1_024
}

describe('npm start', function () {
  this.timeout(240_000)
  const dataDir = join(scratchDirectory('start'), 'data')
  let port: number

  before(async () => {
    port = await freePort()
  })

  afterEach(async () => {
    for (const started of running.splice(0)) await started.stop()
  })

  it('prints where it is, the owner code, and commands that paste as they are', async () => {
    const first = await start(port, dataDir)
    assert.match(first.output(), new RegExp(`Recount is running at http://localhost:${port}\n`))
    assert.match(first.output(), /Owner code +\S{12,}/)
    const [collect, read] = commandsIn(first.output())
    assert.equal(paste(collect!)['accepted'], 1)
    const summary = await eventually(() => {
      const answer = paste(read!)
      return answer['count'] === 1 ? answer : undefined
    })
    assert.equal(summary['uniqueUsers'], 1)
    // At rest: what answering took is given back a while after.
    const idle = (): void => assert.ok(residentMegabytes(first.pid) < 150, `idle at ${residentMegabytes(first.pid)} MB`)
    await eventually(() => (idle(), true), { timeoutMs: 60_000, everyMs: 500 })
    assert.equal(await first.stop(), 0)
  })

  it('comes back with what it had, and prints the same commands', async () => {
    const again = await start(port, dataDir)
    const [collect, read] = commandsIn(again.output())
    assert.equal(paste(read!)['count'], 1)
    assert.equal(paste(collect!)['accepted'], 1)
    await eventually(() => paste(read!)['count'] === 2)
  })

  it('--demo loads a real excerpt, whole days back, and ends yesterday', async () => {
    const demo = await start(port, join(scratchDirectory('demo'), 'data'), '--demo')
    await eventually(() => /ending yesterday/.test(demo.output()), { timeoutMs: 60_000 })
    assert.match(demo.output(), /[1-9]\d* new events/)
    await eventually(() => commandsIn(demo.output()).length === 3)
    // 20 May 2015 is yesterday now, and the excerpt ends with it.
    await eventually(() => Number(paste(commandsIn(demo.output())[2]!)['uniqueUsers']) > 100, { timeoutMs: 60_000 })
  })
})
