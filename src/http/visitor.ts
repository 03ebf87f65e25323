// Who looks at a page: somebody who is signed in, somebody whose token has ended and whose page refreshes it by its script,
// or anybody. Nobody is refused, and cookies of a session that is over are taken away.
import type { Request, Response } from 'express'
import { Problem } from '../errors.ts'
import type { UserCaller } from './caller.ts'
import { readCookie } from './cookies.ts'
import type { HttpDeps } from './deps.ts'
import { authenticateUser } from './middleware/requireUser.ts'
import { clearSessionCookies } from './sessions.ts'

export interface Visitor {
  readonly user: UserCaller | undefined
  readonly refresh: boolean
}

export async function visitorOf(deps: Pick<HttpDeps, 'config' | 'keyring' | 'tokens'>, req: Request, res: Response): Promise<Visitor> {
  if (readCookie(req, deps.config, 'user') === undefined) return { user: undefined, refresh: false }
  try {
    return { user: await authenticateUser(deps, req), refresh: false }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    if (error.code === 'session_ended' || error.code === 'unauthenticated') clearSessionCookies(deps, res)
    return { user: undefined, refresh: error.code === 'token_expired' }
  }
}
