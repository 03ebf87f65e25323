// Ends an HTTP server without cutting anybody off: whoever has a request under way is answered, told that the connection ends
// with it, and finds another process next time.
import type { Server } from 'node:http'
import { LIMITS } from '../limits.ts'

/** Takes no new connection, closes idle ones, and resolves when all are closed; by force after LIMITS.drainMs. */
export function drain(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    // Node then says `Connection: close`, and closes behind the answer.
    server.prependListener('request', (_req, res) => {
      res.shouldKeepAlive = false
    })
    // Answers to requests from before the signal still promise to keep the connection; it is closed when it rests.
    const resting = setInterval(() => server.closeIdleConnections(), LIMITS.pollMs)
    const force = setTimeout(() => server.closeAllConnections(), LIMITS.drainMs)
    server.close((error) => {
      clearInterval(resting)
      clearTimeout(force)
      if (error === undefined) resolve()
      else reject(error)
    })
    server.closeIdleConnections()
  })
}
