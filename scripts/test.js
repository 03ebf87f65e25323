// `npm test`: installs, builds, provides servers, runs every suite in a mocha process of its own and ends in the line
// `N passed, N failed`. `npm test -- unit http` runs those suites; `--long` adds the test/**/*.long.ts.
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { ensureBuilt } from './ensureBuilt.js'
import { ensureInstalled, ROOT } from './ensureInstalled.js'
import { provide } from './provide.js'

// Each row is a lane. Lanes of a stage run side by side; faults measure time and kill processes, so they run alone.
const STAGES = [
  [['integration'], ['unit', 'properties', 'http', 'contracts', 'e2e']],
  [['faults']],
]
const SUITE_TIMEOUT_MS = 16 * 60_000
const LONG_SUITE_TIMEOUT_MS = 4 * 3_600_000
/** For handles that a suite left open to be noticed, after its last test. */
const EXIT_TIMEOUT_MS = 20_000

const USAGE = `npm test [-- suite … --long]
  suites    ${STAGES.flat(2).join(', ')}; all of them without a name (npm run test:faults is the suite faults)
  --long    also the test/**/*.long.ts, which take hours; output comes when a suite has ended
`

if (process.argv.includes('--help')) {
  process.stdout.write(USAGE)
  process.exit(0)
}
const strange = process.argv.slice(2).find((argument) => argument.startsWith('--') && argument !== '--long')
if (strange !== undefined) {
  process.stderr.write(`There is no option ${strange}\n${USAGE}`)
  process.exit(2)
}

const long = process.argv.includes('--long')
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const known = STAGES.flat(2)
const unknown = named.filter((suite) => !known.includes(suite))
if (unknown.length > 0) {
  process.stderr.write(`There is no suite ${unknown.join(', ')}; there are ${known.join(', ')}\n`)
  process.exit(2)
}

ensureInstalled()
const suites = known.filter((suite) => (named.length === 0 || named.includes(suite)) && files(suite).length > 0)
provide(suites)
// Compiled files are only looked at by suites that run the program as its users do.
if (suites.some((suite) => ['integration', 'e2e', 'faults'].includes(suite))) ensureBuilt()

const results = mkdtempSync(join(tmpdir(), 'recount-counts-'))
const total = { passed: 0, failed: 0 }
const running = new Set()
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const child of running) child.kill(signal)
    rmSync(results, { recursive: true, force: true })
    process.exit(130)
  })
}

for (const lanes of STAGES) await Promise.all(lanes.map(runLane))
rmSync(results, { recursive: true, force: true })
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1

async function runLane(lane) {
  for (const suite of lane) {
    if (!suites.includes(suite)) continue
    const startedAt = Date.now()
    const { passed, failed, output } = await runSuite(suite)
    total.passed += passed
    total.failed += failed
    const seconds = Math.round((Date.now() - startedAt) / 1_000)
    process.stdout.write(`\n── ${suite}: ${passed} passed, ${failed} failed, ${seconds} s ──\n${output}\n`)
  }
}

function runSuite(suite) {
  const counts = join(results, `${suite}.json`)
  const mocha = join(ROOT, 'node_modules/mocha/bin/mocha.js')
  const child = spawn(process.execPath, [mocha, '--reporter', join(ROOT, 'scripts/countingReporter.cjs'), ...files(suite)], {
    cwd: ROOT,
    env: { ...process.env, RECOUNT_TEST_COUNTS: counts, RECOUNT_TEST_BUILT: '1', NODE_ENV: 'test' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  let complaint = ''
  const stop = (words) => {
    complaint = words
    child.kill('SIGKILL')
  }
  const limit = setTimeout(() => stop('it took too long'), long ? LONG_SUITE_TIMEOUT_MS : SUITE_TIMEOUT_MS)
  // The counts are written after the last test; a process that stays after that has something open.
  let endedAt
  const watch = setInterval(() => {
    if (!existsSync(counts)) return
    endedAt ??= Date.now()
    if (Date.now() - endedAt > EXIT_TIMEOUT_MS) stop('it did not end after its last test: something is left open')
  }, 500)
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  return new Promise((resolve) => {
    child.once('close', (code) => {
      clearTimeout(limit)
      clearInterval(watch)
      running.delete(child)
      const { passed, failed } = existsSync(counts) ? JSON.parse(readFileSync(counts, 'utf8')) : { passed: 0, failed: 0 }
      // Whatever mocha itself found wrong is a failure even when no test says so.
      if (complaint === '' && code !== 0 && failed === 0) complaint = `mocha ended with ${code ?? 'a signal'}`
      if (complaint !== '') output += `\n${suite}: ${complaint}\n`
      resolve({ passed, failed: failed + (complaint === '' ? 0 : 1), output })
    })
  })
}

function files(suite) {
  const endings = long ? ['.test.ts', '.long.ts'] : ['.test.ts']
  const directory = join(ROOT, 'test', suite)
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort()
}
