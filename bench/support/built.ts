// Starts the program as it is run in production: compiled, never through a loader that would be measured with it.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { RecountProcess } from '../../test/support/processes.ts'

const ROOT = join(import.meta.dirname, '../..')
let start: ((role: string, env: Record<string, string>) => Promise<RecountProcess>) | undefined

export async function startBuilt(role: string, env: Record<string, string>): Promise<RecountProcess> {
  if (start === undefined) {
    if (process.env['RECOUNT_TEST_BUILT'] !== '1') execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' })
    process.env['RECOUNT_TEST_BUILT'] = '1'
    const { startProcess } = await import('../../test/support/processes.ts')
    start = startProcess
  }
  return start(role, env)
}
