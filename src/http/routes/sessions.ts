// What somebody who is signed in does about it: stay so, end it, see who they are. By cookie, nothing of it is taken from
// pages of other sites, and no token is ever in an answer that a script could read.
import { type Request, type Response, Router } from 'express'
import { signOutEverywhere } from '../../commands/signOutEverywhere.ts'
import { isOperator } from '../../commands/roles.ts'
import { Problem } from '../../errors.ts'
import { type UserCaller, userOf } from '../caller.ts'
import { readCookie } from '../cookies.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { refuseForeignOrigin, requireUser } from '../middleware/requireUser.ts'
import { bodyOf, validateBody } from '../middleware/validate.ts'
import { objectOf } from '../questions.ts'
import { clearSessionCookies, clearSite, endSession, forgotten, refreshSession, type SessionDeps, setSessionCookies, tokensOf } from '../sessions.ts'

const instant = { type: 'string', format: 'date-time' } as const

export const refreshBody = {
  ...objectOf({ refreshToken: { type: 'string', minLength: 1, maxLength: 256, description: 'From the sign-in or the refresh before; without it the cookie counts' } }, []),
  title: 'RefreshBody',
} as const

export const refreshAnswer = objectOf(
  {
    token: { type: 'string', description: 'The user token; absent where cookies were refreshed' },
    expiresAt: { ...instant, description: 'When the user token ends' },
    refreshToken: { type: 'string', description: 'For the next refresh; absent where cookies were refreshed' },
  },
  ['expiresAt'],
)

export const signOutBody = {
  ...objectOf({ everywhere: { type: 'boolean', default: false, description: 'All sessions of the account, not this one alone' } }, []),
  title: 'SignOutBody',
} as const

export const meAnswer = objectOf(
  {
    accountId: { type: 'string' },
    email: { type: 'string', nullable: true, description: 'As Google said it; null: signed in with the owner code only' },
    name: { type: 'string', nullable: true },
    operator: { type: 'boolean', description: 'Whether the account runs the installation' },
    organisations: {
      type: 'array',
      items: objectOf({ organisationId: { type: 'string' }, name: { type: 'string' }, role: { type: 'string' } }, ['organisationId', 'name', 'role']),
    },
    session: objectOf({ expiresAt: { ...instant, description: 'When it ends unless it is refreshed' } }, ['expiresAt']),
  },
  ['accountId', 'email', 'name', 'operator', 'organisations', 'session'],
)

export function sessionRoutes(deps: SessionDeps): Router {
  const router = Router()
  /**
   * @openapi
   * /auth/refresh:
   *   post:
   *     operationId: refresh
   *     tags: [Accounts]
   *     summary: Stay signed in, a new pair of tokens for a refresh token; a used one ends the session
   *     x-access: open
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/RefreshBody' } } }
   *     responses:
   *       200:
   *         description: Refreshed
   *         content: { application/json: { schema: { $ref: '#/components/schemas/RefreshAnswer' } } }
   */
  router
    .route('/auth/refresh')
    .post(validateBody(refreshBody), (req, res) => refresh(deps, req, res))
    .all(otherMethods)
  /**
   * @openapi
   * /auth/sign-out:
   *   post:
   *     operationId: signOut
   *     tags: [Accounts]
   *     summary: End this session, or all of the account
   *     x-access: user
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/SignOutBody' } } }
   *     responses:
   *       204: { description: Signed out; every process refuses the tokens within a second }
   */
  router
    .route('/auth/sign-out')
    .post(requireUser(deps), validateBody(signOutBody), (_req, res) => leave(deps, res))
    .all(otherMethods)
  /**
   * @openapi
   * /auth/me:
   *   get:
   *     operationId: me
   *     tags: [Accounts]
   *     summary: Who is signed in, and where they belong
   *     x-access: user
   *     responses:
   *       200: { description: The account, content: { application/json: { schema: { $ref: '#/components/schemas/Me' } } } }
   */
  router
    .route('/auth/me')
    .get(requireUser(deps), async (_req, res) => {
      const user = userOf(res)
      // Without a row there is nothing to refresh: it lasts as long as its token.
      const endsAt = (await deps.sessions.find(user.sessionId))?.endsAt ?? user.expiresAt
      res.json({ ...whoIs(deps, user), session: { expiresAt: new Date(endsAt).toISOString() } })
    })
    .all(otherMethods)
  return router
}

async function refresh(deps: SessionDeps, req: Request, res: Response): Promise<void> {
  res.set('Cache-Control', 'no-store')
  const { refreshToken } = bodyOf(res) as { refreshToken?: string }
  if (refreshToken !== undefined) {
    res.json(tokensOf(await refreshSession(deps, refreshToken)))
    return
  }
  const cookie = readCookie(req, deps.config, 'refresh')
  if (cookie === undefined) throw new Problem('unauthenticated', 'Send a refreshToken, or the cookie of a sign-in')
  refuseForeignOrigin(deps, req)
  try {
    const issued = await refreshSession(deps, cookie)
    setSessionCookies(deps, res, issued)
    res.json({ expiresAt: issued.expiresAt })
  } catch (error) {
    if (error instanceof Problem && error.status === 401) clearSessionCookies(deps, res)
    throw error
  }
}

async function leave(deps: SessionDeps, res: Response): Promise<void> {
  const user = userOf(res)
  const { everywhere } = bodyOf(res) as { everywhere?: boolean }
  if (everywhere === true) {
    await deps.bus.execute(signOutEverywhere, {}, { actor: user.accountId })
    await forgotten(deps, (sessions) => sessions.endAll(user.accountId))
  } else await endSession(deps, user, 'asked')
  clearSite(deps, res)
  res.status(204).end()
}

export interface Person {
  readonly accountId: string
  readonly email: string | null
  readonly name: string | null
  readonly operator: boolean
  readonly organisations: readonly { readonly organisationId: string; readonly name: string; readonly role: string }[]
}

export function whoIs({ keyring }: Pick<HttpDeps, 'keyring'>, { accountId }: Pick<UserCaller, 'accountId'>): Person {
  const { state } = keyring
  const account = state.account(accountId)
  const organisations = [...state.membershipsOf(accountId)].map(({ organisationId, role }) => {
    return { organisationId, name: state.organisation(organisationId)!.name, role }
  })
  return { accountId, email: account?.email ?? null, name: account?.name ?? null, operator: isOperator(state, accountId), organisations }
}
