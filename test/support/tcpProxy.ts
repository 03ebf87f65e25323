// A cable between one process and a server that a test may pull: frozen (connections stay open and nothing comes through, as
// when a network swallows packets) or cut (connections break and none is made).
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

export interface TcpProxy {
  /** The server's URL with this proxy in its place. */
  readonly url: string
  freeze(): void
  cut(): void
  mend(): void
  close(): Promise<void>
}

export async function startTcpProxy(serverUrl: string): Promise<TcpProxy> {
  const target = new URL(serverUrl)
  const pairs = new Set<readonly [Socket, Socket]>()
  let state: 'open' | 'frozen' | 'cut' = 'open'
  const server = createServer({ allowHalfOpen: false }, (near) => {
    if (state === 'cut') return void near.destroy()
    const far = connect(Number(target.port), target.hostname)
    const pair = [near, far] as const
    pairs.add(pair)
    for (const [from, to] of [pair, [far, near]] as const) {
      // Either side's fault or end is the other's end.
      from.on('error', () => from.destroy())
      from.on('close', () => {
        to.destroy()
        pairs.delete(pair)
      })
      from.on('data', (chunk) => {
        if (!to.write(chunk)) from.pause()
      })
      to.on('drain', () => {
        if (state === 'open') from.resume()
      })
      if (state === 'frozen') from.pause()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(serverUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  const each = (change: (socket: Socket) => void): void => {
    for (const socket of [...pairs].flat()) change(socket)
  }
  return {
    url: url.href,
    freeze: () => {
      state = 'frozen'
      each((socket) => socket.pause())
    },
    cut: () => {
      state = 'cut'
      each((socket) => socket.destroy())
    },
    mend: () => {
      state = 'open'
      each((socket) => socket.resume())
    },
    async close() {
      each((socket) => socket.destroy())
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}
