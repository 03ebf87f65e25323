// Starts the program as it is run in production: compiled, never through a loader that would be measured with it.
import type { RecountProcess } from '../../test/support/processes.ts'
import { ensureBuiltOnce } from './recountCommand.ts'

let start: ((role: string, env: Record<string, string>) => Promise<RecountProcess>) | undefined

export async function startBuilt(role: string, env: Record<string, string>): Promise<RecountProcess> {
  if (start === undefined) {
    ensureBuiltOnce()
    // It looks at its start whether to run what is compiled.
    const { startProcess } = await import('../../test/support/processes.ts')
    start = startProcess
  }
  return start(role, env)
}
