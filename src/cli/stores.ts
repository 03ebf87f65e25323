// Opens what a command needs of the stores, from the same configuration as the server, and closes it again whatever
// happens. Nothing here needs a server to run, and everything is safe beside one.
import { createCommandBus } from '../commands/bus.ts'
import type { CommandBus } from '../commands/commandBus.ts'
import { createKeyring } from '../commands/foldedKeyring.ts'
import { createInProcessQueue } from '../commands/inProcessQueue.ts'
import type { Keyring } from '../commands/keyring.ts'
import { createSaltStore, type SaltStore } from '../commands/salts.ts'
import { createSettingsRelay, type SettingsRelay } from '../commands/settingsRelay.ts'
import type { Config } from '../config.ts'
import type { EventLog } from '../events/eventLog.ts'
import { openEventLog } from '../events/openEventLog.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database.ts'
import { openDatabase } from '../kernel/database/open.ts'
import { createLogger, type Logger } from '../kernel/logger.ts'
import { migrate } from '../kernel/migrations.ts'

export interface Stores {
  readonly config: Config
  readonly database: Database
  readonly log: EventLog
  readonly keyring: Keyring
  readonly bus: CommandBus
  readonly relay: SettingsRelay
  readonly salts: SaltStore
  readonly clock: Clock
  readonly logger: Logger
}

/** Opens the stores, migrated as the server would migrate them, runs `work`, and closes them. */
export async function withStores<T>(config: Config, work: (stores: Stores) => Promise<T>): Promise<T> {
  // A command speaks through its own output; of the program's log only what asks for attention belongs beside it.
  const logger = createLogger(config.logLevel === 'info' ? 'warn' : config.logLevel)
  const clock = systemClock
  const database = await openDatabase(config.databaseUrl)
  try {
    await migrate(database)
    const log = await openEventLog(database, { url: config.databaseUrl, partitions: config.partitions, clock })
    try {
      const keyring = createKeyring({ log, logger })
      await keyring.refresh()
      const queue = createInProcessQueue({ ...config, log, logger })
      const bus = createCommandBus({ log, queue, keyring, clock, logger })
      const relay = createSettingsRelay({ log, keyring, logger })
      const salts = createSaltStore({ database, clock })
      const result = await work({ config, database, log, keyring, bus, relay, salts, clock, logger })
      await queue.close()
      return result
    } finally {
      await log.close()
    }
  } finally {
    await database.close()
  }
}
