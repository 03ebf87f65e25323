// The way in with Google: to Google, back, and for command lines a code that they exchange. No address ever holds a token:
// a browser gets cookies alone, and a command line gets its tokens for the code together with a secret it never gave away.
import { randomInt } from 'node:crypto'
import { type Request, type Response, Router } from 'express'
import { hashInvitationToken, INVITATION_TOKEN } from '../../commands/invitationToken.ts'
import { signInWithGoogle } from '../../commands/signInWithGoogle.ts'
import { Problem } from '../../errors.ts'
import { secretsEqual, sha256 } from '../../kernel/hashing.ts'
import { uuidv7 } from '../../kernel/ids.ts'
import { LIMITS } from '../../limits.ts'
import { refuseAbsent } from '../caller.ts'
import { createGoogle, type Google, type GoogleIdentity, type Purpose } from '../google.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { bodyOf, queryOf, validateBody, validateQuery } from '../middleware/validate.ts'
import { html, leadOn, problemsAsPages, sendPage, type Way } from '../pages.ts'
import { objectOf } from '../questions.ts'
import { beginSession, type SessionDeps, setSessionCookies, tokensOf } from '../sessions.ts'

export const googleParameters = objectOf({
  invitation: { type: 'string', pattern: INVITATION_TOKEN, 'x-words': 'ri_ and 32 letters or digits', description: 'The token of an invitation to accept by signing in' },
  cli: {
    ...{ type: 'string', pattern: '^[A-Za-z0-9_-]{43}$', 'x-words': 'a SHA-256 in base64url' },
    description: 'For a command line: the SHA-256 of a verifier that it keeps (as code_challenge of RFC 7636, S256). The sign-in ends with a code for POST /auth/exchange',
  },
})

const verifier = { type: 'string', pattern: '^[A-Za-z0-9._~-]{43,128}$', 'x-words': '43 to 128 letters, digits or ._~-' } as const

export const exchangeBody = {
  ...objectOf(
    {
      code: { type: 'string', minLength: 1, maxLength: 64, description: 'As the page showed it' },
      verifier: { ...verifier, description: 'Whose SHA-256 the sign-in began with' },
    },
    ['code', 'verifier'],
  ),
  title: 'ExchangeBody',
} as const

// Without 0, O, 1, I and L: it may be typed. 12 of them are 59 bits, for two minutes, and worth nothing without the verifier.
const LETTERS = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'
const CODE_CHARS = 12

export function googleRoutes(deps: SessionDeps): Router {
  const router = Router()
  const google = createGoogle(deps)
  router.use('/auth/google', problemsAsPages(again()))
  /**
   * @openapi
   * /auth/google:
   *   get:
   *     operationId: signInWithGoogle
   *     tags: [Accounts]
   *     summary: Sign in with Google, in a browser
   *     x-access: open
   *     x-problem-pages: true
   *     x-query-schema: GoogleParameters
   *     responses:
   *       302: { description: To Google }
   */
  router
    .route('/auth/google')
    .get(validateQuery(googleParameters), async (req, res) => {
      const { invitation, cli } = queryOf(res) as { invitation?: string; cli?: string }
      const purpose: Purpose = { invitation, challenge: cli }
      res.set('Cache-Control', 'no-store')
      await configured(google).begin(req, res, purpose)
    })
    .all(otherMethods)
  /**
   * @openapi
   * /auth/google/callback:
   *   get:
   *     operationId: googleCallback
   *     tags: [Accounts]
   *     summary: Where Google sends the browser back to; it works once, in the browser that began
   *     x-access: open
   *     x-problem-pages: true
   *     responses:
   *       200: { description: The code for a command line, content: { text/html: { schema: { type: string } } } }
   *       303: { description: Signed in by cookies. The way leads to the first page }
   */
  router
    .route('/auth/google/callback')
    .get((req, res) => callback(deps, configured(google), req, res))
    .all(otherMethods)
  /**
   * @openapi
   * /auth/exchange:
   *   post:
   *     operationId: exchangeCode
   *     tags: [Accounts]
   *     summary: Tokens for the code of a sign-in that a command line began; a code works once, for two minutes
   *     x-access: open
   *     requestBody:
   *       required: true
   *       content: { application/json: { schema: { $ref: '#/components/schemas/ExchangeBody' } } }
   *     responses:
   *       200:
   *         description: Signed in
   *         content: { application/json: { schema: { $ref: '#/components/schemas/SignInAnswer' } } }
   */
  router
    .route('/auth/exchange')
    .post(validateBody(exchangeBody), async (_req, res) => exchange(deps, bodyOf(res) as { code: string; verifier: string }, res))
    .all(otherMethods)
  return router
}

function configured(google: Google | undefined): Google {
  if (google === undefined) throw new Problem('not_found', 'Sign-in with Google is not set up here (GOOGLE_CLIENT_ID)')
  return google
}

/** With what they came for: another account of theirs, or another try, may be let in. */
function again({ invitation, challenge }: Purpose = {}): Way {
  const asked = new URLSearchParams({ ...(invitation === undefined ? {} : { invitation }), ...(challenge === undefined ? {} : { cli: challenge }) })
  return { href: asked.size === 0 ? '/auth/google' : `/auth/google?${asked.toString()}`, text: 'Sign in with Google again' }
}

async function callback(deps: SessionDeps, google: Google, req: Request, res: Response): Promise<void> {
  res.set('Cache-Control', 'no-store')
  leadOn(res, again(google.purposeOf(req)))
  const { identity, purpose } = await google.finish(req, res)
  const sessionId = uuidv7(deps.clock.now())
  const { accountId } = await deps.bus.execute(signInWithGoogle, inputOf(deps, identity, purpose, sessionId), { actor: undefined }).catch((error: unknown) => {
    if (error instanceof Problem && error.code === 'invitation_ended') leadOn(res, again({ challenge: purpose.challenge }))
    throw error
  })
  if (purpose.challenge !== undefined) {
    sendCode(res, await keepCode(deps, { sessionId, accountId, challenge: purpose.challenge }))
    return
  }
  setSessionCookies(deps, res, await beginSession(deps, accountId, sessionId))
  res.redirect(303, '/')
}

function inputOf({ config }: SessionDeps, { name, hostedDomain, ...identity }: GoogleIdentity, { invitation }: Purpose, sessionId: string) {
  return {
    ...identity,
    sessionId,
    ...(name === undefined ? {} : { name }),
    ...(hostedDomain === undefined ? {} : { hostedDomain }),
    ...(invitation === undefined ? {} : { invitationHash: hashInvitationToken(invitation) }),
    ...(config.ownerEmail === undefined ? {} : { ownerEmail: config.ownerEmail }),
  }
}

async function keepCode({ sessions, keyring }: SessionDeps, { challenge, ...identity }: { sessionId: string; accountId: string; challenge: string }): Promise<string> {
  const code = Array.from({ length: CODE_CHARS }, () => LETTERS[randomInt(LETTERS.length)]!).join('')
  const { generation } = keyring.state.account(identity.accountId)!
  await sessions.keepCode({ ...identity, generation, codeHash: sha256(code), challenge: Buffer.from(challenge, 'base64url') })
  return code
}

function sendCode(res: Response, code: string): void {
  const body = html`<h1>Almost there</h1>
<p>Type or paste this code where you began, within ${String(LIMITS.exchangeCodeMs / 60_000)} minutes:</p>
<p class="code">${code.replaceAll(/(.{4})(?=.)/g, '$1-')}</p>
<p class="quiet">Give it to nobody. If you did not begin a sign-in on a command line yourself, close this page.</p>`
  sendPage(res, 'Your code – Recount', body)
}

async function exchange(deps: SessionDeps, { code, verifier }: { code: string; verifier: string }, res: Response): Promise<void> {
  const taken = await deps.sessions.takeCode(sha256(code.toUpperCase().replaceAll(/[^0-9A-Z]/g, '')))
  if (taken === undefined || !secretsEqual(sha256(verifier).toString('hex'), Buffer.from(taken.challenge).toString('hex'))) {
    return refuseCode(deps)
  }
  await refuseAbsent(deps.keyring, taken)
  res.set('Cache-Control', 'no-store').json(tokensOf(await beginSession(deps, taken.accountId, taken.sessionId, taken.generation)))
}

// Only wrong codes count, so that nobody can use up the tries of those who have one; guessing one is worth nothing without its verifier.
async function refuseCode({ rateLimiter }: SessionDeps): Promise<never> {
  const wait = await rateLimiter.guess('exchange-code')
  if (wait > 0) throw new Problem('rate_limited', 'Too many tries with wrong codes', { retryAfterSeconds: wait })
  throw new Problem('sign_in_failed', 'The code is not right, was used, or is older than two minutes: start again')
}
