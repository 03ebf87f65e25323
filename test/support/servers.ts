// The servers that tests need: private, on free loopback ports, with throw-away data and the durable settings of production.
// mariadb() and redis() are shared by a mocha process and start at first use; whoever kills, freezes or fills a server takes
// one of their own from startMariadb() or startRedis(). With TEST_MYSQL_URL or TEST_REDIS_URL the shared ones are those.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import mysql from 'mysql2/promise'
import { scratchDirectory } from './scratch.ts'
import { openSmallDisk } from './smallDisk.ts'
import { findProgram, startServer } from './serverProcess.ts'
import type { TestServer } from './serverProcess.ts'

export type { TestServer }

const execute = promisify(execFile)
/**
 * On a disk that will be full the redo log is the template's own, every byte of it there: one made larger is a hole at first, and
 * the server ends when it cannot write into that. A limit on the size of files bites only above the largest of them.
 */
const REDO_MB = { tmpfs: 32, limit: 8 } as const
const CACHE = join(import.meta.dirname, '../../.cache')

let sharedMariadb: Promise<TestServer> | undefined
let sharedRedis: Promise<TestServer> | undefined

/** The MySQL-protocol server that this mocha process shares. Use freshDatabase() to get a place of your own in it. */
export function mariadb(): Promise<TestServer> {
  const url = process.env.TEST_MYSQL_URL
  return (sharedMariadb ??= url === undefined || url === '' ? startMariadb() : Promise.resolve(foreign('TEST_MYSQL_URL', url)))
}

/** The Redis that this mocha process shares. Use freshRedis() to get an empty database of it. */
export function redis(): Promise<TestServer> {
  const url = process.env.TEST_REDIS_URL
  return (sharedRedis ??= url === undefined || url === '' ? startRedis() : Promise.resolve(foreign('TEST_REDIS_URL', url)))
}

/** A new database with nothing in it: its mysql:// URL. */
export async function freshDatabase(server?: TestServer): Promise<string> {
  const { url } = server ?? (await mariadb())
  const name = `recount_test_${randomBytes(6).toString('hex')}`
  const connection = await mysql.createConnection(url)
  try {
    await connection.query(`CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`)
  } finally {
    await connection.end()
  }
  const fresh = new URL(url)
  fresh.pathname = `/${name}`
  return fresh.href
}

/**
 * The same database, as a user who may do anything with it and nothing with its server, as in production: one with all
 * privileges writes while the server is read-only, and has a connection kept for it when all are taken.
 */
export async function asPlainUser(databaseUrl: string): Promise<string> {
  const plain = new URL(databaseUrl)
  const connection = await mysql.createConnection(databaseUrl)
  try {
    await connection.query("CREATE USER IF NOT EXISTS 'plain'@'%' IDENTIFIED BY 'plain'")
    await connection.query(`GRANT ALL ON \`${plain.pathname.slice(1)}\`.* TO 'plain'@'%'`)
  } finally {
    await connection.end()
  }
  plain.username = 'plain'
  plain.password = 'plain'
  return plain.href
}

/** An empty numbered database of a Redis server: its URL. Channels of pub/sub span all of them. */
export async function freshRedis(server?: TestServer): Promise<string> {
  const { url } = server ?? (await redis())
  const client = new Redis(url, { db: 0, maxRetriesPerRequest: 1 })
  try {
    const [, databases] = (await client.config('GET', 'databases')) as [string, string]
    const number = ((await client.incr('recount-test-databases')) % (Number(databases) - 1)) + 1
    await client.select(number)
    await client.flushdb()
    const fresh = new URL(url)
    fresh.pathname = `/${number}`
    return fresh.href
  } finally {
    client.disconnect()
  }
}

/** A sqlite: URL of a file that does not exist yet, in a directory that vanishes with this process. */
export function freshSqlite(): string {
  return `sqlite:${join(scratchDirectory('sqlite'), 'recount.db')}`
}

export interface MariadbServer extends TestServer {
  /** Its disk, if it was started with a small one. `fill` leaves no byte, `free` gives back what was taken. */
  readonly disk?: { readonly kind: 'tmpfs' | 'limit'; fill(): Promise<void>; free(): Promise<void> } | undefined
}

/**
 * A MariaDB (or MySQL 8) of one's own. `options` are further server options, such as `--max-connections=20`. With `diskBytes`
 * its data lies on a disk of that size (from about 200 MB), which can be filled.
 */
export async function startMariadb(options: readonly string[] = [], { diskBytes }: { diskBytes?: number } = {}): Promise<MariadbServer> {
  const binary = findProgram('mariadbd', 'mysqld')
  if (binary === undefined) throw new Error('mariadbd or mysqld is needed: apt-get install mariadb-server, or set TEST_MYSQL_URL')
  const directory = scratchDirectory('mariadb')
  const disk = diskBytes === undefined ? undefined : await openSmallDisk(join(directory, 'disk'), diskBytes)
  const data = join(disk?.inside ?? directory, 'data')
  cpSync(await mariadbTemplate(binary), join(disk?.outside ?? directory, 'data'), { recursive: true })
  const initial = join(directory, 'init.sql')
  writeFileSync(initial, "CREATE USER IF NOT EXISTS 'recount'@'%' IDENTIFIED BY 'recount';\nGRANT ALL ON *.* TO 'recount'@'%' WITH GRANT OPTION;\n")
  const command = (port: number): { binary: string; args: readonly string[] } => {
    const args = [
      '--no-defaults', // must be the first
      ...(disk?.asRoot === true ? ['--user=root'] : asRoot()),
      `--datadir=${data}`,
      `--socket=${join(directory, 'socket')}`,
      `--pid-file=${join(directory, 'server.pid')}`,
      `--init-file=${initial}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--skip-name-resolve',
      '--skip-log-bin',
      '--performance-schema=OFF',
      '--character-set-server=utf8mb4',
      '--collation-server=utf8mb4_bin',
      '--innodb-flush-log-at-trx-commit=1',
      '--innodb-buffer-pool-size=128M',
      '--max-allowed-packet=16M',
      ...(disk === undefined ? [] : [`--innodb-log-file-size=${REDO_MB[disk.kind]}M`]),
      ...options,
    ]
    return disk?.command(binary, args) ?? { binary, args }
  }
  const server = await startServer({
    name: 'MariaDB',
    directory,
    binary: command(0).binary,
    arguments: (port) => command(port).args,
    url: (port) => `mysql://recount:recount@127.0.0.1:${port}/`,
    ping: async (url) => {
      const connection = await mysql.createConnection(url)
      await connection.end()
    },
    stopSignal: 'SIGTERM',
  })
  if (disk === undefined) return server
  // Not a copy: `pid` changes.
  return Object.assign(server, { disk: { kind: disk.kind, fill: () => disk.fill(server.pid), free: () => disk.free(server.pid) } })
}

/** A Redis of one's own. `options` are further settings, such as `--maxmemory 20mb`, one word each. */
export async function startRedis(options: readonly string[] = []): Promise<TestServer> {
  const binary = findProgram('redis-server', 'valkey-server')
  if (binary === undefined) throw new Error('redis-server is needed: apt-get install redis-server, or set TEST_REDIS_URL')
  const directory = scratchDirectory('redis')
  return startServer({
    name: 'Redis',
    directory,
    binary,
    arguments: (port) => {
      // Redis rewrites its title, so the directory must stand in the part that it keeps: the path of its configuration is not.
      const settings = [`dir ${directory}`, `port ${port}`, 'bind 127.0.0.1', 'appendonly yes', 'appendfsync always']
      settings.push('maxmemory-policy noeviction', 'databases 1024', 'save ""', 'enable-debug-command local')
      settings.push(`proc-title-template "{title} ${directory}"`)
      writeFileSync(join(directory, 'redis.conf'), settings.join('\n'))
      return [join(directory, 'redis.conf'), ...options]
    },
    url: (port) => `redis://127.0.0.1:${port}/`,
    ping: async (url) => {
      const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
      client.on('error', () => undefined) // connect() reports it
      try {
        await client.connect()
        await client.ping()
      } finally {
        client.disconnect()
      }
    },
    stopSignal: 'SIGTERM',
  })
}

/** Stops what this process shares; the reaper sees to the rest. */
export async function stopSharedServers(): Promise<void> {
  const started = [sharedMariadb, sharedRedis].filter((server) => server !== undefined)
  sharedMariadb = undefined
  sharedRedis = undefined
  await Promise.allSettled(started.map(async (server) => (await server).kill9()))
}

// Initialising a data directory takes seconds, copying one does not: it is made once per version and kept.
async function mariadbTemplate(binary: string): Promise<string> {
  const { stdout } = await execute(binary, ['--no-defaults', '--version'])
  const version = /Ver (\S+)/.exec(stdout)?.[1]?.replaceAll(/[^\w.-]/g, '_') ?? 'unknown'
  const template = join(CACHE, `mysql-data-${version}`)
  if (existsSync(template)) return template
  mkdirSync(CACHE, { recursive: true })
  const making = mkdtempSync(join(CACHE, 'making-'))
  const options = [...asRoot(), `--datadir=${making}`, '--innodb-log-file-size=32M']
  if (stdout.includes('MariaDB')) {
    const install = findProgram('mariadb-install-db', 'mysql_install_db')
    if (install === undefined) throw new Error(`mariadb-install-db is needed beside ${binary}: apt-get install mariadb-server`)
    await execute(install, ['--no-defaults', ...options, `--basedir=${dirname(dirname(binary))}`, '--skip-test-db', '--auth-root-authentication-method=normal'])
  } else {
    await execute(binary, ['--no-defaults', ...options, '--initialize-insecure'])
  }
  try {
    renameSync(making, template)
  } catch (error) {
    // Another process was first.
    rmSync(making, { recursive: true, force: true })
    if (!existsSync(template)) throw error
  }
  return template
}

function asRoot(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : []
}

function foreign(variable: string, url: string): TestServer {
  const refuse = (): never => {
    throw new Error(`The server of ${variable} is not ours to stop; a test that does so takes one from startMariadb() or startRedis()`)
  }
  const refuseLater = (): Promise<void> => Promise.resolve().then(refuse)
  const { port } = new URL(url)
  return {
    url,
    port: Number(port),
    get pid() {
      return refuse()
    },
    kill9: refuseLater,
    stop: refuseLater,
    freeze: refuseLater,
    thaw: refuse,
    restart: refuseLater,
  }
}
