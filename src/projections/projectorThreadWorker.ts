// The thread in which the projector runs beside the API of one process. Its commits are not flushed one by one: what it writes
// is folded again from the log wherever a machine dies before it is on disk.
import { parentPort, workerData } from 'node:worker_threads'
import { openEventLog } from '../events/openEventLog.ts'
import { systemClock } from '../kernel/clock.ts'
import { openDatabase } from '../kernel/database/open.ts'
import type { SqliteDatabase } from '../kernel/database/sqlite.ts'
import { createLogger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'
import { PROJECTIONS } from './all.ts'
import { startProjector } from './projector.ts'
import type { FromProjectorThread, ThreadSettings, ToProjectorThread } from './projectorThreadMessages.ts'

type Poke = (partition: number, position: number) => void

const port = parentPort!
const { url, partitions, logLevel, role, secrets, turns } = workerData as ThreadSettings
const logger = createLogger(logLevel, { role }, { secrets, write: (line) => port.postMessage({ line } satisfies FromProjectorThread) })
const pokes = new Set<Poke>()
const poke = (listener: Poke): (() => void) => {
  pokes.add(listener)
  return () => pokes.delete(listener)
}

const started = start()
port.on('message', (message: ToProjectorThread) => {
  if (message.do === 'end') void started.then((end) => end())
  else for (const listener of pokes) listener(message.partition, message.position)
})

/** Answers what ends it again. What cannot be opened ends the thread, whose owner starts another. */
async function start(): Promise<() => Promise<void>> {
  const clock = systemClock
  const database = await openDatabase(url, { rewritable: true, turns })
  const log = await openEventLog(database, { url, partitions, clock })
  // Whoever appends to a file waits for the transactions of whoever folds into it.
  const besideAppends = database.engine === 'sqlite' ? { targetMs: LIMITS.foldBesideAppendsMs, onBehind: (ms: number) => (database as SqliteDatabase).behind(ms) } : {}
  const projector = startProjector({ log, database, projections: PROJECTIONS, clock, logger, poke, ...besideAppends })
  return async () => {
    await projector.close()
    await log.close()
    await database.close()
    port.close()
  }
}
