// `recount import` of a tab-separated file, into SQLite and into MariaDB: rows per second, processor time per row and the
// most memory it took. Counting is left out: bench/replay.ts measures that.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshDatabase, freshSqlite, startMariadb } from '../test/support/servers.ts'

const [file, ...mapping] = process.argv.slice(2)
if (file === undefined) throw new Error('usage: npx tsx bench/import.ts activity.tsv.gz [--map target=column,…]')
const ROOT = join(import.meta.dirname, '..')
if (process.env['RECOUNT_TEST_BUILT'] !== '1') execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' })

interface Summary {
  accepted: number
  bad: number
  seconds: number
  eventsPerSecond: number
}

async function measure(engine: string, databaseUrl: string): Promise<void> {
  const options = ['--create-app', 'bench', '--format', 'tsv', '--no-count', '--json', ...mapping]
  const env = { PATH: process.env['PATH'], DATABASE_URL: databaseUrl, JWT_SECRET: 'a secret of this benchmark alone, 32 bytes' }
  const child = spawn(process.execPath, [join(ROOT, 'bin/recount.js'), 'import', file!, ...options], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  let peakKb = 0
  let cpuTicks = 0
  const timer = setInterval(() => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    peakKb = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? peakKb)
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
    cpuTicks = Number(fields[11]) + Number(fields[12])
  }, 50)
  child.once('exit', () => clearInterval(timer))
  await once(child, 'close')
  const { accepted, bad, seconds, eventsPerSecond } = JSON.parse(out) as Summary
  const cpuUs = ((cpuTicks * 10_000) / accepted).toFixed(1)
  console.log(`${engine}: ${accepted} rows, ${bad} bad, ${seconds} s, ${eventsPerSecond}/s (target 30,000); ${cpuUs} µs of processor time a row; at most ${Math.round(peakKb / 1024)} MB (target under 300)`)
}

await measure('SQLite', freshSqlite())
const mariadb = await startMariadb(['--innodb-buffer-pool-size=1G', '--innodb-log-file-size=512M'])
try {
  await measure('MariaDB', await freshDatabase(mariadb))
} finally {
  await mariadb.kill9()
}
process.exit(0)
