// More than a process can hold is refused with a word on when to come back, its memory stays bounded, what is small gets
// through, everything acknowledged is in the log, and nothing has to be done for it to go on. A process that is told to end
// answers what it took.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { openEventLog } from '../../../src/events/openEventLog.ts'
import { openDatabase } from '../../../src/kernel/database/open.ts'
import { LIMITS } from '../../../src/limits.ts'
import { newApp, send, type TestApp } from '../../support/client.ts'
import { eventually } from '../../support/eventually.ts'
import { type RecountProcess, startProcess } from '../../support/processes.ts'
import { freshSqlite } from '../../support/servers.ts'

const OWNER_CODE = 'the owner code of these tests'

interface Held {
  readonly socket: Socket
  answer: string
}

interface Posted {
  readonly status: number
  readonly ids: readonly string[]
  readonly connection: string | undefined
}

describe('backpressure', function () {
  this.timeout(120_000)
  let url: string
  let server: RecountProcess
  let app: TestApp

  beforeEach(async () => {
    url = freshSqlite()
    server = await startProcess('all', { DATABASE_URL: url, OWNER_CODE, JWT_SECRET: 'a secret of the tests, thirty-two characters or more' })
    app = await newApp(server.url, OWNER_CODE)
  })
  afterEach(() => server.kill9())

  const residentBytes = (): number => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1]) * 1_024

  /** Sends all of a body but its end, and hears what comes back. */
  const hold = async (bytes: number): Promise<Held> => {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    const held: Held = { socket, answer: '' }
    socket.on('data', (chunk: Buffer) => (held.answer += chunk.toString('latin1')))
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(`POST /collect HTTP/1.1\r\nHost: recount\r\nAuthorization: Bearer ${app.token}\r\nContent-Length: ${bytes + 2}\r\n\r\n[${' '.repeat(bytes)}`)
    return held
  }

  const stored = async (): Promise<Set<string>> => {
    const database = await openDatabase(url)
    const log = await openEventLog(database, { url, partitions: 8 })
    try {
      return new Set((await log.readApp(app.appId, 0, 1_000_000)).map(({ eventId }) => eventId))
    } finally {
      await database.close()
    }
  }

  it('refuses large bodies beyond what it may hold of all sockets, takes small ones beside them, and all once they are gone', async () => {
    const before = residentBytes()
    const bytes = 950_000
    const fit = Math.floor(LIMITS.bodiesBytes / bytes)
    const held: Held[] = []
    for (let count = 0; count < 5 * fit; count++) held.push(await hold(bytes))
    const refused = await eventually(() => {
      const answered = held.filter(({ answer }) => answer.includes('\r\n\r\n'))
      assert.ok(answered.length >= 4 * fit - 5, `${answered.length} of ${held.length}`)
      return Promise.resolve(answered)
    })
    for (const { answer } of refused) assert.match(answer, /^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 1\r\n[\s\S]*"code":"overloaded"/)
    assert.ok(refused.length <= 4 * fit + 2, `${refused.length} of ${held.length} were refused, ${fit} fit`)
    const small = await send('POST', `${server.url}/collect`, { token: app.token, body: { event: 'small' } })
    assert.ok(small.status < 300, String(small.status))
    // Twice what may be held, because a socket's own buffers and what the collector has not taken yet come on top.
    const grown = residentBytes() - before
    assert.ok(grown < 2.5 * LIMITS.bodiesBytes, `grew by ${grown} bytes of ${held.length * bytes} offered`)
    for (const { socket } of held) socket.destroy()
    const large = { token: app.token, body: Array.from({ length: 400 }, () => ({ event: 'large', metadata: { pad: 'x'.repeat(2_000) } })) }
    const taken = await eventually(async () => {
      const answer = await send('POST', `${server.url}/collect`, large)
      assert.ok(answer.status < 300, String(answer.status))
      return answer
    })
    const ids = [...(small.body['ids'] as string[]), ...(taken.body['ids'] as string[])]
    const inLog = await stored()
    assert.deepEqual(ids.filter((id) => !inLog.has(id)), [])
  })

  it('answers what it took when it is told to end under load, says that connections end, and exits with 0', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 16 })
    const acknowledged: string[] = []
    const closing: string[] = []
    const broken: string[] = []
    let stopping = false
    const client = async (): Promise<void> => {
      for (;;) {
        try {
          const { status, ids, connection } = await post(agent)
          assert.ok(status < 300, String(status))
          acknowledged.push(...ids)
          if (stopping && connection === 'close') closing.push(connection)
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return
          // Only a connection that rested may be cut; what was sent on it has not been read.
          broken.push((error as NodeJS.ErrnoException).code ?? String(error))
        }
      }
    }
    const rested = connect(Number(new URL(server.url).port), new URL(server.url).hostname)
    const closed = once(rested, 'close')
    await once(rested, 'connect')
    const clients = Array.from({ length: 16 }, client)
    await eventually(() => Promise.resolve(acknowledged.length > 100 || assert.fail(`${acknowledged.length} acknowledged, ${broken.slice(0, 3).join()}`)))
    stopping = true
    assert.equal(await server.stop(), 0)
    await closed
    await Promise.all(clients)
    agent.destroy()
    assert.ok(closing.length > 0, `no answer said that its connection ends; ${broken.join()}`)
    assert.deepEqual(broken.filter((code) => code !== 'ECONNRESET' && code !== 'EPIPE'), [])
    const inLog = await stored()
    assert.deepEqual(acknowledged.filter((id) => !inLog.has(id)), [])
  })

  const post = (agent: Agent): Promise<Posted> =>
    new Promise((resolve, reject) => {
      const sent = request(`${server.url}/collect`, { method: 'POST', agent, headers: { authorization: `Bearer ${app.token}` } }, (res) => {
        let text = ''
        res.on('data', (chunk: Buffer) => (text += chunk.toString()))
        res.on('error', reject)
        res.on('end', () => resolve({ status: res.statusCode!, ids: (JSON.parse(text) as { ids: string[] }).ids, connection: res.headers.connection }))
      })
      sent.on('error', reject)
      sent.end(JSON.stringify({ event: 'single' }))
    })
})
