// The HTTP server: /collect straight from Node, everything else through Express, and designed answers even for what Node's
// parser refuses. Slow and oversized requests end here, so that they cannot hold what others need.
import { createServer, type Server } from 'node:http'
import { Problem } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import { createApp } from './app.ts'
import { ArrivingRequest } from './arrivingRequest.ts'
import { createKeyAuthority } from './credentials.ts'
import type { HttpDeps } from './deps.ts'
import { answerParserErrors, writeProblem } from './problems.ts'
import { createRefusals } from './refusals.ts'
import { createCollect, isCollect } from './routes/collect.ts'

export function createHttpServer(deps: HttpDeps): Server {
  const authority = createKeyAuthority(deps)
  const refusals = createRefusals(deps)
  const app = createApp(deps, authority, refusals)
  const collect = createCollect(deps, authority, app.addressOf, refusals)
  const server = createServer(
    {
      IncomingMessage: ArrivingRequest,
      maxHeaderSize: LIMITS.headerBytes,
      headersTimeout: LIMITS.headersMs,
      requestTimeout: LIMITS.requestMs,
      keepAliveTimeout: LIMITS.keepAliveMs,
      connectionsCheckingInterval: 1_000,
    },
    (req, res) => {
      if (req.url!.length > LIMITS.urlBytes) writeProblem(res, new Problem('uri_too_long'), deps)
      else if (isCollect(req.url!)) collect(req, res)
      else app.express(req, res)
    },
  )
  answerParserErrors(server)
  // Who sends requests and reads no answer would keep a socket for as long as it likes. No answer is silent for so long.
  server.timeout = LIMITS.socketSilentMs
  // `Expect: something` has no answer but this one; 100-continue is Node's own.
  server.on('checkExpectation', (_req, res) => writeProblem(res, new Problem('bad_request', 'Expect takes 100-continue'), deps))
  return server
}
