// POST /auth/local: sign-in with the owner code that the console printed, for a first run without Google. Wrong codes are
// bounded over all addresses, so that a short code cannot be searched by many.
import { Router } from 'express'
import { signInOwner } from '../../commands/signInOwner.ts'
import { Problem } from '../../errors.ts'
import { secretsEqual } from '../../kernel/hashing.ts'
import { uuidv7 } from '../../kernel/ids.ts'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { bodyOf, validateBody } from '../middleware/validate.ts'
import { beginSession, type SessionDeps, setSessionCookies, tokensOf } from '../sessions.ts'

export const signInSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['code'],
  properties: { code: { type: 'string', minLength: 1, maxLength: 256, description: 'The owner code; one that the program made in any case, with dashes or without' } },
} as const

export const signInAnswer = {
  type: 'object',
  additionalProperties: false,
  required: ['token', 'expiresAt', 'refreshToken'],
  properties: {
    token: { type: 'string', description: 'The user token, for Authorization: Bearer' },
    expiresAt: { type: 'string', format: 'date-time', description: 'When the user token ends' },
    refreshToken: { type: 'string', description: 'What POST /auth/refresh takes for the next one; it works once' },
  },
} as const

type SignInDeps = SessionDeps & Pick<HttpDeps, 'ownerCode'>

export function signInRoutes(deps: SignInDeps): Router {
  const router = Router()
  /**
   * @openapi
   * /auth/local:
   *   post:
   *     operationId: signInLocal
   *     tags: [Accounts]
   *     summary: Sign in with the owner code; both tokens are set as cookies too
   *     x-access: open
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/SignIn' } } }
   *     responses:
   *       200:
   *         description: Signed in
   *         content: { application/json: { schema: { $ref: '#/components/schemas/SignInAnswer' } } }
   */
  router
    .route('/auth/local')
    .post(allowed(deps), validateBody(signInSchema), async (_req, res) => {
      await tried(deps, (bodyOf(res) as { code: string }).code)
      const sessionId = uuidv7(deps.clock.now())
      const { accountId } = await deps.bus.execute(signInOwner, { sessionId }, { actor: undefined })
      const issued = await beginSession(deps, accountId, sessionId)
      setSessionCookies(deps, res, issued)
      res.set('Cache-Control', 'no-store').json(tokensOf(issued))
    })
    .all(otherMethods)
  return router
}

function allowed({ config }: SignInDeps): ReturnType<typeof validateBody> {
  return (_req, _res, next) => {
    if (!config.allowLocalSignin) throw new Problem('not_found', 'Sign-in with the owner code is off (ALLOW_LOCAL_SIGNIN)')
    next()
  }
}

// As this program makes them, here or in scripts/makeSecrets.js; what somebody chose themselves counts to the letter.
const GENERATED = /^[2-9A-HJKMNP-Z]{4}(-[2-9A-HJKMNP-Z]{4}){3}$/

/** In any case and with any dashes, as people type from a console, where that takes nothing from what there is to guess. */
function isOwnerCode(given: string, ownerCode: string): boolean {
  const letters = (code: string): string => code.toUpperCase().replaceAll(/[\s-]/g, '')
  return GENERATED.test(ownerCode) ? secretsEqual(letters(given), letters(ownerCode)) : secretsEqual(given, ownerCode)
}

async function tried({ ownerCode, rateLimiter }: SignInDeps, code: string): Promise<void> {
  const wait = await rateLimiter.guess('owner-code')
  if (wait > 0) throw new Problem('rate_limited', 'Too many tries with wrong codes', { retryAfterSeconds: wait })
  if (!isOwnerCode(code, ownerCode)) throw new Problem('wrong_code')
  await rateLimiter.guessedRight('owner-code')
}
