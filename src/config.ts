// The only reader of process.env. Every variable is checked at start, and a fault names the variable, so that a typo stops
// the process at once and not a request weeks later.
import { isIP } from 'node:net'
import { LIMITS } from './limits.ts'

/** The least that a secret which signs tokens has. */
export const SECRET_CHARS = 32

export type Role = 'all' | 'api' | 'append' | 'project'

export interface GoogleConfig {
  readonly clientId: string
  readonly clientSecret: string
  /** Where Google sends people back to; it must be among the client's redirect addresses. */
  readonly callbackUrl: string
  /** Others than Google's own, where something else plays Google: tests. */
  readonly authorizationUrl: string | undefined
  readonly tokenUrl: string | undefined
  readonly userinfoUrl: string | undefined
}

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
  /** What signed before: still accepted, while tokens are being replaced. */
  jwtSecretPrevious: string | undefined
  /** Of user and refresh tokens alone; theirs is derived from jwtSecret unless set. */
  userTokenSecret: string | undefined
  userTokenSecretPrevious: string | undefined
  ownerCode: string | undefined
  ownerEmail: string | undefined
  allowLocalSignin: boolean
  /** Undefined: nobody signs in with Google. */
  google: GoogleConfig | undefined
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

const DEFAULT_PORT = 1055

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
    port: whole(env, 'PORT', DEFAULT_PORT, 0, 65_535),
    host: text(env, 'HOST') ?? '127.0.0.1',
    databaseUrl,
    redisUrl: url(env, 'REDIS_URL', ['redis:', 'rediss:']),
    cacheRedisUrl: url(env, 'CACHE_REDIS_URL', ['redis:', 'rediss:']),
    dataDir,
    role: oneOf(env, 'ROLE', ['all', 'api', 'append', 'project'], 'all'),
    webConcurrency: whole(env, 'WEB_CONCURRENCY', 1, 1, 64),
    jwtSecret: secret(env, 'JWT_SECRET', SECRET_CHARS),
    jwtSecretPrevious: secret(env, 'JWT_SECRET_PREVIOUS', SECRET_CHARS),
    userTokenSecret: secret(env, 'USER_TOKEN_SECRET', SECRET_CHARS),
    userTokenSecretPrevious: secret(env, 'USER_TOKEN_SECRET_PREVIOUS', SECRET_CHARS),
    ownerCode: secret(env, 'OWNER_CODE', 12),
    ownerEmail: ownerEmail(env),
    allowLocalSignin: flag(env, 'ALLOW_LOCAL_SIGNIN', !production),
    google: google(env, production),
    publicUrl: publicUrlOf(env),
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
  refuseUnpaired('JWT_SECRET', config.jwtSecret, config.jwtSecretPrevious)
  refuseUnpaired('USER_TOKEN_SECRET', config.userTokenSecret, config.userTokenSecretPrevious)
  return config
}

/** A previous secret that precedes nothing would be accepted for as long as nobody notices. */
function refuseUnpaired(name: string, current: string | undefined, previous: string | undefined): void {
  if (previous === undefined) return
  if (current === undefined) throw new ConfigError(`${name}_PREVIOUS`, `goes with ${name}, the one that signs`)
  if (current === previous) throw new ConfigError(`${name}_PREVIOUS`, `must be another than ${name}: it is what ${name} was before`)
}

function google(env: Env, production: boolean): GoogleConfig | undefined {
  const clientId = text(env, 'GOOGLE_CLIENT_ID')
  const clientSecret = text(env, 'GOOGLE_CLIENT_SECRET')
  const urls = {
    authorizationUrl: endpoint(env, 'GOOGLE_AUTHORIZATION_URL'),
    tokenUrl: endpoint(env, 'GOOGLE_TOKEN_URL'),
    userinfoUrl: endpoint(env, 'GOOGLE_USERINFO_URL'),
  }
  if ((clientId === undefined) !== (clientSecret === undefined)) throw new ConfigError('GOOGLE_CLIENT_SECRET', 'and GOOGLE_CLIENT_ID go together')
  if (clientId === undefined || clientSecret === undefined) return undefined
  const publicUrl = publicUrlOf(env)
  if (publicUrl === undefined && production) throw new ConfigError('PUBLIC_URL', 'is required with GOOGLE_CLIENT_ID: Google sends people back to it')
  const base = publicUrl ?? `http://localhost:${whole(env, 'PORT', DEFAULT_PORT, 0, 65_535)}`
  return { clientId, clientSecret, callbackUrl: `${base.replace(/\/+$/, '')}/auth/google/callback`, ...urls }
}

/** Paths are put at its end, and it is in links that are sent around. */
function publicUrlOf(env: Env): string | undefined {
  const value = url(env, 'PUBLIC_URL', ['http:', 'https:'])
  if (value !== undefined && /[?#@]/.test(value)) throw new ConfigError('PUBLIC_URL', 'takes an address without a question mark, # or user name')
  return value
}

/** The client's secret goes there: never over a network in plain text. */
function endpoint(env: Env, name: string): string | undefined {
  const value = url(env, name, ['http:', 'https:'])
  if (value === undefined) return undefined
  const { protocol, hostname } = new URL(value)
  if (protocol !== 'https:' && !['localhost', '127.0.0.1', '[::1]'].includes(hostname)) throw new ConfigError(name, 'takes https://, or http:// on this machine')
  return value
}

function ownerEmail(env: Env): string | undefined {
  const value = text(env, 'OWNER_EMAIL')
  if (value !== undefined && (!/^[^\s@]+@[^\s@]+$/.test(value) || value.length > LIMITS.emailChars)) {
    throw new ConfigError('OWNER_EMAIL', `takes an e-mail address, not "${value}"`)
  }
  return value
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
  return family !== 0 && more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) > 0 && Number(bits) <= (family === 4 ? 32 : 128)))
}
