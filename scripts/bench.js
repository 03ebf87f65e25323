// `npm run bench`: installs and builds what is missing, then runs bench/all.ts. See bench/README.md.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ensureBuilt } from './ensureBuilt.js'
import { ensureInstalled, ROOT } from './ensureInstalled.js'

ensureInstalled()
if (process.env.RECOUNT_TEST_BUILT !== '1' && !process.argv.some((argument) => ['--compare', '--help'].includes(argument))) ensureBuilt()

const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'bench/all.ts'), ...process.argv.slice(2)], {
  env: { ...process.env, RECOUNT_TEST_BUILT: '1' },
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.once('exit', (code) => (process.exitCode = code ?? 1))
