// Where everything that goes wrong in a route ends: as problem details.
import type { ErrorRequestHandler } from 'express'
import { type Edge, writeProblem } from '../problems.ts'

export function problemsOf(edge: Edge): ErrorRequestHandler {
  return (error, _req, res, next) => {
    // Whoever was told already that the store hangs is not told again, and may go on to use the connection.
    if (res.writableEnded) return
    // Express closes the connection of an answer that has begun: its reader must not take it for whole.
    if (res.headersSent) next(error)
    else writeProblem(res, error, edge)
  }
}
