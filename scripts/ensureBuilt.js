// Compiles when dist/ is missing or older than what it is made from.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './ensureInstalled.js'

const SOURCES = ['src', 'migrations', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json']
const STAMP = join(ROOT, 'dist/.built')

/** Ends the process when the sources do not compile. */
export function ensureBuilt() {
  const builtMs = existsSync(STAMP) ? statSync(STAMP).mtimeMs : 0
  if (SOURCES.every((source) => newestMs(join(ROOT, source)) <= builtMs)) return
  process.stderr.write('Building\n')
  const startedAt = new Date()
  // From nothing, so that a deleted source leaves no compiled file behind.
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true })
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: ROOT, stdio: 'inherit' })
  if (status !== 0) {
    process.stderr.write('The build failed; the compiler\'s message stands above\n')
    process.exit(1)
  }
  writeFileSync(STAMP, `${startedAt.toISOString()}\n`)
}

// Directories count too: their time moves when a file in them goes.
function newestMs(path) {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestMs(join(path, name))), stat.mtimeMs)
}
