// The composition root: which parts a role is made of, in which order they start and, in the opposite order, stop. Nothing
// else in the program knows how its neighbours are made.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAppBus } from './commands/appBus.ts'
import { createCommandBus } from './commands/bus.ts'
import type { CommandBus } from './commands/commandBus.ts'
import { type Epoch, localEpoch, redisEpoch } from './commands/epoch.ts'
import { createCollector } from './commands/collectEvents.ts'
import { createKeyring } from './commands/foldedKeyring.ts'
import type { Keyring } from './commands/keyring.ts'
import { createQuarantineActs } from './commands/quarantineActs.ts'
import { createSaltStore, type SaltStore } from './commands/salts.ts'
import { createSessionStore } from './commands/sessionStore.ts'
import { createSettingsRelay, type SettingsRelay } from './commands/settingsRelay.ts'
import { openQueue, startQueueWorker } from './queue.ts'
import { type Config, ConfigError, type Role } from './config.ts'
import { keepPruning } from './events/ledger.ts'
import { drainable } from './http/drain.ts'
import { createMetrics } from './http/metrics.ts'
import { createProbeServer } from './http/probeServer.ts'
import { createRateLimiter } from './http/rateLimiter.ts'
import { createHttpServer } from './http/server.ts'
import { createTokens, type Tokens } from './http/tokens.ts'
import { type Clock, systemClock } from './kernel/clock.ts'
import type { SqliteDatabase } from './kernel/database/sqlite.ts'
import { createLogger, type Logger } from './kernel/logger.ts'
import { LIMITS } from './limits.ts'
import { PROJECTIONS } from './projections/all.ts'
import { startProjector } from './projections/projector.ts'
import { startProjectorThread } from './projections/projectorThread.ts'
import type { ThreadSettings } from './projections/projectorThreadMessages.ts'
import { carryingOutHere } from './projections/rebuildJobs.ts'
import { carryingOutInThreads } from './projections/rebuildThread.ts'
import { createQueryBus } from './queries/bus.ts'
import { createControlQueries } from './queries/controlQueries.ts'
import type { AnswerCache } from './queries/cache.ts'
import { createDefinitionNumbers } from './queries/definitionNumbers.ts'
import { createDefinitionQueries } from './queries/definitions.ts'
import { createLogThread, type LogBounds } from './queries/logThread.ts'
import { createMemoryCache } from './queries/memoryCache.ts'
import { createDiffs } from './queries/diffs.ts'
import { readProjections } from './queries/projections.ts'
import { createLedgerQueries } from './queries/quarantine.ts'
import { createRecounts } from './queries/recounts.ts'
import { createRedisCache } from './queries/redisCache.ts'
import { createRebuilds } from './rebuilds.ts'
import { configuredSecrets, readSecrets, type Secrets } from './secrets.ts'
import { openStores, type Stores } from './stores.ts'

export interface Recount {
  /** Where it listens. */
  readonly url: string
  readonly secrets: Secrets
  readonly keyring: Keyring
  readonly tokens: Tokens
  /** Undefined in roles that take no commands. */
  readonly bus: CommandBus | undefined
  readonly relay: SettingsRelay
  /** Takes nothing more, hands over what it holds, and resolves when that is safe. */
  close(): Promise<void>
}

/** What every role has. */
interface Base {
  readonly config: Config
  readonly clock: Clock
  readonly logger: Logger
  readonly secrets: Secrets
  readonly stores: Stores
  readonly epoch: Epoch
  readonly keyring: Keyring
  readonly relay: SettingsRelay
  readonly salts: SaltStore
  readonly tokens: Tokens
}

type Closing = () => Promise<void> | void

export interface StartOptions {
  readonly clock?: Clock
  /** Ends the wait for a database that is not up yet. */
  readonly signal?: AbortSignal | undefined
  /** Where a process serves, counting beside it and rebuilding have threads of their own. Off unless given: a thread has the system's clock. */
  readonly threads?: boolean
  /** Of answers from the log, where others than those of limits.ts are wanted. */
  readonly logBounds?: Partial<LogBounds> | undefined
}

/** Starts the parts of `config.role`. Throws ConfigError when a store is refused for good or the port is taken. */
export async function startRecount(config: Config, { clock = systemClock, signal, logBounds, threads = false }: StartOptions = {}): Promise<Recount> {
  const logger = createLogger(config.logLevel, { role: config.role }, { secrets: configuredSecrets(config) })
  const closings: Closing[] = []
  try {
    const base = await startBase(config, clock, logger, closings, signal)
    if (serves(config.role, 'append')) await startAppending(base, closings)
    if (serves(config.role, 'project')) startProjecting(base, closings, threads && serves(config.role, 'api'))
    const { server, bus } = serves(config.role, 'api') ? startServing(base, closings, threads, logBounds) : { server: probes(base), bus: undefined }
    const drain = drainable(server)
    const url = await listen(server, config)
    closings.push(drain)
    logger.info('ready', { url, engine: base.stores.database.engine, queue: config.redisUrl === undefined ? 'in process' : 'redis' })
    const { secrets, keyring, tokens, relay } = base
    return { url, secrets, keyring, tokens, bus, relay, close: () => closeAll(closings, logger) }
  } catch (error) {
    await closeAll(closings, logger)
    throw error
  }
}

function serves(role: Role, part: Role): boolean {
  return role === 'all' || role === part
}

async function startBase(config: Config, clock: Clock, logger: Logger, closings: Closing[], signal?: AbortSignal): Promise<Base> {
  const secrets = readSecrets(config)
  const stores = await openStores(config, clock, logger, signal)
  closings.push(() => stores.close())
  const { log, database, redis } = stores
  const epoch = redis === undefined ? localEpoch() : redisEpoch(redis)
  const keyring = createKeyring({ log, logger, epoch })
  await keyring.start()
  closings.push(() => keyring.stop())
  const relay = createSettingsRelay({ log, keyring, logger })
  const salts = createSaltStore({ database, clock })
  return { config, clock, logger, secrets, stores, epoch, keyring, relay, salts, tokens: createTokens(secrets, clock) }
}

async function startAppending(base: Base, closings: Closing[]): Promise<void> {
  const worker = await startQueueWorker(base.config, base.stores.log, base.logger)
  closings.push(() => worker.close())
  base.relay.start()
  closings.push(() => base.relay.stop())
  closings.push(keepPruning(base.stores.database, base.clock, base.logger))
}

function startProjecting(base: Base, closings: Closing[], inThread: boolean): void {
  const { stores: { log, database }, clock, logger } = base // prettier-ignore
  const projector = inThread
    ? startProjectorThread({ ...threadSettings(base), log, logger })
    : startProjector({ log, database, projections: PROJECTIONS, clock, logger })
  closings.push(() => projector.close())
}

function threadSettings({ config, stores: { log, database } }: Base): ThreadSettings {
  const { databaseUrl: url, logLevel, role } = config
  const turns = database.engine === 'sqlite' ? (database as SqliteDatabase).turns : undefined
  return { url, partitions: log.partitions, logLevel, role, secrets: configuredSecrets(config), turns }
}

function startServing(base: Base, closings: Closing[], threads: boolean, logBounds?: Partial<LogBounds>): { server: Server; bus: CommandBus } {
  const { config, clock, logger, stores, keyring, salts, epoch } = base
  const { log, database } = stores
  const queue = openQueue(config, stores, logger)
  closings.push(() => queue.close())
  salts.start(logger)
  closings.push(() => salts.stop())
  const sessions = createSessionStore({ database, clock })
  sessions.start(logger)
  closings.push(() => sessions.stop())
  const bus = createCommandBus({ log, queue, keyring, clock, logger, epoch })
  const cache = answerCache(config, clock, logger)
  closings.push(() => cache.close())
  const logAnswers = createLogThread({ url: config.databaseUrl, partitions: log.partitions, logger, bounds: logBounds })
  closings.push(() => logAnswers.close())
  const carryOut = threads ? carryingOutInThreads(threadSettings(base)) : carryingOutHere({ database, log, projections: PROJECTIONS, clock, logger })
  const rebuilds = createRebuilds({ database, projections: PROJECTIONS, carryOut, logger })
  closings.push(() => rebuilds.close())
  const queries = createQueryBus({ database, log, logAnswers, cache, clock, logger })
  const server = createHttpServer({
    ...base,
    bus,
    sessions,
    appBus: createAppBus({ log, clock, logger }),
    ownerCode: base.secrets.ownerCode,
    collector: createCollector({ keyring, queue, salts, clock, logger }),
    queries,
    recounts: createRecounts({ database, log, logAnswers, clock, queries }),
    diffs: createDiffs({ database, log, logAnswers, clock, cache }),
    definitions: createDefinitionQueries({ database, log }),
    definitionNumbers: createDefinitionNumbers(queries),
    control: createControlQueries({ database, log }),
    ledger: createLedgerQueries({ database, log, clock, queued: queue.queued }),
    quarantine: createQuarantineActs({ log, database, salts, clock }),
    replays: rebuilds,
    rateLimiter: createRateLimiter({ enabled: config.rateLimit, clock, logger, redis: stores.redis, secret: base.secrets.jwtSecret }),
    metrics: createMetrics({ lagByProjection: () => lags(stores), queueDepth: () => queue.depth() }),
    isAway: (error) => log.classify(error) === 'transient',
    askStore: () => log.head(0),
    ready: () => readiness(base),
  })
  return { server, bus }
}

function answerCache(config: Config, clock: Clock, logger: Logger): AnswerCache {
  const url = config.cacheRedisUrl ?? config.redisUrl
  return url === undefined ? createMemoryCache({ clock }) : createRedisCache({ url, logger })
}

function probes(base: Base): Server {
  const metrics = createMetrics(base.config.role === 'project' ? { lagByProjection: () => lags(base.stores) } : {})
  return createProbeServer({ config: base.config, logger: base.logger, metrics, ready: () => readiness(base) })
}

async function lags({ database, log }: Stores): Promise<Map<string, number>> {
  const found = await readProjections(database.knex, PROJECTIONS, await log.heads())
  return new Map(found.map(({ name, lagEvents }) => [name, lagEvents]))
}

/** Whether this process may get traffic: not while it could lose what it takes, or has nowhere to put it. */
async function readiness({ config, stores, keyring }: Base): Promise<{ ready: boolean; faults: readonly string[] }> {
  const faults = [...stores.faults(), ...((await keyring.trusted()) ? [] : ['the control partition cannot be read'])]
  const away = stores.away()
  // Events are taken while either store is there; the workers can do nothing without the database.
  const buffered = serves(config.role, 'api') && stores.redis !== undefined && !away.includes('redis')
  if (away.includes('database') && !buffered) faults.push('the database is away')
  return { ready: faults.length === 0, faults }
}

function listen(server: Server, { host, port }: Config): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const variable = error.code === 'EADDRINUSE' || error.code === 'EACCES' ? 'PORT' : 'HOST'
      reject(new ConfigError(variable, `cannot listen on ${host}:${port}: ${error.message}`, { cause: error }))
    })
    server.maxConnections = LIMITS.connections
    server.listen(port, host, () => {
      server.removeAllListeners('error')
      const address = server.address() as AddressInfo
      const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
      resolve(`http://${['127.0.0.1', '0.0.0.0', '[::]', '[::1]'].includes(name) ? 'localhost' : name}:${address.port}`)
    })
  })
}

async function closeAll(closings: Closing[], logger: Logger): Promise<void> {
  for (const close of closings.splice(0).reverse()) {
    try {
      await close()
    } catch (error) {
      logger.error('a part did not close cleanly', { error })
    }
  }
}
