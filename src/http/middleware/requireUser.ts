// Lets people pass: a user token in the Authorization header, or in our own cookie. A cookie travels by itself, so with it
// every request that changes something must come from a page of ours.
import type { IncomingMessage } from 'node:http'
import type { Request, RequestHandler } from 'express'
import { Problem } from '../../errors.ts'
import { isOperator } from '../../commands/roles.ts'
import { checkAgain, refuseAbsent, refuseUnlessPresent, type UserCaller } from '../caller.ts'
import { readCookie } from '../cookies.ts'
import { PUBLIC_KEY } from '../credentials.ts'
import type { HttpDeps } from '../deps.ts'
import { letIn } from './rateLimits.ts'

type UserDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens'>

export function requireUser(deps: UserDeps): RequestHandler {
  return async (req, res, next) => {
    const user = await authenticateUser(deps, req)
    await letIn(res, user)
    checkAgain(res, () => refuseUnlessPresent(deps.keyring.state, user))
    next()
  }
}

/** Owners of the first organisation only: what concerns the whole installation. */
export function requireOperator(deps: UserDeps): RequestHandler {
  return async (req, res, next) => {
    const user = await authenticateUser(deps, req)
    if (!isOperator(deps.keyring.state, user.accountId)) throw new Problem('forbidden', 'This is for those who run the installation')
    await letIn(res, user)
    checkAgain(res, () => refuseUnlessPresent(deps.keyring.state, user))
    next()
  }
}

/** Throws Problem `unauthenticated`, `token_expired`, `session_ended`, `forbidden` (a key), `origin_not_allowed`, `unavailable`. */
export async function authenticateUser(deps: UserDeps, req: Request): Promise<UserCaller> {
  const header = bearerOf(req)
  const token = header ?? readCookie(req, deps.config, 'user')
  refuseKeys(deps, token ?? req.get('x-api-key'))
  if (token === undefined) throw new Problem('unauthenticated', 'Send Authorization: Bearer <user token>')
  const user: UserCaller = { kind: 'user', ...deps.tokens.verifyUser(token) }
  if (header === undefined && !SAFE.has(req.method)) refuseForeignOrigin(deps, req)
  await refuseAbsent(deps.keyring, user)
  return user
}

/** A key is no lack of credentials: whoever sent one is told which kind goes here. */
function refuseKeys({ tokens }: UserDeps, credential: string | undefined): void {
  if (credential === undefined) return
  const isToken = tokens.kindOf(credential) === 'analytics'
  if (isToken) tokens.verifyAnalytics(credential)
  if (isToken || PUBLIC_KEY.test(credential)) {
    throw new Problem('forbidden', 'This takes the user token of somebody who signed in (/auth/google or POST /auth/local); keys collect and read numbers')
  }
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** The token of `Authorization: Bearer …`; undefined when there is no such header. Throws on another scheme. */
export function bearerOf(req: IncomingMessage): string | undefined {
  const header = req.headers.authorization
  if (header === undefined) return undefined
  const token = /^Bearer (\S+)$/i.exec(header)?.[1]
  if (token === undefined) throw new Problem('unauthenticated', 'The Authorization header takes: Bearer <token>')
  return token
}

/** Whoever comes with a cookie only: it travels by itself. Throws `origin_not_allowed`. */
export function refuseForeignOrigin({ config }: Pick<HttpDeps, 'config'>, req: IncomingMessage): void {
  if (!isOwnOrigin(req, config.publicUrl)) throw new Problem('origin_not_allowed', 'With a cookie, changes are taken from pages of this server only')
}

function isOwnOrigin(req: IncomingMessage, publicUrl: string | undefined): boolean {
  const { origin, host } = req.headers
  const site = req.headers['sec-fetch-site']
  if (origin === undefined || !URL.canParse(origin)) return false
  // The browser's own word, where it gives it: without PUBLIC_URL it tells http from https when a proxy ends TLS.
  if (site !== undefined && site !== 'same-origin') return false
  return publicUrl === undefined ? new URL(origin).host === host : new URL(publicUrl).origin === origin
}
