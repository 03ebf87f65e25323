// What a process without the API still answers: its probes and its metrics, and a designed error for all else.
import { createServer, type Server } from 'node:http'
import express from 'express'
import { Problem } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import { endLines } from './answers.ts'
import { clientAddress, type Trust } from './clientAddress.ts'
import type { HttpDeps } from './deps.ts'
import { problemsOf } from './middleware/problems.ts'
import { securityHeaders } from './middleware/securityHeaders.ts'
import { answerParserErrors } from './problems.ts'
import { healthRoutes } from './routes/health.ts'
import { metricRoutes } from './routes/metrics.ts'

export function createProbeServer(deps: Pick<HttpDeps, 'config' | 'logger' | 'metrics' | 'ready'>): Server {
  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false)
  endLines(app)
  app.set('trust proxy', deps.config.trustProxy)
  app.use(securityHeaders(deps.config.publicUrl))
  app.use(healthRoutes(deps))
  app.use(metricRoutes(deps, clientAddress(deps.config.trustProxy, app.get('trust proxy fn') as Trust)))
  app.use(() => {
    throw new Problem('not_found', 'This process serves probes and metrics alone')
  })
  app.use(problemsOf(deps))
  const server = createServer({ maxHeaderSize: LIMITS.headerBytes, headersTimeout: LIMITS.headersMs, requestTimeout: LIMITS.requestMs }, (req, res) => {
    app(req, res)
  })
  answerParserErrors(server)
  return server
}
