// A client that never ends its half of a connection holds nothing for longer than a request may take: whatever it left
// unfinished and however it was answered, its socket is closed, and what its body took is there for others again.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect, Socket } from 'node:net'
import { createHttpServer } from '../../src/http/server.ts'
import { LIMITS } from '../../src/limits.ts'
import { eventually } from '../support/eventually.ts'
import { withLimits } from '../support/limits.ts'
import { fakeDeps, listening, WRITE_KEY } from './support/fakeDeps.ts'
import { ask, type Asked, codeOf } from './support/fixture.ts'

const COLLECT = 'POST /collect HTTP/1.1\r\nhost: recount\r\n'
const STRANGE_KEY = `authorization: Bearer rk_${'x'.repeat(30)}\r\n`
const LONG = 'content-length: 990000\r\n\r\n['

interface HalfOpen {
  readonly socket: Socket
  answer: string
}

describe('clients that never end their half', function () {
  this.timeout(60_000)
  let server: Server
  let place: Awaited<ReturnType<typeof listening>>
  let clients: HalfOpen[]
  let trickles: NodeJS.Timeout[]

  const start = async (requestMs: number): Promise<void> => {
    server = createHttpServer(fakeDeps())
    server.requestTimeout = server.headersTimeout = requestMs
    place = await listening(server)
  }
  beforeEach(() => {
    clients = []
    trickles = []
  })
  afterEach(async () => {
    trickles.forEach((trickle) => clearInterval(trickle))
    for (const { socket } of clients) socket.destroy()
    await place.close()
  })

  /** Sends `text` at once and `more` again and again; reads, and never ends nor closes by itself. */
  const lean = async (text: string, more?: string): Promise<HalfOpen> => {
    const socket = connect({ port: place.port, host: '127.0.0.1', allowHalfOpen: true })
    const client: HalfOpen = { socket, answer: '' }
    clients.push(client)
    socket.on('data', (chunk: Buffer) => (client.answer += chunk.toString('latin1')))
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    if (text !== '') socket.write(text)
    if (more !== undefined) trickles.push(setInterval(() => socket.writable && socket.write(more), 50))
    return client
  }
  const held = (): Promise<number> => new Promise((resolve, reject) => server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))))

  const CASES: [name: string, status: number, text: string, more?: string][] = [
    ['nothing at all', 408, ''],
    ['an unfinished head', 408, 'POST /collect HT'],
    ['a head that trickles', 408, 'POST /collect HTTP/1.1\r\n', 'a: b\r\n'],
    ['an unfinished body', 408, `${COLLECT}${LONG}`],
    ['a body that trickles', 408, `${COLLECT}${LONG}`, ' '],
    ['what is no HTTP', 400, 'NONSENSE\r\n\r\n'],
    ['a head too large', 431, `GET / HTTP/1.1\r\nhost: recount\r\na: ${'x'.repeat(2 * LIMITS.headerBytes)}`],
    ['a body refused for its key', 401, `${COLLECT}${STRANGE_KEY}${LONG}`, ' '],
    ['a body refused for its length', 413, `${COLLECT}content-length: 9900000\r\n\r\n[`, ' '],
    ['a body for nobody', 404, `POST /nothing HTTP/1.1\r\nhost: recount\r\n${LONG}`, ' '],
  ]
  for (const [name, status, text, more] of CASES) {
    it(`are answered ${status} and let go after ${name}`, async () => {
      await start(300)
      const client = await lean(text, more)
      await eventually(() => client.answer.startsWith(`HTTP/1.1 ${status} `) || assert.fail(client.answer))
      await eventually(async () => (await held()) === 0 || assert.fail(`${await held()} held`))
      assert.ok(client.answer.endsWith('}\n'), client.answer)
    })
  }

  it('give back what their bodies took, so that large ones are taken again', async () => {
    await start(60_000)
    const part = (bytes: number): Promise<HalfOpen> => lean(`${COLLECT}${LONG}${' '.repeat(bytes)}`)
    for (let bytes = 0; bytes < LIMITS.bodiesBytes; bytes += 900_000) await part(900_000)
    // Those that were refused are forgotten already; what is as small as one event is taken on top.
    for (let count = 0; count < 40; count++) await part(32_000)
    const large: Asked = { path: '/collect', token: WRITE_KEY, body: Array.from({ length: 40 }, () => ({ event: 'large', metadata: { pad: 'x'.repeat(2_000) } })) }
    const outcome = async (): Promise<string> => {
      const told = await ask(place.url, large)
      return `${told.status} ${codeOf(told)}`.trim()
    }
    const becomes = (expected: string): Promise<true> =>
      eventually(async () => {
        assert.equal(await outcome(), expected)
        return true as const
      })
    await becomes('503 overloaded')
    server.requestTimeout = server.headersTimeout = 300
    await becomes('202')
  })

  it('are let go when they send requests and read no answer', async () => {
    await withLimits({ socketSilentMs: 400 }, () => start(60_000))
    const socket = connect({ port: place.port, host: '127.0.0.1' })
    clients.push({ socket, answer: '' })
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    // Nothing listens for data: answers fill the buffers on both sides, and then the server reads no further.
    const requests = 'GET /openapi.json HTTP/1.1\r\nhost: recount\r\n\r\n'.repeat(500)
    socket.write(requests)
    assert.equal(await held(), 1)
    await eventually(async () => (await held()) === 0 || assert.fail(`${await held()} held`))
  })

  it('are let go although the answer never leaves', async () => {
    await start(300)
    // As long as it connects, nothing is flushed: as where the other side takes no byte.
    const deaf = Object.assign(new Socket(), { connecting: true })
    server.emit('clientError', new Error('malformed'), deaf)
    assert.equal(deaf.destroyed, false)
    await once(deaf, 'close')
  })
})
