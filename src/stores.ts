// Opens what a process stands on: the database, migrated, the log in it, and Redis. A store that is not up yet is waited
// for, because in most installations all of them start at once; one that is up but could lose what was acknowledged makes
// the process not ready, and it takes no events until that is mended or overridden.
import { Redis } from 'ioredis'
import { databaseFaults, redisFaults } from './commands/storeChecks.ts'
import { type Config, ConfigError } from './config.ts'
import type { EventLog } from './events/eventLog.ts'
import { openEventLog } from './events/openEventLog.ts'
import type { Clock } from './kernel/clock.ts'
import type { Database } from './kernel/database.ts'
import { openDatabase } from './kernel/database/open.ts'
import { classifyMysql, isSqliteBusy } from './kernel/database/faults.ts'
import type { Logger } from './kernel/logger.ts'
import { migrate } from './kernel/migrations.ts'
import { retry } from './kernel/retry.ts'
import { LIMITS } from './limits.ts'

export type Store = 'database' | 'redis'

export interface Stores {
  readonly database: Database
  readonly log: EventLog
  /** For what is no queue: epoch, checks, cache. Undefined without REDIS_URL. */
  readonly redis: Redis | undefined
  /** What makes the stores unsafe, in words; empty when events may be acknowledged. */
  readonly faults: () => readonly string[]
  /** Which stores cannot be reached now. */
  readonly away: () => readonly Store[]
  close(): Promise<void>
}

/** Throws ConfigError when the database refuses us or is not up within LIMITS.storeStartMs, and the signal's reason. */
export async function openStores(config: Config, clock: Clock, logger: Logger, signal?: AbortSignal): Promise<Stores> {
  const database = await waitFor(config, logger, signal, () => openMigrated(config.databaseUrl, logger))
  const log = await openEventLog(database, { url: config.databaseUrl, partitions: config.partitions, clock })
  const redis = config.redisUrl === undefined ? undefined : openRedis(config.redisUrl, logger)
  const checks = await followChecks(config, database, redis, logger)
  return {
    database,
    log,
    redis,
    faults: checks.faults,
    away: checks.away,
    async close() {
      checks.stop()
      redis?.disconnect()
      await log.close()
      await database.close()
    },
  }
}

async function openMigrated(url: string, logger: Logger): Promise<Database> {
  const database = await openDatabase(url)
  try {
    const applied = await migrate(database)
    if (applied.length > 0) logger.info('migrated', { applied })
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

async function waitFor<T>(config: Config, logger: Logger, signal: AbortSignal | undefined, open: () => Promise<T>): Promise<T> {
  // A file that cannot be opened will not come up by itself, as a server does.
  const isPassing = config.databaseUrl.startsWith('sqlite:') ? isSqliteBusy : (error: unknown) => classifyMysql(error) === 'transient'
  const giveUpAt = performance.now() + LIMITS.storeStartMs
  try {
    return await retry(open, {
      retryable: (error) => isPassing(error) && performance.now() < giveUpAt,
      onRetry: (error, tries) => logger.warn('waiting for the database', { tries, reason: reasonOf(error) }),
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (error) {
    signal?.throwIfAborted()
    throw new ConfigError('DATABASE_URL', `cannot be used: ${reasonOf(error)}`, { cause: error })
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** A connection that fails fast while Redis is away and comes back by itself. */
export function openRedis(url: string, logger: Logger): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: 1, enableOfflineQueue: false, commandTimeout: LIMITS.redisCommandMs })
  let away = false
  redis.on('error', (error: unknown) => {
    if (!away) logger.warn('Redis is away', { error })
    away = true
  })
  redis.on('ready', () => {
    if (away) logger.info('Redis is back')
    away = false
  })
  return redis
}

interface Checks {
  readonly faults: () => readonly string[]
  readonly away: () => readonly Store[]
  readonly stop: () => void
}

async function followChecks(config: Config, database: Database, redis: Redis | undefined, logger: Logger): Promise<Checks> {
  // Each store for itself: one that is away must not hide what is wrong with the other.
  const known: Record<Store, readonly string[]> = { database: ['the settings of the database were never read'], redis: [] }
  const faults = (): readonly string[] => [...known.database, ...known.redis]
  const away = new Set<Store>()
  const ask = async (store: Store, question: Promise<string[]>): Promise<void> => {
    try {
      known[store] = await question
      if (away.delete(store)) logger.info('a store is back', { store })
    } catch (error) {
      // A store that is away says nothing about its settings: what was known stays, and it is asked again when it is back.
      if (!away.has(store)) logger.warn('a store is away', { store, reason: reasonOf(error) })
      away.add(store)
    }
  }
  let reported = ''
  const check = async (): Promise<void> => {
    await Promise.all([ask('database', databaseFaults(database)), ...(redis === undefined ? [] : [ask('redis', redisFaults(redis))])])
    if (faults().join() !== reported) report(faults(), config.allowUnsafeStores, logger)
    reported = faults().join()
  }
  if (redis !== undefined) await connected(redis)
  await check()
  const timer = setInterval(() => void check(), LIMITS.storeCheckMs)
  redis?.on('ready', () => void check())
  return { faults: () => (config.allowUnsafeStores ? [] : faults()), away: () => [...away], stop: () => clearInterval(timer) }
}

/** Resolves once Redis can be asked, or is away: a command sent before fails, and nothing would have been checked. */
async function connected(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, LIMITS.redisCommandMs)
    for (const event of ['ready', 'error', 'close']) {
      redis.once(event, () => {
        clearTimeout(timer)
        resolve()
      })
    }
  })
}

function report(faults: readonly string[], accepted: boolean, logger: Logger): void {
  if (faults.length === 0) logger.info('the stores are safe again')
  for (const fault of faults) {
    if (accepted) logger.warn('a store is unsafe, which ALLOW_UNSAFE_STORES accepts', { fault })
    else logger.error('a store is unsafe: nothing is accepted until this is mended', { fault })
  }
}
