// The only reader of process.env. Every variable is checked at start, and a fault names the variable, so that a typo stops
// the process at once and not a request weeks later.
import { isIP } from 'node:net'
import { LIMITS } from './limits.ts'

export type Role = 'all' | 'api' | 'append' | 'project'

export interface Config {
  port: number
  host: string
  /** `sqlite:<path>` or `mysql://…`. */
  databaseUrl: string
  redisUrl: string | undefined
  /** Where cached answers go; the queue's Redis under its own byte budget unless set. */
  cacheRedisUrl: string | undefined
  dataDir: string
  role: Role
  webConcurrency: number
  /** Undefined in embedded mode until one is generated and kept in dataDir. */
  jwtSecret: string | undefined
  ownerCode: string | undefined
  ownerEmail: string | undefined
  allowLocalSignin: boolean
  googleClientId: string | undefined
  googleClientSecret: string | undefined
  publicUrl: string | undefined
  /** Express' trust proxy setting: false, a number of hops, or a list of addresses. */
  trustProxy: false | number | string[]
  rateLimit: boolean
  metricsToken: string | undefined
  partitions: number
  appendMaxEvents: number
  appendMaxWaitMs: number
  /** Start although a store could lose what was acknowledged; said in the log. */
  allowUnsafeStores: boolean
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  production: boolean
}

/** Says which variable is wrong and what it takes. */
export class ConfigError extends Error {
  constructor(
    readonly variable: string,
    detail: string,
    options?: ErrorOptions,
  ) {
    super(`${variable}: ${detail}`, options)
    this.name = 'ConfigError'
  }
}

type Env = Readonly<Record<string, string | undefined>>

/** Reads and checks the environment, with what a command line says instead of it. Throws ConfigError. */
export function readConfig(environment: Env = process.env, overrides: Env = {}): Config {
  const env = { ...environment, ...overrides }
  const production = oneOf(env, 'NODE_ENV', ['production', 'development', 'test'], 'development') === 'production'
  const dataDir = text(env, 'DATA_DIR') ?? './data'
  const databaseUrl = text(env, 'DATABASE_URL') ?? `sqlite:${dataDir}/recount.db`
  if (!/^(sqlite:.+|mysql:\/\/.+)$/.test(databaseUrl)) {
    throw new ConfigError('DATABASE_URL', 'takes sqlite:<path> or mysql://user:password@host:port/database')
  }
  const config: Config = {
    port: whole(env, 'PORT', 1055, 0, 65_535),
    host: text(env, 'HOST') ?? '127.0.0.1',
    databaseUrl,
    redisUrl: url(env, 'REDIS_URL', ['redis:', 'rediss:']),
    cacheRedisUrl: url(env, 'CACHE_REDIS_URL', ['redis:', 'rediss:']),
    dataDir,
    role: oneOf(env, 'ROLE', ['all', 'api', 'append', 'project'], 'all'),
    webConcurrency: whole(env, 'WEB_CONCURRENCY', 1, 1, 64),
    jwtSecret: secret(env, 'JWT_SECRET', 32),
    ownerCode: secret(env, 'OWNER_CODE', 12),
    ownerEmail: text(env, 'OWNER_EMAIL'),
    allowLocalSignin: flag(env, 'ALLOW_LOCAL_SIGNIN', !production),
    googleClientId: text(env, 'GOOGLE_CLIENT_ID'),
    googleClientSecret: text(env, 'GOOGLE_CLIENT_SECRET'),
    publicUrl: url(env, 'PUBLIC_URL', ['http:', 'https:']),
    trustProxy: trustProxy(env),
    rateLimit: flag(env, 'RATE_LIMIT', true),
    metricsToken: secret(env, 'METRICS_TOKEN', 12),
    partitions: whole(env, 'PARTITIONS', LIMITS.partitionsDefault, 1, LIMITS.partitionsMax),
    appendMaxEvents: whole(env, 'APPEND_MAX_EVENTS', LIMITS.appendMaxEvents, 1, 10_000),
    appendMaxWaitMs: whole(env, 'APPEND_MAX_WAIT_MS', LIMITS.appendMaxWaitMs, 0, 10_000),
    allowUnsafeStores: flag(env, 'ALLOW_UNSAFE_STORES', false),
    logLevel: oneOf(env, 'LOG_LEVEL', ['debug', 'info', 'warn', 'error', 'silent'], 'info'),
    production,
  }
  return crossChecked(config)
}

function crossChecked(config: Config): Config {
  const embedded = config.databaseUrl.startsWith('sqlite:')
  if (config.jwtSecret === undefined && config.production) {
    throw new ConfigError('JWT_SECRET', 'is required in production: 32 characters or more, for example from `openssl rand -hex 32`')
  }
  if (config.jwtSecret === undefined && !embedded) {
    throw new ConfigError('JWT_SECRET', 'is required with mysql, because all processes must share it: 32 characters or more')
  }
  if (embedded && config.redisUrl !== undefined) {
    throw new ConfigError('REDIS_URL', 'goes with a mysql DATABASE_URL; the embedded engine queues in the process')
  }
  if (config.role !== 'all' && config.redisUrl === undefined) {
    throw new ConfigError('ROLE', 'other than all needs REDIS_URL: separate processes meet in its queue')
  }
  if (config.webConcurrency > 1 && embedded) {
    throw new ConfigError('WEB_CONCURRENCY', 'above 1 needs a mysql DATABASE_URL')
  }
  if ((config.googleClientId === undefined) !== (config.googleClientSecret === undefined)) {
    throw new ConfigError('GOOGLE_CLIENT_SECRET', 'and GOOGLE_CLIENT_ID go together')
  }
  return config
}

function text(env: Env, name: string): string | undefined {
  const value = env[name]?.trim()
  return value === undefined || value === '' ? undefined : value
}

function secret(env: Env, name: string, minChars: number): string | undefined {
  const value = text(env, name)
  if (value !== undefined && value.length < minChars) throw new ConfigError(name, `must have at least ${minChars} characters`)
  return value
}

function whole(env: Env, name: string, otherwise: number, min: number, max: number): number {
  const value = text(env, name)
  if (value === undefined) return otherwise
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < min || number > max) {
    throw new ConfigError(name, `takes a whole number from ${min} to ${max}, not "${value}"`)
  }
  return number
}

function oneOf<T extends string>(env: Env, name: string, values: readonly T[], otherwise: T): T {
  const value = text(env, name) ?? otherwise
  if (!(values as readonly string[]).includes(value)) throw new ConfigError(name, `takes ${values.join(', ')}, not "${value}"`)
  return value as T
}

function flag(env: Env, name: string, otherwise: boolean): boolean {
  const value = text(env, name)?.toLowerCase()
  if (value === undefined) return otherwise
  if (['1', 'true', 'on', 'yes'].includes(value)) return true
  if (['0', 'false', 'off', 'no'].includes(value)) return false
  throw new ConfigError(name, `takes on or off, not "${value}"`)
}

function url(env: Env, name: string, protocols: readonly string[]): string | undefined {
  const value = text(env, name)
  if (value === undefined) return undefined
  const parsed = URL.canParse(value) ? new URL(value) : undefined
  if (parsed === undefined || !protocols.includes(parsed.protocol)) {
    throw new ConfigError(name, `takes an address that starts with ${protocols.map((p) => `${p}//`).join(' or ')}`)
  }
  return value
}

function trustProxy(env: Env): false | number | string[] {
  const value = text(env, 'TRUST_PROXY')
  if (value === undefined || ['0', 'off', 'false', 'no'].includes(value.toLowerCase())) return false
  if (/^\d+$/.test(value)) return Number(value)
  const parts = value.split(',').map((part) => part.trim())
  if (!parts.every(isProxy)) {
    throw new ConfigError('TRUST_PROXY', `takes off, a number of proxies, or addresses and networks such as 10.0.0.0/8, not "${value}"`)
  }
  return parts
}

function isProxy(part: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(part)) return true
  const [address = '', bits, ...more] = part.split('/')
  const family = isIP(address)
  return family !== 0 && more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)))
}
