// Every error leaves as RFC 9457 problem details with a stable code, whoever raised it: our own code, Express, or Node's
// HTTP parser. What is not a designed answer becomes `internal`, is logged whole, and tells the client nothing.
import type { Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { Problem } from '../errors.ts'
import { DeadlineExceeded } from '../kernel/deadline.ts'
import { LIMITS } from '../limits.ts'
import type { HttpDeps } from './deps.ts'

/** What the edge needs to make an answer of an error; without `isAway`, no store stands behind it. */
export type Edge = Pick<HttpDeps, 'logger'> & Partial<Pick<HttpDeps, 'isAway'>>

/** The designed answer for whatever was thrown. */
export function asProblem(error: unknown, isAway: HttpDeps['isAway'] = () => false): Problem {
  if (error instanceof Problem) return error
  if (error instanceof URIError) return new Problem('bad_request', 'The address holds a malformed %-escape')
  const status = statusOf(error)
  if (status === 404) return new Problem('not_found')
  if (status !== undefined && status >= 400 && status < 500) return new Problem('bad_request')
  if (error instanceof DeadlineExceeded || isAway(error)) return new Problem('unavailable', undefined, { cause: error })
  return new Problem('internal', undefined, { cause: error })
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const status = (error as { status?: unknown }).status
  return typeof status === 'number' ? status : undefined
}

/** The same, and it is logged when it is a defect. */
export function designed(error: unknown, { logger, isAway }: Edge): Problem {
  const problem = asProblem(error, isAway)
  if (problem.code === 'internal') logger.error('a request failed', { error: problem.cause ?? problem })
  else if (problem.code === 'unavailable' && problem !== error) logger.warn('a store is away', { error: problem.cause })
  return problem
}

/** Writes the problem and ends the answer; logs it when it is a defect. `more` is a flat list of header names and values. */
export function writeProblem(res: ServerResponse, error: unknown, edge: Edge, more: readonly string[] = []): Problem {
  const problem = designed(error, edge)
  sendProblem(res, problem, more)
  return problem
}

export function sendProblem(res: ServerResponse, problem: Problem, more: readonly string[] = []): void {
  if (res.headersSent || res.destroyed) {
    res.destroy()
    return
  }
  const body = `${JSON.stringify(problem)}\n`
  const headers = ['Content-Type', 'application/problem+json', 'Content-Length', String(Buffer.byteLength(body))]
  headers.push('Cache-Control', 'no-store', 'X-Content-Type-Options', 'nosniff', ...more)
  if (problem.status === 401) headers.push('WWW-Authenticate', 'Bearer')
  if (problem.retryAfterSeconds !== undefined) headers.push('Retry-After', String(problem.retryAfterSeconds))
  else if (problem.status === 503) headers.push('Retry-After', '1')
  // What is left of an oversized or late body is not worth reading.
  if (problem.status === 413 || problem.status === 408) headers.push('Connection', 'close')
  // A list given to writeHead would discard the headers that middlewares have set.
  for (let at = 0; at < headers.length; at += 2) res.setHeader(headers[at]!, headers[at + 1]!)
  res.writeHead(problem.status)
  res.end(body)
}

const PARSER: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: new Problem('headers_too_large'),
  ERR_HTTP_REQUEST_TIMEOUT: new Problem('request_timeout'),
}

/** Gives what Node's parser refuses (malformed, oversized, late) a designed answer too. */
export function answerParserErrors(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // An answer under way cannot be followed by another; Node keeps it here and offers no other way to know.
    const answering = Reflect.get(socket, '_httpMessage') as ServerResponse | null | undefined
    if (error.code === 'ECONNRESET' || !socket.writable || answering?.headersSent === true) socket.destroy()
    else closeWith(socket, rawProblem(error.code))
  })
}

/** Without the destroying, a client that never ends its half would keep the socket, and what its body takes, for ever. */
function closeWith(socket: Duplex, answer: string): void {
  socket.once('finish', () => socket.destroy())
  socket.end(answer)
  // Where the client does not read either, the answer never leaves.
  const force = setTimeout(() => socket.destroy(), LIMITS.closingMs)
  socket.once('close', () => clearTimeout(force))
}

/** A whole answer, as bytes, for what was refused before there was a request. */
function rawProblem(errorCode: string | undefined): string {
  const problem = PARSER[errorCode ?? ''] ?? new Problem('bad_request')
  const body = `${JSON.stringify(problem)}\n`
  return [
    `HTTP/1.1 ${problem.status} ${REASONS[problem.status] ?? 'Bad Request'}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}

const REASONS: Readonly<Record<number, string>> = { 408: 'Request Timeout', 431: 'Request Header Fields Too Large' }
