// How an answer of the read side goes out: with its ETag, and as 304 where the client has it already.
import type { Express, Request, RequestHandler, Response } from 'express'
import { Problem } from '../errors.ts'
import type { Role } from '../events/organisations.ts'
import type { Answer, Query, QueryBus } from '../queries/query.ts'
import { appAskedAbout, checkedAgain } from './caller.ts'
import type { HttpDeps } from './deps.ts'
import { queryOf } from './middleware/validate.ts'

/** Asks a question about an app and writes the answer. `after` among the params is an event id to wait for. */
export async function answerQuestion(
  { queries }: { readonly queries: QueryBus },
  { req, res }: { readonly req: Request; readonly res: Response },
  query: Query<never, unknown>,
  appId: string,
  asked: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { after, ...params } = asked
  const signal = goneSignal(res)
  writeAnswer(req, res, await queries.ask(query, appId, params, typeof after === 'string' ? { after, signal } : { signal }))
}

/** Aborts when the client leaves before it has its answer. */
export function goneSignal(res: Response): AbortSignal {
  const controller = new AbortController()
  res.once('close', () => {
    if (!res.writableFinished) controller.abort(new Problem('request_timeout', 'The client has gone'))
  })
  return controller.signal
}

/** The last handler of a route that asks a question about an app, once credentials and parameters are checked; `least` is what it takes of a person. */
export function question(deps: Pick<HttpDeps, 'keyring' | 'queries'>, query: Query<never, unknown>, least: Role): RequestHandler {
  return async (req, res) => {
    const { appId, ...params } = queryOf(res) as { appId?: string }
    const app = await appAskedAbout(res, deps.keyring, appId, least)
    await answerQuestion(deps, { req, res }, query, app.appId, params)
  }
}

/** Writes an answer, or 304 where the client has it already. Throws Problem where whoever asked may not have it any more. */
export function writeAnswer(req: Request, res: Response, answer: Answer): void {
  checkedAgain(res)
  res.setHeader('ETag', answer.etag)
  if (matches(req.headers['if-none-match'], answer.etag)) res.status(304).end()
  else res.json(answer.body)
}

/** If-None-Match compares weakly: W/"x" is "x". */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return header.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
}

/** JSON ends its line: after curl, the prompt stands on a line of its own. */
export function endLines(app: Express): void {
  app.response.json = function (this: Response, body?: unknown) {
    if (this.get('Content-Type') === undefined) this.type('json')
    return this.send(`${JSON.stringify(body)}\n`)
  }
}
