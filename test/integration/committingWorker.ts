// An append worker that commits and never learns of it: it says so, to be killed by the test that started it.
import { startAppendWorker } from '../../src/commands/appendWorker.ts'
import { openEventLog } from '../../src/events/openEventLog.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { openDatabase } from '../../src/kernel/database/open.ts'
import { silentLogger } from '../../src/kernel/logger.ts'

const [, , databaseUrl, redisUrl, partitions] = process.argv as [string, string, string, string, string]
const database = await openDatabase(databaseUrl)
const log = await openEventLog(database, { url: databaseUrl, partitions: Number(partitions), clock: systemClock })
const append = log.append.bind(log)
log.append = async (packs) => {
  await append(packs)
  process.stdout.write('committed\n')
  return new Promise(() => undefined)
}
await startAppendWorker({ redisUrl, log, appendMaxEvents: 1_000, appendMaxWaitMs: 5, logger: silentLogger })
