// A whole server-mode Recount on private stores: the processes of a production installation, an app and a key.
import { randomBytes } from 'node:crypto'
import { newApp, type TestApp } from '../../test/support/client.ts'
import type { RecountProcess } from '../../test/support/processes.ts'
import { startBuilt } from './built.ts'
import { freshDatabase, startMariadb, startRedis } from '../../test/support/servers.ts'

export interface Stack {
  readonly app: TestApp
  readonly api: RecountProcess
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly processes: readonly (Pick<RecountProcess, 'pid' | 'log'> & { readonly name: string })[]
  readonly mariadbPid: number
  readonly redisPid: number
  /** One more process of a role, with what is different for it. */
  start(role: string, own?: Record<string, string>): Promise<RecountProcess>
  stop(): Promise<void>
}

/** Starts MariaDB, Redis and the API; `roles` besides it. */
export async function startStack(roles: readonly string[], more: Record<string, string> = {}): Promise<Stack> {
  const [mariadb, redis] = await Promise.all([startMariadb(['--innodb-buffer-pool-size=1G', '--innodb-log-file-size=512M']), startRedis()])
  const databaseUrl = await freshDatabase(mariadb)
  const ownerCode = randomBytes(12).toString('hex')
  const secret = randomBytes(32).toString('hex')
  const env = { DATABASE_URL: databaseUrl, REDIS_URL: redis.url, JWT_SECRET: secret, OWNER_CODE: ownerCode, LOG_LEVEL: 'info', ...more }
  const running: RecountProcess[] = []
  const processes: (Pick<RecountProcess, 'pid' | 'log'> & { name: string })[] = []
  const start = async (role: string, own: Record<string, string> = {}): Promise<RecountProcess> => {
    const started = await startBuilt(role, { ...env, ...own })
    running.push(started)
    processes.push({ name: role, ...started })
    return started
  }
  const api = await start('api')
  for (const role of roles) await start(role)
  const app = await newApp(api.url, ownerCode)
  return {
    app,
    api,
    databaseUrl,
    redisUrl: redis.url,
    processes,
    mariadbPid: mariadb.pid,
    redisPid: redis.pid,
    start,
    async stop() {
      await Promise.all(running.map((process) => process.kill9()))
      await Promise.all([mariadb.kill9(), redis.kill9()])
    },
  }
}
