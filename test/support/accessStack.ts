// Four API processes and an append worker on stores of their own, as in production, with cables to pull: the last API process
// reaches the log, and the first one Redis, through a proxy. What is taken away is taken away at the first.
import { randomBytes, randomUUID } from 'node:crypto'
import type { Asking } from './accessLoad.ts'
import { newApp, send, type TestApp } from './client.ts'
import { eventually } from './eventually.ts'
import type { RecountProcess } from './processes.ts'
import { freshDatabase, startMariadb, startRedis, type TestServer } from './servers.ts'
import { startTcpProxy, type TcpProxy } from './tcpProxy.ts'

export const API_PROCESSES = 4

export interface AccessStack {
  readonly urls: readonly string[]
  readonly processes: readonly RecountProcess[]
  readonly worker: RecountProcess
  readonly databaseUrl: string
  readonly jwtSecret: string
  readonly mariadb: TestServer
  readonly redis: TestServer
  /** Between the last API process and the log. */
  readonly lastToLog: TcpProxy
  /** Between the first API process and Redis. */
  readonly firstToRedis: TcpProxy
  readonly app: TestApp
  /** Of the owner, good for a quarter of an hour. */
  signIn(): Promise<string>
  /** At the first process; throws unless it is answered 2xx. */
  change(token: string, path: string, body: object, method?: string): Promise<Record<string, unknown>>
  /** kill -9, and again on the same port. */
  restart(process: number, env?: Record<string, string>): Promise<void>
  /** Every process takes requests and trusts itself. */
  healthy(): Promise<void>
  stop(): Promise<void>
}

export type Start = (role: string, env: Record<string, string>) => Promise<RecountProcess>

export async function startAccessStack(start: Start, more: Record<string, string> = {}): Promise<AccessStack> {
  const [mariadb, redis] = await Promise.all([startMariadb(), startRedis()])
  const databaseUrl = await freshDatabase(mariadb)
  const [lastToLog, firstToRedis] = await Promise.all([startTcpProxy(databaseUrl), startTcpProxy(redis.url)])
  const ownerCode = randomBytes(12).toString('hex')
  const jwtSecret = randomBytes(32).toString('hex')
  const common = { DATABASE_URL: databaseUrl, REDIS_URL: redis.url, JWT_SECRET: jwtSecret, OWNER_CODE: ownerCode, ...more }
  const envOf = (index: number): Record<string, string> => ({
    ...common,
    ...(index === 0 ? { REDIS_URL: firstToRedis.url } : {}),
    ...(index === API_PROCESSES - 1 ? { DATABASE_URL: lastToLog.url } : {}),
  })
  // The first migrates; the others find it done.
  const first = await start('api', envOf(0))
  const others = await Promise.all(Array.from({ length: API_PROCESSES - 1 }, (_, index) => start('api', envOf(index + 1))))
  const processes = [first, ...others]
  const worker = await start('append', common)
  const app = await newApp(first.url, ownerCode)
  const urls = processes.map(({ url }) => url)
  return {
    ...{ urls, processes, worker, databaseUrl, jwtSecret, mariadb, redis, lastToLog, firstToRedis, app },
    async signIn() {
      const { body } = await send('POST', `${urls[0]!}/auth/local`, { body: { code: ownerCode } })
      return body['token'] as string
    },
    async change(token, path, body, method = 'POST') {
      const answer = await send(method, urls[0]! + path, { token, ...(method === 'DELETE' ? {} : { body }) })
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
      return answer.body
    },
    async restart(process, env = {}) {
      await processes[process]!.kill9()
      processes[process] = await start('api', { ...envOf(process), PORT: new URL(urls[process]!).port, ...env })
    },
    async healthy() {
      for (const url of urls) await eventually(async () => (await fetch(`${url}/health/ready`)).status === 200, { timeoutMs: 30_000, everyMs: 50 })
    },
    async stop() {
      await Promise.all([...processes, worker].map((process) => process.kill9()))
      await Promise.all([lastToLog.close(), firstToRedis.close(), mariadb.kill9(), redis.kill9()])
    },
  }
}

/** One event under one id, however often it is sent. */
export function collecting(token: string): Asking {
  return { method: 'POST', path: '/collect', token, body: JSON.stringify({ event: 'load', id: randomUUID(), anonymousId: randomUUID() }) }
}
