// Recount as `npm start` runs it, on SQLite, in this process; an owner with an app and keys of each kind; and requests that
// check every answer against the OpenAPI document before a test sees it.
import assert from 'node:assert/strict'
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http'
import { readConfig } from '../../../src/config.ts'
import type { Tokens } from '../../../src/http/tokens.ts'
import type { CommandBus } from '../../../src/commands/commandBus.ts'
import type { Keyring } from '../../../src/commands/keyring.ts'
import { startRecount, type StartOptions } from '../../../src/main.ts'
import { newApp, send, type TestApp } from '../../support/client.ts'
import { scratchDirectory } from '../../support/scratch.ts'
import { documented } from './documented.ts'

export const OWNER_CODE = 'owner-code-of-the-tests'
export const JWT_SECRET = 'a secret of the tests, thirty-two characters or more'
export const METRICS_TOKEN = 'metrics-token-of-the-tests'

export interface Asked {
  readonly method?: string
  readonly path: string
  readonly token?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Text and bytes are sent as they are, everything else as JSON. */
  readonly body?: unknown
}

export interface Told {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Of a JSON answer; null otherwise. */
  readonly body: Record<string, unknown>
}

export interface Fixture {
  readonly url: string
  readonly tokens: Tokens
  readonly keyring: Keyring
  readonly bus: CommandBus
  /** The SQLite file, for tests that change what only Recount should. */
  readonly file: string
  /** All scopes. */
  readonly app: TestApp
  /** Another app of the same owner. */
  readonly other: TestApp
  ask(asked: Asked): Promise<Told>
  issue(body: Record<string, unknown>): Promise<{ keyId: string; token: string; writeKey: string }>
  close(): Promise<void>
}

export async function startFixture(env: Record<string, string> = {}, options: StartOptions = {}): Promise<Fixture> {
  const ownerCode = env['OWNER_CODE'] ?? OWNER_CODE
  const directory = scratchDirectory('http')
  const file = `${directory}/recount.db`
  const config = readConfig({
    PORT: '0',
    HOST: '127.0.0.1',
    DATA_DIR: directory,
    DATABASE_URL: `sqlite:${file}`,
    PARTITIONS: '2',
    OWNER_CODE,
    JWT_SECRET,
    METRICS_TOKEN,
    RATE_LIMIT: 'off',
    LOG_LEVEL: 'silent',
    NODE_ENV: 'test',
    ...env,
  })
  const recount = await startRecount(config, options)
  const { url, tokens, keyring } = recount
  const bus = recount.bus!
  const apps = async (): Promise<[TestApp, TestApp]> => [await newApp(url, ownerCode), await newApp(url, ownerCode, { name: 'Other app' })]
  const [app, other] = await apps().catch(async (error: unknown) => {
    await recount.close()
    throw error
  })
  return {
    ...{ url, tokens, keyring, bus, file, app, other },
    ask: (asked) => ask(url, asked),
    issue: async (body) => {
      const answer = await send('POST', `${url}/auth/api-key`, { token: app.userToken, body: { appId: app.appId, ...body } })
      assert.equal(answer.status, 201, JSON.stringify(answer.body))
      return answer.body as { keyId: string; token: string; writeKey: string }
    },
    close: () => recount.close(),
  }
}

/** The code of a problem; empty where there is none. */
export function codeOf({ body }: Told): string {
  return typeof body['code'] === 'string' ? body['code'] : ''
}

export async function ask(url: string, asked: Asked): Promise<Told> {
  const told = await exchange(url, asked)
  documented(asked.method ?? defaultMethod(asked), asked.path, told)
  return told
}

function defaultMethod({ body }: Asked): string {
  return body === undefined ? 'GET' : 'POST'
}

function exchange(url: string, asked: Asked): Promise<Told> {
  const { body, token } = asked
  const bytes = body === undefined ? undefined : Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body)
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const req = httpRequest({
      ...{ hostname, port, agent: false, path: asked.path, method: asked.method ?? defaultMethod(asked) },
      headers: {
        ...(bytes === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(bytes) }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...asked.headers,
      },
    })
    let answered = false
    req.on('response', (res) => {
      answered = true
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('error', reject)
      res.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const isJson = /[/+]json\b/.test(res.headers['content-type'] ?? '') && text !== ''
        const parsed = isJson ? (JSON.parse(text) as Record<string, unknown>) : {}
        resolve({ status: res.statusCode!, headers: res.headers, text, body: parsed })
      })
    })
    // A server that refuses a body may close before all of it is sent.
    req.on('error', (error) => (answered ? undefined : reject(error)))
    req.end(bytes)
  })
}
