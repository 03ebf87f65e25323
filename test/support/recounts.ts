// Several processes of Recount inside this one: each is the whole program with connections of its own to one MariaDB and one
// Redis, so that they know of each other what real processes would. Starts in a fraction of the time; cannot be killed.
import { randomBytes } from 'node:crypto'
import { readConfig } from '../../src/config.ts'
import { type Recount, startRecount } from '../../src/main.ts'
import { type JsonAnswer, send } from './client.ts'
import { scratchDirectory } from './scratch.ts'
import { freshDatabase, freshRedis } from './servers.ts'

export interface Started extends Recount {
  ask(method: string, path: string, token?: string, body?: object): Promise<JsonAnswer>
  /** Status, and the code of a problem. */
  says(method: string, path: string, token?: string, body?: object): Promise<string>
}

export interface Recounts {
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly jwtSecret: string
  /** `aheadMs`: by how much its wall clock is wrong. */
  start(role: 'api' | 'append' | 'project', options?: { aheadMs?: number; env?: Record<string, string> }): Promise<Started>
  /** Of the owner. */
  signIn(at: Started): Promise<{ token: string; refreshToken: string }>
  close(): Promise<void>
}

export async function startRecounts(env: Record<string, string> = {}): Promise<Recounts> {
  const [databaseUrl, redisUrl] = await Promise.all([freshDatabase(), freshRedis()])
  const [jwtSecret, ownerCode] = [randomBytes(32).toString('hex'), randomBytes(12).toString('hex')]
  const common = {
    ...{ PORT: '0', HOST: '127.0.0.1', PARTITIONS: '2', NODE_ENV: 'test', LOG_LEVEL: 'silent', RATE_LIMIT: 'off', ALLOW_UNSAFE_STORES: '1' },
    ...{ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, JWT_SECRET: jwtSecret, OWNER_CODE: ownerCode, ...env },
  }
  const started: Recount[] = []
  return {
    ...{ databaseUrl, redisUrl, jwtSecret },
    async start(role, { aheadMs = 0, env: more = {} } = {}) {
      const config = readConfig({ ...common, ROLE: role, DATA_DIR: scratchDirectory('recounts'), ...more })
      const recount = await startRecount(config, { clock: { now: () => Date.now() + aheadMs } })
      started.push(recount)
      const ask: Started['ask'] = (method, path, token, body) => {
        return send(method, recount.url + path, { ...(token === undefined ? {} : { token }), ...(body === undefined ? {} : { body }) })
      }
      const says: Started['says'] = async (...asked) => {
        const { status, body } = await ask(...asked)
        return typeof body['code'] === 'string' ? `${status} ${body['code']}` : String(status)
      }
      return { ...recount, ask, says, close: () => recount.close() }
    },
    async signIn(at) {
      const { body } = await at.ask('POST', '/auth/local', undefined, { code: ownerCode })
      return body as { token: string; refreshToken: string }
    },
    async close() {
      await Promise.all(started.map((recount) => recount.close()))
    },
  }
}
