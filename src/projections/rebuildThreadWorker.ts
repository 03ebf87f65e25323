// The thread that carries out one job on a projection and ends. Its commits need not be flushed one by one, as the projector's:
// what they hold is in the log.
import { parentPort, workerData } from 'node:worker_threads'
import { openEventLog } from '../events/openEventLog.ts'
import { systemClock } from '../kernel/clock.ts'
import { openDatabase } from '../kernel/database/open.ts'
import { createLogger } from '../kernel/logger.ts'
import { PROJECTIONS } from './all.ts'
import { carryingOutHere } from './rebuildJobs.ts'
import type { FromRebuildThread, RebuildThreadSettings } from './rebuildThread.ts'

const port = parentPort!
const { url, partitions, logLevel, role, secrets, turns, job } = workerData as RebuildThreadSettings
const tell = (message: FromRebuildThread): void => port.postMessage(message)
const stopping = new AbortController()
port.once('message', () => stopping.abort(new Error('the process stops')))

carryOut().then(
  (end) => tell({ end }),
  (error: unknown) => {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
    tell({ failure: { name, message, stack } })
  },
).finally(() => port.close())

async function carryOut(): Promise<'done' | 'paused'> {
  const logger = createLogger(logLevel, { role }, { secrets, write: (line) => tell({ line }) })
  const clock = systemClock
  const database = await openDatabase(url, { rewritable: true, turns })
  try {
    const log = await openEventLog(database, { url, partitions, clock })
    try {
      return await carryingOutHere({ database, log, clock, logger, projections: PROJECTIONS })(job, stopping.signal)
    } finally {
      await log.close()
    }
  } finally {
    await database.close()
  }
}
