// Sends generated requests to a server in a process of its own and holds every answer against what is promised of all of
// them: none is a fault of the server, all are as documented and in time, nobody is shown what is somebody else's, the process
// lives and its heap stays level. What fails names the seed and the number of the request.
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { documented } from '../documented.ts'
import type { Told } from '../fixture.ts'
import { agent, exchange } from './exchange.ts'
import { randomOf } from './random.ts'
import { exchangeRaw, rawMessage } from './raw.ts'
import { requestOf, type Sent } from './requests.ts'
import type { Question } from './server.ts'
import type { World } from './world.ts'

export interface Outcome {
  /** By status, and `raw` for what was no HTTP. */
  readonly statuses: ReadonlyMap<string, number>
  /** `GET /apps`, of those that were not refused every time. */
  readonly succeeded: ReadonlySet<string>
  /** Collected, at the start and after each quarter. */
  readonly heapsBytes: readonly number[]
}

const WORLD_REQUESTS = 500
const CONCURRENCY = 8
/** One in so many is raw bytes. */
const RAW_EVERY = 20
/** Longer than anything should take beside other suites on two cores, and a hang all the same. */
const ANSWER_MS = 60_000
const SERVER = fileURLToPath(new URL('./server.ts', import.meta.url))

export async function fuzz(requests: number, seed: string): Promise<Outcome> {
  const server = new Server()
  const outcome = { statuses: new Map<string, number>(), succeeded: new Set<string>(), heapsBytes: [] as number[] }
  try {
    await server.started
    for (let first = 0; first < requests; first += WORLD_REQUESTS) {
      const world = await server.ask<World>('world')
      const last = Math.min(first + WORLD_REQUESTS, requests)
      if (outcome.heapsBytes.length === 0) outcome.heapsBytes.push(await server.ask('heap'))
      await batch(server, world, seed, first, last, outcome)
      if (Math.floor((last * 4) / requests) > Math.floor((first * 4) / requests)) outcome.heapsBytes.push(await server.ask('heap'))
    }
    await stillServes(await server.ask<World>('world'))
    assert.equal(server.output, '', 'the server logged errors')
    return outcome
  } finally {
    agent.destroy()
    await server.close()
  }
}

async function batch(server: Server, world: World, seed: string, first: number, last: number, { statuses, succeeded }: { statuses: Map<string, number>; succeeded: Set<string> }): Promise<void> {
  let next = first
  const lane = async (): Promise<void> => {
    while (next < last) {
      const number = next++
      const status = await one(server, world, seed, number, succeeded)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, lane))
}

async function one(server: Server, world: World, seed: string, number: number, succeeded: Set<string>): Promise<string> {
  if (number % RAW_EVERY === RAW_EVERY - 1) return raw(server, world, seed, number)
  const sent = requestOf(world, seed, number)
  let told: Told | undefined
  try {
    told = await exchange(world.url, sent, ANSWER_MS)
    assert.ok(told.status < 500, 'a fault of the server')
    // Whatever there is, is not wanted: HTTP's own answer to that (RFC 9110, 13.1.2), on every route.
    if (told.status === 304 && sent.headers['if-none-match'] === '*') assert.equal(told.text, '')
    else documented(sent.method, sent.path, told)
    keepsSecrets(world, sent, told)
  } catch (cause) {
    throw server.failure(`request ${number} of RECOUNT_FUZZ_SEED=${seed}: ${(cause as Error).message}\n${inWords(sent)}\n→ ${told?.status} ${told?.text.slice(0, 1_000)}`, cause)
  }
  if (told.status < 400 && sent.operation?.startsWith(`${sent.method} `) === true) succeeded.add(sent.operation)
  return String(told.status)
}

async function raw(server: Server, { url, canary }: World, seed: string, number: number): Promise<string> {
  const message = rawMessage(randomOf(`${seed}/${number}`))
  try {
    const answer = await exchangeRaw(url, message, ANSWER_MS)
    assert.ok(answer === '' || /^HTTP\/1\.1 [1-4]\d\d /.test(answer), answer.slice(0, 1_000))
    assert.equal(answer.includes(canary), false)
  } catch (cause) {
    throw server.failure(`raw request ${number} of RECOUNT_FUZZ_SEED=${seed}: ${(cause as Error).message}\n${JSON.stringify(message.toString('latin1').slice(0, 500))}`, cause)
  }
  return 'raw'
}

/** To somebody outside: no name, and no id but those that they said themselves. */
function keepsSecrets({ canary, rivals }: World, { credential, path, body }: Sent, { text, headers }: Told): void {
  if (credential.isRival) return
  const answer = `${text}${JSON.stringify(headers)}`
  assert.equal(answer.toLowerCase().includes(canary), false, 'the canary of the other organisation was in the answer')
  // Whoever runs the installation rebuilds read models of any app, by its id.
  if (credential.isOperator && path.toLowerCase().startsWith('/projections')) return
  const said = `${path}${body?.toString() ?? ''}`
  for (const id of ['appId', 'organisationId', 'accountId', 'keyId', 'eventId', 'definitionId', 'invitationId'].flatMap((name) => rivals[name] ?? [])) {
    assert.ok(!answer.includes(id) || said.includes(id), `an id of the other organisation was in the answer: ${id}`)
  }
}

/** The process lives, and what it takes it still counts: nothing of all that has stopped a fold. */
async function stillServes({ url, credentials, home }: World): Promise<void> {
  const key = credentials.find(({ name }) => name === 'a key')!
  const ask = (method: string, path: string, more: Partial<Sent> = {}): Promise<Told> =>
    exchange(url, { method, path, headers: key.headers, body: undefined, operation: undefined, credential: key, ...more }, ANSWER_MS)
  const body = Buffer.from('{"event":"after all that","userId":"u"}')
  const collected = await ask('POST', '/collect?ack=stored', { body })
  assert.equal(collected.status, 201, collected.text)
  const counted = await ask('GET', `/analytics/event-summary?appId=${home['appId']![0]!}&event=after%20all%20that&after=${(collected.body['ids'] as string[])[0]!}`)
  assert.deepEqual([counted.status, counted.body['count']], [200, 1], counted.text)
}

function inWords({ method, path, headers, body, credential }: Sent): string {
  return `${method} ${path.slice(0, 1_500)}\nas ${credential.name}, ${JSON.stringify(headers).slice(0, 1_000)}\n${body?.toString().slice(0, 1_500) ?? ''}`
}

class Server {
  readonly started: Promise<unknown>
  /** What it wrote: errors alone are logged. */
  output = ''
  private readonly child: ChildProcess

  constructor() {
    this.child = fork(SERVER, { execArgv: ['--expose-gc', '--import', 'tsx'], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    for (const stream of [this.child.stdout!, this.child.stderr!]) stream.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    this.started = this.next()
  }

  async ask<T>(question: Question): Promise<T> {
    this.child.send(question)
    return (await this.next()) as T
  }

  failure(message: string, cause: unknown): Error {
    const { exitCode, signalCode } = this.child
    const ended = exitCode === null && signalCode === null ? '' : `\nthe server has ended: ${exitCode ?? signalCode}`
    return new Error(`${message}${ended}\n${this.output.slice(-4_000)}`, { cause })
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = new Promise((resolve) => this.child.once('exit', resolve))
    if (this.child.connected) this.child.send('close' satisfies Question)
    const force = setTimeout(() => this.child.kill('SIGKILL'), ANSWER_MS)
    await ended
    clearTimeout(force)
  }

  private next(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(this.failure('the server ended', undefined))
      this.child.once('exit', onExit)
      this.child.once('message', (message) => {
        this.child.off('exit', onExit)
        resolve(message)
      })
    })
  }
}
