// Where an account is signed in, and ending that: for its own person one by one, for those who run the installation all at once.
import { Router } from 'express'
import { signOutAccount } from '../../commands/signOutAccount.ts'
import { Problem } from '../../errors.ts'
import { userOf } from '../caller.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { requireOperator, requireUser } from '../middleware/requireUser.ts'
import { NO_PARAMETERS, queryOf, validateQuery } from '../middleware/validate.ts'
import { objectOf, uuid } from '../questions.ts'
import { clearSessionCookies, endSession, forgotten, type SessionDeps } from '../sessions.ts'

const instant = { type: 'string', format: 'date-time' } as const

export const sessionParameters = objectOf({ sessionId: uuid }, ['sessionId'])
export const accountParameters = objectOf({ accountId: uuid }, ['accountId'])

export const sessionsAnswer = objectOf(
  {
    sessions: {
      type: 'array',
      items: objectOf(
        {
          sessionId: { type: 'string' },
          current: { type: 'boolean', description: 'Whether it is the one that asks' },
          startedAt: instant,
          refreshedAt: { ...instant, description: 'When it was used last, to within the life of a user token' },
          expiresAt: { ...instant, description: 'When it ends unless it is refreshed' },
        },
        ['sessionId', 'current', 'startedAt', 'refreshedAt', 'expiresAt'],
      ),
    },
  },
  ['sessions'],
)

export function accountRoutes(deps: SessionDeps): Router {
  const router = Router()
  /**
   * @openapi
   * /auth/sessions:
   *   get:
   *     operationId: listSessions
   *     tags: [Accounts]
   *     summary: Where you are signed in, newest first
   *     x-access: user
   *     responses:
   *       200: { description: The sessions, content: { application/json: { schema: { $ref: '#/components/schemas/Sessions' } } } }
   */
  router
    .route('/auth/sessions')
    .get(requireUser(deps), validateQuery(NO_PARAMETERS), async (_req, res) => {
      const user = userOf(res)
      const sessions = await alive(deps, user.accountId)
      res.json({
        sessions: sessions.map(({ sessionId, startedAt, refreshedAt, endsAt }) => {
          return { sessionId, current: sessionId === user.sessionId, startedAt: iso(startedAt), refreshedAt: iso(refreshedAt), expiresAt: iso(endsAt) }
        }),
      })
    })
    .all(otherMethods)
  /**
   * @openapi
   * /auth/sessions/{sessionId}:
   *   delete:
   *     operationId: endSession
   *     tags: [Accounts]
   *     summary: End one of your sessions
   *     x-access: user
   *     x-query-schema: SessionParameters
   *     responses:
   *       204: { description: Ended; every process refuses its tokens within a second }
   */
  router
    .route('/auth/sessions/:sessionId')
    .delete(requireUser(deps), validateQuery(sessionParameters), async (_req, res) => {
      const user = userOf(res)
      const { sessionId } = queryOf(res) as { sessionId: string }
      const own = (await alive(deps, user.accountId)).find((session) => session.sessionId === sessionId)
      if (own === undefined) throw new Problem('not_found', 'You have no such session')
      await endSession(deps, own, 'asked')
      if (sessionId === user.sessionId) clearSessionCookies(deps, res)
      res.status(204).end()
    })
    .all(otherMethods)
  /**
   * @openapi
   * /accounts/{accountId}/sign-out:
   *   post:
   *     operationId: signOutAccount
   *     tags: [Accounts]
   *     summary: End all sessions of somebody
   *     description: For a lost device. It takes away no role; to put somebody out, remove them from the organisation.
   *     x-access: operator
   *     x-query-schema: AccountParameters
   *     responses:
   *       204: { description: Ended; every process refuses their tokens within a second }
   */
  router
    .route('/accounts/:accountId/sign-out')
    .post(requireOperator(deps), validateQuery(accountParameters), async (_req, res) => {
      const { accountId } = queryOf(res) as { accountId: string }
      await deps.bus.execute(signOutAccount, { accountId }, { actor: userOf(res).accountId })
      await forgotten(deps, (sessions) => sessions.endAll(accountId))
      res.status(204).end()
    })
    .all(otherMethods)
  return router
}

/** Without those that the log has ended, whose rows may be there for a while. */
async function alive({ sessions, keyring: { state } }: SessionDeps, accountId: string): ReturnType<SessionDeps['sessions']['listOf']> {
  const generation = state.account(accountId)?.generation
  return (await sessions.listOf(accountId)).filter((session) => session.generation === generation && !state.sessionEnded(session.sessionId))
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
