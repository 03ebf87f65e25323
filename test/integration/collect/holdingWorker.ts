// A worker process that takes jobs and never finishes them; it says so, to be killed by the test that started it.
import { startAppendWorker } from '../../../src/commands/appendWorker.ts'
import { silentLogger } from '../../../src/kernel/logger.ts'
import { memoryLog } from '../../support/memoryLog.ts'

const log = memoryLog(1)
log.before = () => {
  process.stdout.write('holding\n')
  return new Promise(() => undefined)
}
await startAppendWorker({ redisUrl: process.argv[2]!, log, appendMaxEvents: 1_000, appendMaxWaitMs: 5, logger: silentLogger })
