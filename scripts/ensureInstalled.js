// Installs the dependencies when node_modules is missing or is not what package-lock.json says, so that `npm start` and
// `npm test` work on a fresh clone and after a pull. It is run before there are dependencies: Node's own modules only.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '')

/** Ends the process with a message when this cannot be done. */
export function ensureInstalled() {
  refuseOldNode()
  const missing = firstDifference()
  if (missing === undefined) return
  process.stderr.write(`Installing dependencies (${missing})\n`)
  // Under npm its own file is known, which also works where `npm` is a script that cannot be spawned.
  const [program, ...before] = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm']
  // NODE_ENV=production would leave out what the build needs.
  const { status, error } = spawnSync(program, [...before, 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (error !== undefined) fail(`npm could not be run: ${error.message}`)
  if (status !== 0) fail('npm ci failed; its message stands above')
}

/** What differs, in words, or undefined when everything is in place. By content: times do not survive a checkout. */
function firstDifference() {
  const installedFile = join(ROOT, 'node_modules/.package-lock.json')
  if (!existsSync(installedFile)) return 'node_modules is missing'
  const wanted = packages(join(ROOT, 'package-lock.json'))
  const installed = packages(installedFile)
  for (const [path, { version, optional }] of Object.entries(wanted)) {
    if (path === '') continue
    const found = installed[path]
    // Optional packages are mostly those of other platforms.
    if (found === undefined && optional) continue
    if (found?.version !== version) return `${path.slice('node_modules/'.length)} ${version} is not installed`
  }
  return undefined
}

function packages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages
}

function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) fail(`Recount needs Node 20.19 or newer; this is ${process.version}`)
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) ensureInstalled()
