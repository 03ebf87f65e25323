// Bodies reach readJson whichever way they come: in the packet of their head, in pieces, before anybody asked for them, too
// large, or not to their end; and a connection stands to the next request whatever became of the one before.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { Problem } from '../../../src/errors.ts'
import { ArrivingRequest } from '../../../src/http/arrivingRequest.ts'
import { readJson } from '../../../src/http/body.ts'
import { eventually } from '../../support/eventually.ts'

const BOUNDS = { bytes: 100, depth: 8 }

describe('a body that arrives', () => {
  let server: Server
  let socket: Socket
  let heard = ''
  /** Requests whose body is awaited. */
  let begun = 0
  const read: unknown[] = []
  let before: (req: IncomingMessage) => Promise<void> = () => Promise.resolve()

  beforeEach(async () => {
    heard = ''
    begun = 0
    read.length = 0
    before = () => Promise.resolve()
    server = createServer({ IncomingMessage: ArrivingRequest }, (req, res) => {
      begun += 1
      const reading = async (): Promise<unknown> => {
        if (req.url === '/waited') await before(req)
        return readJson(req, BOUNDS)
      }
      reading()
        .catch((error: unknown) => (error instanceof Problem ? error.code : error))
        .finally(() => (begun -= 1))
        .then(
          (body) => {
            read.push(body)
            res.end(`[${read.length}]`)
          },
          () => undefined,
        )
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.setEncoding('latin1').on('data', (text: string) => (heard += text))
    await once(socket, 'connect')
  })

  afterEach(() => {
    socket.destroy()
    server.close()
    server.closeAllConnections()
  })

  const head = (bytes: number, path = '/'): string => `POST ${path} HTTP/1.1\r\nHost: here\r\nContent-Length: ${bytes}\r\n\r\n`
  const seen = async (condition: () => boolean): Promise<void> => {
    await eventually(condition, { everyMs: 2, timeoutMs: 4_000 })
  }
  const answers = (count: number): Promise<void> => seen(() => heard.includes(`[${count}]`))

  it('is read from the packet of its head, and one after the other on one connection', async () => {
    for (let number = 1; number <= 3; number++) {
      const body = JSON.stringify({ number })
      socket.write(head(body.length) + body)
      await answers(number)
    }
    assert.deepEqual(read, [{ number: 1 }, { number: 2 }, { number: 3 }])
  })

  it('is put together from its pieces, and from those of requests that follow at once', async () => {
    const chunked = 'POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n'
    socket.write(`${chunked}4\r\n{"a"\r\n`)
    await turn()
    socket.write(`3\r\n:1}\r\n0\r\n\r\n${head(2)}[]${head(2)}{}`)
    await answers(3)
    assert.deepEqual(read, [{ a: 1 }, [], {}])
  })

  it('is read where it arrived before it was asked for', async () => {
    before = (req) => seen(() => req.complete)
    socket.write(`${head(7, '/waited')}{"a":2}`)
    await answers(1)
    let some = false
    before = async (req) => {
      await seen(() => req.readableLength === 3)
      some = true
    }
    socket.write(`${head(7, '/waited')}{"a`)
    await seen(() => some)
    socket.write('":3}')
    await answers(2)
    assert.deepEqual(read, [{ a: 2 }, { a: 3 }])
  })

  it('is refused over its bound, said or not, and the next one on the connection is read', async () => {
    const pieces = Array.from({ length: 300 }, () => `400\r\n${'x'.repeat(1_024)}\r\n`).join('')
    socket.write(`POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n${pieces}0\r\n\r\n`)
    await answers(1)
    socket.write(`${head(1_000)}${'x'.repeat(1_000)}`)
    await answers(2)
    socket.write(`${head(4)}true`)
    await answers(3)
    assert.deepEqual(read, ['payload_too_large', 'payload_too_large', true])
  })

  it('is refused when the connection ends before it does', async () => {
    socket.write(`${head(7)}{"a"`)
    await seen(() => begun === 1)
    socket.destroy()
    await seen(() => begun === 0)
    assert.deepEqual(read, ['bad_request'])
  })

  it('is read where the connection ends after it', async () => {
    socket.end(`${head(4)}null`)
    await seen(() => read.length === 1)
    assert.deepEqual(read, [null])
  })
})
