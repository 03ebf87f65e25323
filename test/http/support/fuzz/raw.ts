// What is not HTTP, or only almost: bytes on a socket, as no client library would send them. Any answer below 500 will do, and
// so does none, as long as the connection ends.
import { connect } from 'node:net'
import type { Random } from './random.ts'

const HOST = 'Host: localhost\r\n'
const JSON_TYPE = 'Content-Type: application/json\r\n'

const MESSAGES: readonly (string | Buffer)[] = [
  ...['\r\n\r\n', 'GET\r\n\r\n', 'GET /\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', `GET / HTTP/1.1\r\n\r\n`, `get / HTTP/1.1\r\n${HOST}\r\n`, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ...[`GET http://evil.example/apps HTTP/1.1\r\n${HOST}\r\n`, `GET apps HTTP/1.1\r\n${HOST}\r\n`, `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, `CONNECT evil.example:443 HTTP/1.1\r\n${HOST}\r\n`],
  ...[`GET // HTTP/1.1\r\n${HOST}\r\n`, `GET //evil.example/%2e%2e HTTP/1.1\r\n${HOST}\r\n`, `GET /\\..\\.. HTTP/1.1\r\n${HOST}\r\n`, `GET /?a=\x01 HTTP/1.1\r\n${HOST}\r\n`, `GET /#a HTTP/1.1\r\n${HOST}\r\n`],
  ...[`GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`, `GET /apps HTTP/1.1\r\nHost: [::\r\nOrigin: http://[::\r\nCookie: recount_user=a\r\n\r\n`, `GET / HTTP/1.1\r\n${HOST}A b: c\r\n\r\n`, `GET / HTTP/1.1\r\n${HOST}A: \0\r\n\r\n`, `GET / HTTP/1.1\r\n${HOST} folded: a\r\n  b\r\n\r\n`],
  ...[`GET / HTTP/1.1\r\n${HOST}${'X: y\r\n'.repeat(3_000)}\r\n`, `GET / HTTP/1.1\r\n${HOST}X: ${'y'.repeat(20_000)}\r\n\r\n`, `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`],
  ...[`POST /collect HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: -1\r\n\r\n`, `POST /collect HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: 99999999999999999999\r\n\r\n{}`, `POST /collect HTTP/1.1\r\n${HOST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
  ...[`POST /auth/local HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: 50\r\n\r\n{"code":`, `POST /auth/local HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`],
  ...['zz\r\n{}\r\n', '-2\r\n{}\r\n', 'ffffffffffffffff\r\n{}', '2\r\n{}\r\n0\r\nTrailer: x\r\n\r\n', '2\r\n{}'].map((chunks) => `POST /collect HTTP/1.1\r\n${HOST}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n${chunks}`),
  ...[`POST /collect HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, `POST /collect HTTP/1.1\r\n${HOST}Expect: 200-ok\r\nContent-Length: 2\r\n\r\n{}`, `GET /apps HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n`, `GET / HTTP/1.1\r\n${HOST}Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n`],
  ...[`GET /health/live HTTP/1.1\r\n${HOST}\r\nGET /apps HTTP/1.1\r\n${HOST}\r\nGARBAGE\r\n\r\n`, `GET / HTTP/1.0\r\n\r\n`, `POST / HTTP/1.0\r\n\r\n`],
  ...[Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]), Buffer.alloc(100_000, 0x41), Buffer.from([0x80, 0xff, 0x0d, 0x0a, 0x0d, 0x0a]), Buffer.alloc(0)],
]

/** One of the messages, sometimes with a byte of it changed. */
export function rawMessage(random: Random): Buffer {
  const message = Buffer.from(random.pick(MESSAGES))
  if (message.length > 0 && random.chance(0.5)) message[random.int(message.length)] = random.int(256)
  return message
}

/** Everything that came back until the connection ended. Rejects when it does not end. */
export function exchangeRaw(url: string, message: Buffer, timeoutMs: number): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.end(message))
    const limit = setTimeout(() => {
      socket.destroy()
      reject(new Error(`the connection was still open after ${timeoutMs} ms`))
    }, timeoutMs)
    socket.on('data', (chunk) => chunks.push(chunk))
    // A server that refuses may close before all is sent.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(limit)
      resolve(Buffer.concat(chunks).toString('latin1'))
    })
  })
}
