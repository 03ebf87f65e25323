// Sees to the programs that the suites need beside Node: taken from the environment's URLs or the PATH, installed with
// apt-get where this is root on Debian, and otherwise asked for by name. Nothing is skipped for want of a program.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const PROGRAMS = [
  { names: ['mariadbd', 'mysqld'], variable: 'TEST_MYSQL_URL', debian: ['mariadb-server-core', 'mariadb-client-core'], what: 'MariaDB 10.11+ or MySQL 8.4' },
  { names: ['redis-server', 'valkey-server'], variable: 'TEST_REDIS_URL', debian: ['redis-server'], what: 'Redis 7+' },
  { names: ['chromium', 'chromium-browser', 'google-chrome'], variable: 'TEST_CHROMIUM', debian: ['chromium'], what: 'Chromium', suites: ['e2e'] },
  { names: ['curl'], debian: ['curl'], what: 'curl', suites: ['e2e'] },
]

/** Ends the process with a message that says what to install when something is missing and cannot be had. */
export function provide(suites) {
  const missing = PROGRAMS.filter((program) => needed(program, suites) && !found(program))
  if (missing.length === 0) return
  const debian = missing.flatMap((program) => program.debian)
  if (existsSync('/etc/debian_version') && process.getuid?.() === 0) {
    process.stderr.write(`Installing ${debian.join(', ')} with apt-get\n`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    run('apt-get', ['update', '-qq'], env)
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...debian], env)
  }
  const still = missing.filter((program) => !found(program))
  if (still.length === 0) return
  process.stderr.write('The tests need programs that are not on this machine:\n')
  for (const { what, names, variable } of still) process.stderr.write(`  ${what}: put ${names.join(' or ')} on the PATH${variable === undefined ? '' : `, or set ${variable}`}\n`)
  process.stderr.write(`On Debian or Ubuntu: apt-get install ${debian.join(' ')}\n`)
  process.stderr.write('Suites that need none of them: npm test -- unit\n')
  process.exit(1)
}

function needed(program, suites) {
  const without = ['unit', 'properties']
  return program.suites === undefined ? suites.some((suite) => !without.includes(suite)) : program.suites.some((suite) => suites.includes(suite))
}

function found({ names, variable }) {
  if (variable !== undefined && process.env[variable]) return true
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/usr/local/bin']
  return names.some((name) => directories.some((directory) => executable(join(directory, name))))
}

function executable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

// Its output is noise unless it fails; a failure shows in the list of what is still missing.
function run(program, args, env) {
  const { status, stderr } = spawnSync(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
  if (status !== 0) process.stderr.write(stderr ?? '')
}
