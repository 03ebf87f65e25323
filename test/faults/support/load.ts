// Clients as they are in the wild: they send to either API process, try again when an answer is lost or says 429 or 503 (after
// the time it names), sometimes send the same thing several times, and write down what was acknowledged. Anything else than
// these answers is a failure of its own.
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http'
import { newApp } from '../../support/client.ts'
import type { World } from './fault.ts'
import { ACKNOWLEDGED, type AppBooks, openBooks, SENT } from './ledger.ts'
import { randomOf } from './random.ts'
import { type Drawn, drawRequest, type TrafficShape, validEvent } from './traffic.ts'

export interface LoadOptions extends TrafficShape {
  readonly clients: number
  readonly apps: number
  /** Over all clients; what an outage kept from being sent is not made up for beyond two seconds. */
  readonly eventsPerSecond: number
  /** Once there are so many different ones, a tenth of that speed is enough: stores have an end. */
  readonly enoughEvents?: number
}

export interface Load {
  readonly books: readonly AppBooks[]
  /** By status; 0 is an answer that was lost. */
  readonly answers: ReadonlyMap<number, number>
  /** What no answer should have been, the first of them. */
  readonly failures: readonly string[]
  /** Events sent, valid or not, each time they were. */
  readonly attempted: number
  /** One event through one process, tried until acknowledged: its id and app. */
  probe(url: string): Promise<{ readonly id: string; readonly app: AppBooks }>
  /** No new requests; resolves when each under way is acknowledged, or given up after so long. */
  stop(patienceMs?: number): Promise<void>
}

const TIMEOUT_MS = 15_000
const PAUSE_MS = 100
const PAUSE_MAX_MS = 2_000
const FAILURES_KEPT = 20
const BURST_SECONDS = 2

export interface Answer {
  readonly status: number
  readonly body: string
  readonly retryAfterMs: number
}

interface State {
  readonly world: World
  readonly agent: Agent
  readonly urls: readonly string[]
  readonly books: AppBooks[]
  readonly answers: Map<number, number>
  readonly failures: string[]
  attempted: number
  stopping: boolean
  /** Of performance.now(): after this nothing is tried again. */
  giveUpAt: number
}

export async function startLoad(world: World, options: LoadOptions): Promise<Load> {
  const urls = world.processes('api').map(({ url }) => url)
  const books: AppBooks[] = []
  // The last one is for probes alone.
  for (let number = 0; number <= options.apps; number++) {
    const { appId, token } = await newApp(urls[0]!, world.ownerCode, { name: `Load ${number}` })
    books.push(openBooks(appId, token, world.seed, number))
  }
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  const state: State = { world, agent, urls, books, answers: new Map(), failures: [], attempted: 0, stopping: false, giveUpAt: Number.POSITIVE_INFINITY }
  const pace = createPace(state, options)
  const clients = Array.from({ length: options.clients }, (_, index) => runClient(state, index, options, pace))
  const probes = books.at(-1)!
  const random = randomOf(world.seed, 'probes')
  return {
    ...{ books, answers: state.answers, failures: state.failures },
    get attempted() {
      return state.attempted
    },
    async probe(url) {
      const counter = probes.next(0)
      const body = JSON.stringify(validEvent(probes, counter, random))
      await insist(state, { app: probes, counters: [counter], invalid: new Set(), body, ackStored: false, copies: 1, again: false, impatient: false }, () => url)
      return { id: probes.idOf(counter), app: probes }
    },
    async stop(patienceMs = 30_000) {
      state.stopping = true
      state.giveUpAt = performance.now() + patienceMs
      await Promise.all(clients)
      agent.destroy()
    },
  }
}

async function runClient(state: State, index: number, options: LoadOptions, pace: (events: number) => Promise<void>): Promise<void> {
  const random = randomOf(state.world.seed, `client ${index}`)
  const apps = state.books.slice(0, options.apps)
  while (!state.stopping) {
    const drawn = drawRequest(random, apps, options)
    await pace(drawn.counters.length)
    let turn = random.int(state.urls.length)
    const nextUrl = (): string => state.urls[turn++ % state.urls.length]!
    const copies = Array.from({ length: drawn.copies - 1 }, () => attempt(state, drawn, nextUrl()))
    await Promise.all([insist(state, drawn, nextUrl), ...copies])
    if (drawn.again) await attempt(state, drawn, nextUrl())
  }
}

/** Tries until it is acknowledged, the client is not one that tries again, or the run ends. */
async function insist(state: State, drawn: Drawn, nextUrl: () => string): Promise<void> {
  for (;;) {
    const answer = await attempt(state, drawn, nextUrl())
    if (answer !== undefined && answer.status !== 429 && answer.status !== 503) return
    if ((answer === undefined && drawn.impatient) || performance.now() > state.giveUpAt) return
    await pause(answer === undefined ? PAUSE_MS : Math.min(Math.max(answer.retryAfterMs, PAUSE_MS), PAUSE_MAX_MS))
  }
}

/** One request; undefined when its answer was lost. */
async function attempt(state: State, drawn: Drawn, url: string): Promise<Answer | undefined> {
  const { app, counters, invalid } = drawn
  for (const counter of counters) app.mark(counter, SENT)
  app.attempted += counters.length - invalid.size
  app.attemptedInvalid += invalid.size
  state.attempted += counters.length
  const answer = await post(state.agent, `${url}/collect${drawn.ackStored ? '?ack=stored' : ''}`, app.token, drawn.body)
  const status = answer?.status ?? 0
  state.answers.set(status, (state.answers.get(status) ?? 0) + 1)
  if (answer === undefined || status === 429 || status === 503) return answer
  const fault = enter(drawn, answer)
  if (fault !== undefined && state.failures.length < FAILURES_KEPT) state.failures.push(`${url}: ${fault}; answered ${status} ${answer.body.slice(0, 500)}`)
  return answer
}

/** Writes an answer into the books; what is wrong with it, undefined when nothing is. */
function enter({ app, counters, invalid, ackStored }: Drawn, { status, body }: Answer): string | undefined {
  const none = counters.length === invalid.size
  if (none) {
    if (status !== 400 || !body.includes('"invalid_event"')) return 'a request without a valid event'
    app.refused += invalid.size
    return undefined
  }
  if (status !== 202 && !(ackStored && status === 201)) return 'an unexpected answer'
  const said = JSON.parse(body) as { accepted: number; ids: (string | null)[]; rejected: { index: number }[]; positions?: (number | null)[] }
  if (said.accepted !== counters.length - invalid.size || said.rejected.length !== invalid.size) return 'not what was valid was taken'
  app.accepted += said.accepted
  app.refused += invalid.size
  for (const [index, counter] of counters.entries()) {
    if (invalid.has(index)) {
      if (said.ids[index] !== null) return 'an invalid event has an id'
      continue
    }
    if (said.ids[index] !== app.idOf(counter)) return 'the id is not the one that was sent'
    app.mark(counter, ACKNOWLEDGED)
    if (status === 201 && !app.place(counter, said.positions![index]!)) return 'two positions for one event'
  }
  return undefined
}

function post(agent: Agent, url: string, token: string, body: string): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const req = httpRequest(url, { method: 'POST', agent, headers, timeout: TIMEOUT_MS }, (res: IncomingMessage) => {
      let text = ''
      res.setEncoding('utf8')
      res.on('data', (chunk: string) => (text += chunk))
      res.on('error', () => resolve(undefined))
      // Also of an answer that broke off, which is none.
      res.on('close', () => resolve(res.complete ? { status: res.statusCode!, body: text, retryAfterMs: Number(res.headers['retry-after'] ?? 0) * 1_000 } : undefined))
    })
    req.on('timeout', () => req.destroy())
    req.on('error', () => resolve(undefined))
    req.end(body)
  })
}

/** Resolves when so many more events may go. */
function createPace(state: State, { eventsPerSecond, enoughEvents = Number.POSITIVE_INFINITY }: LoadOptions): (events: number) => Promise<void> {
  let due = performance.now()
  return async (events) => {
    const now = performance.now()
    const different = state.books.reduce((sum, { issued }) => sum + issued, 0)
    const speed = different < enoughEvents ? eventsPerSecond : eventsPerSecond / 10
    due = Math.max(due, now - BURST_SECONDS * 1_000) + (events / speed) * 1_000
    if (due > now && !state.stopping) await pause(due - now)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
