// Ends an HTTP server without cutting anybody off: whoever has a request under way is answered, told that the connection ends
// with it, and finds another process next time.
import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { LIMITS } from '../limits.ts'

/**
 * For a server that does not listen yet. The answer takes no new connection, closes those that rest, and resolves when all
 * are closed; by force after LIMITS.drainMs.
 */
export function drainable(server: Server): () => Promise<void> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return () =>
    new Promise((resolve, reject) => {
      // Node then says `Connection: close`, and closes behind the answer.
      const isLast = (res: ServerResponse): void => {
        res.shouldKeepAlive = false
      }
      server.prependListener('request', (_req, res) => isLast(res))
      for (const socket of sockets) {
        // Node keeps an answer under way here and offers no other way to find it.
        const answering = Reflect.get(socket, '_httpMessage') as ServerResponse | null | undefined
        if (answering != null) isLast(answering)
      }
      const resting = setInterval(() => server.closeIdleConnections(), LIMITS.pollMs)
      const force = setTimeout(() => server.closeAllConnections(), LIMITS.drainMs)
      server.close((error) => {
        clearInterval(resting)
        clearTimeout(force)
        if (error === undefined) resolve()
        else reject(error)
      })
    })
}
