// A session from its sign-in to its end: a short user token that every request shows, and a refresh token that works once
// for the next pair. A refresh token that is shown again later than two tabs could is a copy in somebody's hands, and ends
// the session for both. The table says which token is the current one, the log whether the person may still come in.
import type { Response } from 'express'
import type { Session, SessionStore } from '../commands/sessionStore.ts'
import { signOut } from '../commands/signOut.ts'
import { Problem } from '../errors.ts'
import { refuseAbsent } from './caller.ts'
import { clearCookie, setCookie } from './cookies.ts'
import type { HttpDeps } from './deps.ts'

export type SessionDeps = Pick<HttpDeps, 'config' | 'bus' | 'keyring' | 'tokens' | 'clock' | 'logger' | 'sessions' | 'rateLimiter'>

export interface Issued {
  readonly token: string
  /** Of the token, as an instant. */
  readonly expiresAt: string
  readonly refreshToken: string
  readonly session: Session
}

/** After the sign-in stands in the log. `generation`: where it was read before. */
export async function beginSession(deps: SessionDeps, accountId: string, sessionId: string, generation = generationOf(deps, accountId)): Promise<Issued> {
  return issued(deps, await deps.sessions.begin({ accountId, sessionId, generation }))
}

/** Throws Problem `session_ended`, `unauthenticated`, `unavailable`. */
export async function refreshSession(deps: SessionDeps, refreshToken: string): Promise<Issued> {
  const refresh = deps.tokens.openRefresh(refreshToken)
  if (refresh === undefined) return refuseGuess(deps)
  const { sessionId, rotation } = refresh
  const session = await deps.sessions.find(sessionId)
  if (session === undefined) throw new Problem('session_ended')
  // Before the token is used up: what cannot be checked now can be tried again.
  await refuseAbsent(deps.keyring, session)
  const rotated = await deps.sessions.rotate(sessionId, rotation)
  if (rotated.outcome === 'ended') throw new Problem('session_ended')
  if (rotated.outcome === 'replayed') {
    deps.logger.warn('a refresh token was shown again: its session ends', { sessionId, accountId: session.accountId })
    await endSession(deps, session, 'replayed')
    throw new Problem('session_ended', 'The refresh token had been used before, so the session ended: sign in again')
  }
  return issued(deps, rotated.session)
}

// Only what is no refresh token counts as a guess, so that nobody can use up the tries of those who have one.
async function refuseGuess({ rateLimiter }: SessionDeps): Promise<never> {
  const wait = await rateLimiter.guess('refresh-token')
  if (wait > 0) throw new Problem('rate_limited', 'Too many refresh tokens that are none', { retryAfterSeconds: wait })
  throw new Problem('unauthenticated', 'This is not a refresh token')
}

/** The log first: it is what every process asks. */
export async function endSession(deps: SessionDeps, { accountId, sessionId }: Pick<Session, 'accountId' | 'sessionId'>, reason: 'asked' | 'replayed'): Promise<void> {
  await deps.bus.execute(signOut, { sessionId, reason }, { actor: accountId })
  await forgotten(deps, (sessions) => sessions.end(sessionId))
}

/** Rows of sessions that the log has ended serve nobody; those that stay are deleted in time. */
export async function forgotten({ sessions, logger }: Pick<SessionDeps, 'sessions' | 'logger'>, forget: (sessions: SessionStore) => Promise<void>): Promise<void> {
  try {
    await forget(sessions)
  } catch (error) {
    logger.warn('a session that ended was not deleted; it will be', { error })
  }
}

/** What a program is answered. */
export function tokensOf({ token, expiresAt, refreshToken }: Issued): Omit<Issued, 'session'> {
  return { token, expiresAt, refreshToken }
}

/** Both live as long as the session may, so that a page can tell a token that ended from nobody being signed in. */
export function setSessionCookies({ config, clock }: SessionDeps, res: Response, { token, refreshToken, session }: Issued): void {
  const maxAge = session.endsAt - clock.now()
  setCookie(res, config, 'user', token, maxAge)
  setCookie(res, config, 'refresh', refreshToken, maxAge)
}

/** The person leaves this browser: it forgets what it kept of our pages, too. */
export function clearSite(deps: Pick<SessionDeps, 'config'>, res: Response): void {
  clearSessionCookies(deps, res)
  // Not "cookies": that takes those of neighbouring hosts with it.
  res.set('Clear-Site-Data', '"cache", "storage"')
}

export function clearSessionCookies({ config }: Pick<SessionDeps, 'config'>, res: Response): void {
  clearCookie(res, config, 'user')
  clearCookie(res, config, 'refresh')
}

function issued({ tokens }: SessionDeps, session: Session): Issued {
  const { token, expiresAt } = tokens.issueUser(session)
  const refreshToken = tokens.sealRefresh(session.sessionId, session.rotation)
  return { token, expiresAt: new Date(expiresAt).toISOString(), refreshToken, session }
}

function generationOf({ keyring }: SessionDeps, accountId: string): number {
  return keyring.state.account(accountId)!.generation
}
