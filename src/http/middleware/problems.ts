// Where everything that goes wrong in a route ends: as problem details.
import type { ErrorRequestHandler, Request, Response } from 'express'
import type { Problem } from '../../errors.ts'
import { type Edge, writeProblem } from '../problems.ts'

/** `told` hears of each problem that was answered. */
export function problemsOf(edge: Edge, told?: (req: Request, res: Response, problem: Problem) => void): ErrorRequestHandler {
  return (error, req, res, next) => {
    // Whoever was told already that the store hangs is not told again, and may go on to use the connection.
    if (res.writableEnded) return
    // Express closes the connection of an answer that has begun: its reader must not take it for whole.
    if (res.headersSent) next(error)
    else {
      const problem = writeProblem(res, error, edge)
      told?.(req, res, problem)
    }
  }
}
