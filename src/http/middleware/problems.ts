// Where everything that goes wrong in a route ends: as problem details.
import type { ErrorRequestHandler } from 'express'
import type { Logger } from '../../kernel/logger.ts'
import { writeProblem } from '../problems.ts'

export function problemsOf(logger: Logger): ErrorRequestHandler {
  return (error, _req, res, next) => {
    // Express closes the connection of an answer that has begun: its reader must not take it for whole.
    if (res.headersSent) next(error)
    else writeProblem(res, error, logger)
  }
}
