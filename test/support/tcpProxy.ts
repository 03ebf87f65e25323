// A cable between one process and a server that a test may pull: frozen (connections stay open and nothing comes through, as
// when a network swallows packets), cut (connections break and none is made) or slow (everything comes, and late).
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

export interface TcpProxy {
  /** The server's URL with this proxy in its place. */
  readonly url: string
  freeze(): void
  cut(): void
  /** What comes through from now on comes so much later, each way. */
  slow(delayMs: number): void
  mend(): void
  close(): Promise<void>
}

interface Cable {
  state: 'open' | 'frozen' | 'cut'
  delayMs: number
}

interface Direction {
  stop(): void
  resume(): void
}

/** What waits in a slow direction before its sender is made to wait. */
const WAITING_BYTES = 1_000_000

export async function startTcpProxy(serverUrl: string): Promise<TcpProxy> {
  const target = new URL(serverUrl)
  const sockets = new Set<Socket>()
  const directions = new Set<Direction>()
  const cable: Cable = { state: 'open', delayMs: 0 }
  const server = createServer({ allowHalfOpen: false, noDelay: true }, (near) => {
    if (cable.state === 'cut') return void near.destroy()
    const far = connect({ port: Number(target.port), host: target.hostname, noDelay: true })
    const pair = [near, far] as const
    for (const [from, to] of [pair, [far, near]] as const) {
      const direction = carry(from, to, cable)
      sockets.add(from)
      directions.add(direction)
      // Either side's fault or end is the other's end.
      from.on('error', () => from.destroy())
      from.on('close', () => {
        to.destroy()
        sockets.delete(from)
        directions.delete(direction)
        direction.stop()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(serverUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  const breakAll = (): void => {
    for (const socket of [...sockets]) socket.destroy()
  }
  const resumeAll = (): void => {
    for (const direction of directions) direction.resume()
  }
  return {
    url: url.href,
    freeze: () => {
      cable.state = 'frozen'
      for (const socket of sockets) socket.pause()
    },
    cut: () => {
      cable.state = 'cut'
      breakAll()
    },
    slow: (delayMs) => {
      Object.assign(cable, { state: 'open', delayMs })
      resumeAll()
    },
    mend: () => {
      Object.assign(cable, { state: 'open', delayMs: 0 })
      resumeAll()
    },
    async close() {
      breakAll()
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

/** From one socket to the other, in order whatever the delay was when a piece came. */
function carry(from: Socket, to: Socket, cable: Cable): Direction {
  const waiting: { readonly dueAt: number; readonly chunk: Buffer }[] = []
  let waitingBytes = 0
  let timer: NodeJS.Timeout | undefined
  let full = false
  const goOn = (): void => {
    if (cable.state === 'open' && !full && waitingBytes < WAITING_BYTES) from.resume()
  }
  const pass = (chunk: Buffer): void => {
    if (to.write(chunk)) return
    full = true
    from.pause()
  }
  const passDue = (): void => {
    timer = undefined
    while (cable.state === 'open' && waiting.length > 0) {
      const { dueAt, chunk } = waiting[0]!
      const leftMs = cable.delayMs === 0 ? 0 : dueAt - performance.now()
      if (leftMs > 0) return void (timer = setTimeout(passDue, leftMs))
      waiting.shift()
      waitingBytes -= chunk.length
      pass(chunk)
    }
    goOn()
  }
  from.on('data', (chunk: Buffer) => {
    if (waiting.length === 0 && cable.delayMs === 0) {
      pass(chunk)
      return
    }
    waiting.push({ dueAt: performance.now() + cable.delayMs, chunk })
    waitingBytes += chunk.length
    timer ??= setTimeout(passDue, cable.delayMs)
    if (waitingBytes >= WAITING_BYTES) from.pause()
  })
  to.on('drain', () => {
    full = false
    goOn()
  })
  if (cable.state === 'frozen') from.pause()
  return {
    stop: () => clearTimeout(timer),
    resume: () => {
      clearTimeout(timer)
      passDue()
    },
  }
}
