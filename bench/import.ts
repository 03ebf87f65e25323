// `recount import` of a tab-separated file, into SQLite and into MariaDB: rows per second, processor time per row and the
// most memory it took. Counting is left out: bench/replay.ts measures that.
import { freshDatabase, freshSqlite, startMariadb } from '../test/support/servers.ts'
import { recount } from './support/recountCommand.ts'

const [file, ...mapping] = process.argv.slice(2)
if (file === undefined) throw new Error('usage: npx tsx bench/import.ts activity.tsv.gz [--map target=column,…]')

interface Summary {
  accepted: number
  bad: number
  seconds: number
  eventsPerSecond: number
}

async function measure(engine: string, databaseUrl: string): Promise<void> {
  const { result, cpuSeconds, peakMb } = await recount<Summary>(databaseUrl, ['import', file!, '--create-app', 'bench', '--format', 'tsv', '--no-count', ...mapping])
  const { accepted, bad, seconds, eventsPerSecond } = result
  const cpuUs = ((cpuSeconds * 1e6) / accepted).toFixed(1)
  console.log(`${engine}: ${accepted} rows, ${bad} bad, ${seconds} s, ${eventsPerSecond}/s (target 30,000); ${cpuUs} µs of processor time a row; at most ${Math.round(peakMb)} MB (target under 300)`)
}

await measure('SQLite', freshSqlite())
const mariadb = await startMariadb(['--innodb-buffer-pool-size=1G', '--innodb-log-file-size=512M'])
try {
  await measure('MariaDB', await freshDatabase(mariadb))
} finally {
  await mariadb.kill9()
}
process.exit(0)
