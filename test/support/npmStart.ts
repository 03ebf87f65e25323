// Recount started as a newcomer starts it, on a database of its own.
import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { eventually } from './eventually.ts'

const ROOT = join(import.meta.dirname, '../..')

export interface Started {
  readonly pid: number
  /** Everything on standard output so far. */
  output(): string
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number | null>
}

export async function npmStart(port: number, dataDir: string, ...args: string[]): Promise<Started> {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: String(port), DATA_DIR: dataDir, LOG_LEVEL: 'warn' }
  const child = spawn(process.execPath, [join(ROOT, 'scripts/start.js'), ...args], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  await eventually(() => child.exitCode !== null || output.includes('Recount is running at '), { timeoutMs: 120_000 })
  assert.equal(child.exitCode, null, errors)
  return {
    pid: child.pid!,
    output: () => output,
    stop: () => {
      child.kill('SIGTERM')
      return exited
    },
  }
}
