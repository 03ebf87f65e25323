// Sign-in with Google: passport's strategy with the parts that it leaves to others. What it must remember between its two
// steps (nonce, PKCE verifier, what the person came for) is sealed into one short-lived cookie of this browser, which is
// taken away at the second step: so a callback works once, in the browser that began, in whatever process it arrives.
import { randomBytes } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import passport from 'passport'
import { Strategy, type StrategyOptions } from 'passport-google-oauth20'
import type { GoogleConfig } from '../config.ts'
import { Problem } from '../errors.ts'
import { secretsEqual } from '../kernel/hashing.ts'
import { LIMITS } from '../limits.ts'
import { clearCookie, readCookie, setCookie } from './cookies.ts'
import type { HttpDeps } from './deps.ts'
import { type AskGoogle, askGoogle, GoogleRefused } from './googleAnswers.ts'

export type GoogleDeps = Pick<HttpDeps, 'config' | 'tokens' | 'clock' | 'logger'>

/** What the person came for, kept over the way to Google and back. */
export interface Purpose {
  /** An invitation's token: who fails may try again with it. */
  readonly invitation?: string | undefined
  /** Of a command line: SHA-256 of what it keeps to itself, base64url. */
  readonly challenge?: string | undefined
}

/** What Google says of a person. */
export interface GoogleIdentity {
  readonly googleId: string
  readonly email: string
  readonly emailVerified: boolean
  readonly name: string | undefined
  readonly hostedDomain: string | undefined
}

export interface Google {
  /** Sends the browser to Google. */
  begin(req: Request, res: Response, purpose: Purpose): Promise<void>
  /** What the person of a second step came for, if this browser began it. */
  purposeOf(req: Request): Purpose | undefined
  /** The second step. Throws Problem `sign_in_failed`, `sign_in_denied`, `email_unverified`, `provider_unavailable`. */
  finish(req: Request, res: Response): Promise<{ identity: GoogleIdentity; purpose: Purpose }>
}

interface State extends Purpose {
  readonly nonce: string
  readonly verifier: string
}

const STATE = 'google-sign-in'
const NONCE_BYTES = 32

/** As passport-oauth2 calls it, which goes by the number of parameters; its types know the shorter forms only. */
interface StateStore {
  store(req: Request, verifier: string, purpose: Purpose, meta: unknown, done: (error: unknown, state?: string) => void): void
  verify(req: Request, given: unknown, meta: unknown, done: (error: unknown, verifier?: string, state?: State) => void): void
}

/** Undefined where it is not configured. */
export function createGoogle(deps: GoogleDeps): Google | undefined {
  const { google } = deps.config
  if (google === undefined) return undefined
  const authenticator = new passport.Passport()
  authenticator.use(createStrategy(google, createStateStore(deps)))
  // By name, never the strategy itself: of a name passport makes a copy for each request, and two people cannot meet in one.
  const step = (options: object, outcome: (fault: unknown, said?: unknown, info?: unknown) => void): RequestHandler =>
    authenticator.authenticate('google', { session: false, ...options }, outcome) as RequestHandler

  return {
    begin: (req, res, purpose) =>
      new Promise((resolve, reject) => {
        res.once('close', resolve)
        // An object as state is handed to the store; a text would go to Google as it is.
        void step({ prompt: 'select_account', state: purpose }, reject)(req, res, reject)
      }),
    purposeOf: (req) => stateOf(deps, req),
    async finish(req, res) {
      const { code, error } = req.query
      clearCookie(res, deps.config, 'signIn')
      if (error !== undefined) throw new Problem(stateOf(deps, req) !== undefined && error === 'access_denied' ? 'sign_in_denied' : 'sign_in_failed')
      // Without a code the strategy would begin anew.
      if (typeof code !== 'string' || code === '') throw new Problem('sign_in_failed')
      const { said, state } = await new Promise<{ said: unknown; state: State }>((resolve, reject) => {
        const outcome = (fault: unknown, user?: unknown, info?: unknown): void => {
          if (fault === null || fault === undefined) resolve({ said: user, state: (info as { state: State }).state })
          else reject(asProblem(deps, fault))
        }
        void step({}, outcome)(req, res, reject)
      })
      return { identity: identityOf(said as Record<string, unknown>), purpose: state }
    },
  }
}

function createStrategy(google: GoogleConfig, store: StateStore): Strategy {
  const options = {
    clientID: google.clientId,
    clientSecret: google.clientSecret,
    callbackURL: google.callbackUrl,
    authorizationURL: google.authorizationUrl,
    tokenURL: google.tokenUrl,
    userProfileURL: google.userinfoUrl,
    scope: ['openid', 'email', 'profile'],
    pkce: true,
    store,
  }
  const strategy = new Strategy(options as unknown as StrategyOptions, (_accessToken, _refreshToken, profile, done) => {
    done(null, profile._json)
  })
  const inside = strategy as unknown as { _userProfileFormat: string; _oauth2: { _request: AskGoogle; useAuthorizationHeaderforGET(use: boolean): void } }
  // It guesses from the address, which may be any.
  inside._userProfileFormat = 'openid'
  const { _oauth2 } = inside
  // Else the token stands in the address.
  _oauth2.useAuthorizationHeaderforGET(true)
  _oauth2._request = askGoogle
  return strategy
}

function createStateStore(deps: GoogleDeps): StateStore {
  return {
    store(req, verifier, purpose, _meta, done) {
      const state: State = { ...purpose, verifier, nonce: randomBytes(NONCE_BYTES).toString('base64url') }
      setCookie(req.res!, deps.config, 'signIn', deps.tokens.sealState(STATE, state, deps.clock.now() + LIMITS.signInMs), LIMITS.signInMs)
      done(null, state.nonce)
    },
    verify(req, _given, _meta, done) {
      const state = stateOf(deps, req)
      if (state === undefined) done(new Problem('sign_in_failed'))
      else done(null, state.verifier, state)
    },
  }
}

/** What this browser began, if Google answers to that and in time. */
function stateOf({ config, tokens }: GoogleDeps, req: Request): State | undefined {
  const given = req.query['state']
  const cookie = readCookie(req, config, 'signIn')
  const state = cookie === undefined ? undefined : (tokens.openState(STATE, cookie) as State | undefined)
  return state !== undefined && typeof given === 'string' && secretsEqual(given, state.nonce) ? state : undefined
}

/** Whatever went wrong between us and Google. Nothing that either said gets into the log or the answer. */
function asProblem({ logger }: GoogleDeps, fault: unknown): Problem {
  if (fault instanceof Problem) return fault
  const { oauthError } = fault as { oauthError?: unknown }
  const refused = oauthError instanceof GoogleRefused ? oauthError : undefined
  // The code was used before, is too old, or was given to somebody else.
  if (refused?.code === 'invalid_grant') return new Problem('sign_in_failed')
  logger.warn('Google did not answer a sign-in as it should', { status: refused?.status, code: refused?.code, why: refused?.message ?? 'no access token' })
  return new Problem('provider_unavailable', 'Google did not answer as it should; try again', { retryAfterSeconds: 5 })
}

/** Throws `email_unverified` where there is no address to go by, `provider_unavailable` where it does not even say who it is. */
function identityOf(said: Readonly<Record<string, unknown>>): GoogleIdentity {
  const { sub, email, email_verified: verified, name, hd } = said
  if (!isText(sub, LIMITS.eventNameChars)) throw new Problem('provider_unavailable', 'Google did not say who signs in; try again')
  if (!isText(email, LIMITS.emailChars) || !/^[^\s@]+@[^\s@]+$/.test(email)) throw new Problem('email_unverified', 'Google named no e-mail address')
  return {
    googleId: sub,
    email,
    emailVerified: verified === true,
    name: isText(name, LIMITS.urlChars) ? name : undefined,
    hostedDomain: isText(hd, LIMITS.emailChars) ? hd : undefined,
  }
}

function isText(value: unknown, maxChars: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxChars
}
