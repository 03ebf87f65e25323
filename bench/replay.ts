// How fast eventSummary is rebuilt from the log, next to reading the same rows and to reading and parsing them, in one run.
// `npx tsx bench/replay.ts [--events 1000000] [--sqlite] [--projection userStats]`
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { openEventLog } from '../src/events/openEventLog.ts'
import { openDatabase } from '../src/kernel/database/open.ts'
import { silentLogger } from '../src/kernel/logger.ts'
import { migrate } from '../src/kernel/migrations.ts'
import { LIMITS } from '../src/limits.ts'
import { PROJECTIONS } from '../src/projections/all.ts'
import { replay } from '../src/projections/replay.ts'
import { freshDatabase, stopSharedServers } from '../test/support/servers.ts'
import { scratchDirectory } from '../test/support/scratch.ts'
import { seedMonth } from './seed.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    visitors: { type: 'string', default: '50000' },
    sqlite: { type: 'boolean', default: false },
    projection: { type: 'string', default: 'eventSummary' },
    runs: { type: 'string', default: '3' },
  },
})
const events = Number(values.events)
const url = values.sqlite ? `sqlite:${scratchDirectory('bench')}/recount.db` : await freshDatabase()
const database = await openDatabase(url)
await migrate(database)
const log = await openEventLog(database, { url, partitions: 8 })
const projection = PROJECTIONS.find(({ name }) => name === values.projection)
if (projection === undefined) throw new Error(`no projection ${values.projection}`)

/** Where other programs share the machine, CPU time tells more than the clock does. */
const timed = async (what: string, work: () => Promise<unknown>): Promise<void> => {
  const [from, cpu] = [performance.now(), process.cpuUsage()]
  await work()
  const seconds = (performance.now() - from) / 1_000
  const { user, system } = process.cpuUsage(cpu)
  const rate = Math.round(events / seconds).toLocaleString('en')
  console.log(`${what.padEnd(28)} ${rate.padStart(12)} events/s ${((user + system) / events).toFixed(2).padStart(8)} µs CPU/event`)
}

let appId = ''
await timed('seeded (log.append)', async () => ({ appId } = await seedMonth(log, events, Number(values.visitors))))
const partition = log.partitionOf(appId)

async function read(each: (data: string) => void): Promise<void> {
  for (let after = 0; ; ) {
    const page = await log.read(partition, after, LIMITS.readPageEvents)
    if (page.length === 0) return
    for (const event of page) each(event.data!)
    after = page.at(-1)!.position
  }
}

for (let run = 1; run <= Number(values.runs); run++) {
  let bytes = 0
  await timed('read (log.read)', () => read((data) => (bytes += data.length)))
  await timed('read + JSON.parse', () => read((data) => (bytes += Object.keys(JSON.parse(data) as object).length)))
  await timed(`replay ${projection.name}`, () => replay({ database, log, projection, logger: silentLogger }))
  if (bytes === 0) throw new Error('nothing was read')
}
console.log(`memory ${Math.round(process.memoryUsage.rss() / 1e6)} MB`)
await log.close()
await database.close()
await stopSharedServers()
