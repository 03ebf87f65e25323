// Load that never lets go: clients that ask several processes the same thing over and over and keep, for each request, when it
// began and how it was answered. So it can be said until when, after something was taken away, each process still let it pass.
import { Agent, request as httpRequest } from 'node:http'

export interface Asking {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly token: string
  readonly body?: string
}

export interface Sent {
  readonly process: number
  /** Of performance.now(). */
  readonly at: number
  readonly endedAt: number
  /** 0: no answer, because the connection broke or it took too long. */
  readonly status: number
}

export interface AccessLoad {
  /** What is asked from now on; forgets what was asked before. */
  ask(asking: Asking): void
  /** Every request for what is asked now that has ended. */
  sent(): readonly Sent[]
  stop(): Promise<void>
}

const TIMEOUT_MS = 5_000

/** `clients` per process, each with one request at a time and `pauseMs` between two. Stops by itself after `maxMs`. */
export function startAccessLoad(urls: readonly string[], { clients = 4, pauseMs = 4, maxMs = 600_000 } = {}): AccessLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const until = performance.now() + maxMs
  let round: { asking: Asking; sent: Sent[] } | undefined
  let stopping = false
  const client = async (process: number): Promise<void> => {
    while (!stopping && performance.now() < until) {
      const mine = round
      if (mine !== undefined) {
        const at = performance.now()
        const status = await exchange(agent, urls[process]!, mine.asking)
        mine.sent.push({ process, at, endedAt: performance.now(), status })
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
  const running = urls.flatMap((_, process) => Array.from({ length: clients }, () => client(process)))
  return {
    ask: (asking) => (round = { asking, sent: [] }),
    sent: () => round?.sent ?? [],
    async stop() {
      stopping = true
      await Promise.all(running)
      agent.destroy()
    },
  }
}

export const isAccepted = ({ status }: Sent): boolean => status >= 200 && status < 300

/** For each process, how long after `answeredAt` the last request began that it let pass; 0: none did. */
export function lastAccepted(sent: readonly Sent[], processes: number, answeredAt: number): number[] {
  const last = Array.from({ length: processes }, () => 0)
  for (const each of sent) if (isAccepted(each)) last[each.process] = Math.max(last[each.process]!, each.at - answeredAt)
  return last
}

function exchange(agent: Agent, url: string, { method, path, token, body }: Asking): Promise<number> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }) }
    const req = httpRequest(url + path, { method, agent, headers, timeout: TIMEOUT_MS }, (res) => {
      res.on('error', () => resolve(0))
      res.on('end', () => resolve(res.statusCode ?? 0))
      res.resume()
    })
    req.on('timeout', () => req.destroy())
    req.on('error', () => resolve(0))
    req.end(body)
  })
}
