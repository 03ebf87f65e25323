// Clients whose request is under way for as long as a fault wants it to be: half of the body is there, and the rest comes when
// it is told to. They have an app of their own, so that the load's books stay the load's.
import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { newApp, send, type TestApp } from '../../support/client.ts'
import { eventually } from '../../support/eventually.ts'
import type { World, WorldProcess } from '../support/fault.ts'

const PATIENCE_MS = 120_000

export interface SlowRequest {
  readonly id: string
  /** Sends the rest; resolves with the status, rejects when the connection ends without one. */
  finish(): Promise<number>
  end(): void
}

/** Registered at whichever API process answers; a store may be away for a while. */
export function appOfItsOwn(world: World): Promise<TestApp> {
  const apis = world.processes('api')
  let turn = 0
  return eventually(() => newApp(apis[turn++ % apis.length]!.url, world.ownerCode, { name: 'Slow requests' }), { timeoutMs: PATIENCE_MS, everyMs: 250 })
}

/** Resolves when the process has begun with the request and half of the body is on its way. */
export async function slowRequest({ url }: WorldProcess, { token }: TestApp, query = ''): Promise<SlowRequest> {
  const { hostname, port } = new URL(url)
  const id = randomUUID()
  const body = JSON.stringify({ id, event: 'slow', anonymousId: id })
  const half = Math.floor(body.length / 2)
  const socket = connect(Number(port), hostname)
  const answer = listen(socket)
  const head = [`POST /collect${query} HTTP/1.1`, `Host: ${hostname}`, `Authorization: Bearer ${token}`, `Content-Length: ${body.length}`, 'Expect: 100-continue']
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  await answer((status) => status === 100)
  socket.write(body.slice(0, half))
  return {
    id,
    finish() {
      socket.write(body.slice(half))
      return answer((status) => status >= 200)
    },
    end: () => socket.destroy(),
  }
}

/** Resolves once the app counts so many events: neither fewer nor more. */
export async function counts(world: World, { appId, token }: TestApp, expected: number): Promise<void> {
  const { url } = world.processes('api')[0]!
  const ask = async (): Promise<true> => {
    const { status, body } = await send('GET', `${url}/analytics/event-summary?appId=${appId}&period=all`, { token })
    if (status !== 200 || body['count'] !== expected) throw new Error(`${status}, ${JSON.stringify(body['count'])} instead of ${expected}`)
    return true
  }
  await eventually(ask, { timeoutMs: PATIENCE_MS, everyMs: 100 })
}

/** The first status on a connection that is wanted. */
function listen(socket: Socket): (wanted: (status: number) => boolean) => Promise<number> {
  let text = ''
  let ended = false
  let look: () => void = () => undefined
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    look()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    ended = true
    look()
  })
  return (wanted) =>
    new Promise((resolve, reject) => {
      look = () => {
        const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status))
        const found = statuses.find(wanted)
        if (found !== undefined) resolve(found)
        else if (ended) reject(new Error(`the connection ended after: ${text.slice(0, 300)}`))
      }
      look()
    })
}
