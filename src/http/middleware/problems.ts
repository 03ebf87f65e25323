// Where everything that goes wrong in a route ends: as problem details, or as a page where a person with a browser came for one.
import type { ErrorRequestHandler, Request, Response } from 'express'
import type { Problem } from '../../errors.ts'
import { sentProblemPage } from '../pages.ts'
import { designed, type Edge, sendProblem } from '../problems.ts'

/** `told` hears of each problem that was answered. */
export function problemsOf(edge: Edge, told?: (req: Request, res: Response, problem: Problem) => void): ErrorRequestHandler {
  return (error, req, res, next) => {
    // Whoever was told already that the store hangs is not told again, and may go on to use the connection.
    if (res.writableEnded) return
    // Express closes the connection of an answer that has begun: its reader must not take it for whole.
    if (res.headersSent) next(error)
    else {
      const problem = designed(error, edge)
      if (!sentProblemPage(res, problem)) sendProblem(res, problem)
      told?.(req, res, problem)
    }
  }
}
