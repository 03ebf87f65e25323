// All read models of apps rebuilt at once (`recount replay all`) from the first so many rows of a tab-separated file, beside
// reading and parsing the same log in the same run: rate, processor time and memory, as the history grows.
// `npx tsx bench/rebuild.ts activity.tsv.gz [--rows 100000,300000,1200000] [--sqlite] --map timestamp=occurred_at,…`
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { createGunzip } from 'node:zlib'
import { openEventLog } from '../src/events/openEventLog.ts'
import { openDatabase } from '../src/kernel/database/open.ts'
import { LIMITS } from '../src/limits.ts'
import { scratchDirectory } from '../test/support/scratch.ts'
import { freshDatabase, freshSqlite, startMariadb } from '../test/support/servers.ts'
import { recount } from './support/recountCommand.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '100000,300000,1200000' },
    sqlite: { type: 'boolean', default: false },
    map: { type: 'string', default: 'timestamp=occurred_at,userId=user,metadata.path=path' },
  },
})
const [file] = positionals
if (file === undefined) throw new Error('usage: npx tsx bench/rebuild.ts activity.tsv.gz [--rows …] [--sqlite] [--map target=column,…]')

/** The file's header and its first rows, as a file of its own. */
async function firstRows(rows: number): Promise<string> {
  const path = join(scratchDirectory('bench'), `first-${rows}.tsv`)
  const out = createWriteStream(path)
  let left = rows + 1
  for await (const line of createInterface({ input: createReadStream(file!).pipe(createGunzip()) })) {
    if (left-- <= 0) break
    if (!out.write(`${line}\n`)) await once(out, 'drain')
  }
  await new Promise<void>((resolve) => out.end(resolve))
  return path
}

/** Events a second. */
async function readAndParse(databaseUrl: string): Promise<number> {
  const database = await openDatabase(databaseUrl)
  const log = await openEventLog(database, { url: databaseUrl, partitions: LIMITS.partitionsDefault })
  const from = performance.now()
  let events = 0
  let fields = 0
  for (const { partition } of await log.heads()) {
    for (let after = 0; partition > 0; ) {
      const page = await log.read(partition, after, LIMITS.readPageEvents)
      if (page.length === 0) break
      for (const { data } of page) fields += Object.keys(JSON.parse(data!) as object).length
      events += page.length
      after = page.at(-1)!.position
    }
  }
  const rate = events / ((performance.now() - from) / 1_000)
  await log.close()
  await database.close()
  if (fields === 0) throw new Error('nothing was read')
  return Math.round(rate)
}

const mariadb = values.sqlite ? undefined : await startMariadb(['--innodb-buffer-pool-size=1G', '--innodb-log-file-size=512M'])
const whole = (value: number): string => Math.round(value).toLocaleString('en')
try {
  for (const rows of values.rows.split(',').map(Number)) {
    const url = mariadb === undefined ? freshSqlite() : await freshDatabase(mariadb)
    await recount<unknown>(url, ['import', await firstRows(rows), '--create-app', 'bench', '--format', 'tsv', '--no-count', '--only-mapped', '--map', values.map])
    // The first fold fills empty tables; the second is a rebuild beside what serves.
    for (const run of ['first', 'second']) {
      const read = await readAndParse(url)
      const { result, peakMb, cpuSeconds } = await recount<{ events: number; seconds: number; eventsPerSecond: number }>(url, ['replay', 'all'])
      const { events, seconds, eventsPerSecond } = result
      const cpu = ((cpuSeconds * 1e6) / events).toFixed(1)
      console.log(`${whole(events)} events, ${run}: ${whole(eventsPerSecond)} events/s (${seconds.toFixed(1)} s; read + parse alone ${whole(read)}/s, ${(eventsPerSecond / read).toFixed(2)} of it), ${cpu} µs of processor time an event, at most ${peakMb.toFixed(0)} MB`)
    }
  }
} finally {
  await mariadb?.kill9()
}
process.exit(0)
