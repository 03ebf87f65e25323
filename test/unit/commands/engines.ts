// The logs that specs of the control plane run on: the small one in memory, and the embedded engine as it is.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEventLog } from '../../../src/events/openEventLog.ts'
import { openDatabase } from '../../../src/kernel/database/open.ts'
import { migrate } from '../../../src/kernel/migrations.ts'
import { MemoryLog, type SmallLog, StoreDown } from './memoryLog.ts'

export type OpenLog = SmallLog & { close(): Promise<void> }

export interface SpecEngine {
  readonly name: string
  open(): Promise<OpenLog>
  /** An error of the store that goes away by itself. */
  transientFault(): Error
}

const memory: SpecEngine = {
  name: 'memory',
  open: () => Promise.resolve(Object.assign(new MemoryLog(), { close: () => Promise.resolve() })),
  transientFault: () => new StoreDown(),
}

const sqlite: SpecEngine = {
  name: 'SQLite',
  async open() {
    const folder = mkdtempSync(join(tmpdir(), 'recount-'))
    const url = `sqlite:${join(folder, 'recount.db')}`
    const database = await openDatabase(url)
    await migrate(database)
    const log = await openEventLog(database, { url, partitions: 4 })
    const closeLog = log.close.bind(log)
    return Object.assign(log, {
      async close() {
        await closeLog()
        await database.close()
        rmSync(folder, { recursive: true })
      },
    })
  },
  transientFault: () => Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' }),
}

export const ENGINES: readonly SpecEngine[] = [memory, sqlite]
