// The Express application: every route except /collect, in one order that is the same for all of them. Limits first, then
// who asks, then what is asked; whatever goes wrong ends in one place as problem details.
import express, { type Express, type Request, type RequestHandler } from 'express'
import { Problem } from '../errors.ts'
import { endLines } from './answers.ts'
import type { Caller } from './caller.ts'
import { type ClientAddress, clientAddress, type Trust } from './clientAddress.ts'
import type { KeyAuthority } from './credentials.ts'
import type { HttpDeps } from './deps.ts'
import { problemsAsPages } from './pages.ts'
import { createRefusals, type Refusal, type Refusals } from './refusals.ts'
import { problemsOf } from './middleware/problems.ts'
import { limitAddresses } from './middleware/rateLimits.ts'
import { securityHeaders } from './middleware/securityHeaders.ts'
import { answeredWhileStoreHangs } from './middleware/storeWatch.ts'
import { analyticsRoutes } from './routes/analytics.ts'
import { appRoutes } from './routes/apps.ts'
import { auditRoutes } from './routes/audit.ts'
import { definitionRoutes } from './routes/definitions.ts'
import { diffRoutes } from './routes/diff.ts'
import { correctionRoutes } from './routes/corrections.ts'
import { documentRoutes } from './routes/documents.ts'
import { eventRoutes } from './routes/events.ts'
import { goalRoutes } from './routes/goals.ts'
import { grantRoutes } from './routes/grants.ts'
import { googleRoutes } from './routes/google.ts'
import { healthRoutes } from './routes/health.ts'
import { invitationPage } from './routes/invitationPage.ts'
import { invitationRoutes } from './routes/invitations.ts'
import { keyRoutes } from './routes/keys.ts'
import { ledgerRoutes } from './routes/ledger.ts'
import { logHeadRoutes } from './routes/logHeads.ts'
import { memberRoutes } from './routes/members.ts'
import { metricRoutes } from './routes/metrics.ts'
import { organisationRoutes } from './routes/organisations.ts'
import { pageFiles } from './routes/pageFiles.ts'
import { peopleRoutes } from './routes/people.ts'
import { projectionRoutes } from './routes/projections.ts'
import { quarantineRoutes } from './routes/quarantine.ts'
import { recountRoutes } from './routes/recounts.ts'
import { restatementRoutes } from './routes/restatements.ts'
import { rootRoutes } from './routes/root.ts'
import { accountRoutes } from './routes/accounts.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { signInRoutes } from './routes/signIn.ts'
import { webRoutes } from './routes/web.ts'

export interface App {
  readonly express: Express
  readonly addressOf: ClientAddress
}

export function createApp(deps: HttpDeps, authority: KeyAuthority, refusals: Refusals = createRefusals(deps)): App {
  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false)
  app.set('query parser', 'simple')
  endLines(app)
  app.set('trust proxy', deps.config.trustProxy)
  const addressOf = clientAddress(deps.config.trustProxy, app.get('trust proxy fn') as Trust)

  app.use(timed(deps))
  app.use(securityHeaders(deps.config.publicUrl))
  app.use(healthRoutes(deps))
  app.use(limitAddresses(deps, addressOf))
  app.use(answeredWhileStoreHangs(deps))
  app.use(rootRoutes(deps))
  app.use(pageFiles())
  app.use(documentRoutes())
  app.use(metricRoutes(deps, addressOf))
  app.use(signInRoutes(deps))
  app.use(googleRoutes(deps))
  app.use(sessionRoutes(deps))
  app.use(accountRoutes(deps))
  app.use(appRoutes(deps))
  app.use(grantRoutes(deps))
  app.use(organisationRoutes(deps))
  app.use(memberRoutes(deps))
  app.use(invitationRoutes(deps))
  // After what is fixed under the same path.
  app.use(invitationPage(deps))
  app.use(auditRoutes(deps))
  app.use(keyRoutes(deps))
  app.use(analyticsRoutes(deps, authority))
  app.use(webRoutes(deps, authority))
  app.use(peopleRoutes(deps, authority))
  app.use(diffRoutes(deps, authority))
  app.use(recountRoutes(deps))
  app.use(eventRoutes(deps, authority))
  app.use(correctionRoutes(deps))
  app.use(quarantineRoutes(deps, authority))
  app.use(ledgerRoutes(deps, authority))
  app.use(restatementRoutes(deps, authority))
  app.use(goalRoutes(deps, authority))
  app.use(definitionRoutes(deps))
  app.use(projectionRoutes(deps))
  app.use(logHeadRoutes(deps))
  app.use(problemsAsPages({ href: '/', text: 'Home' }))
  app.use(() => {
    throw new Problem('not_found', 'There is no such route; /api-docs lists all of them')
  })
  app.use(problemsOf(deps, noting(refusals, addressOf)))
  return { express: app, addressOf }
}

function noting(refusals: Refusals, addressOf: ClientAddress): Parameters<typeof problemsOf>[1] {
  return (req, res, { code, status }) => {
    const { caller } = res.locals as { caller?: Caller }
    const who: Pick<Refusal, 'accountId' | 'keyId'> = caller === undefined ? {} : caller.kind === 'user' ? { accountId: caller.accountId } : { keyId: caller.key.keyId }
    refusals({ code, status, method: METHODS.has(req.method) ? req.method : 'other', route: routeOf(req), address: addressOf(req), ...who })
  }
}

function routeOf(req: Request): string {
  const path = (req.route as { path?: unknown } | undefined)?.path
  return typeof path === 'string' ? path : 'none'
}

function timed(deps: HttpDeps): RequestHandler {
  return (req, res, next) => {
    const started = performance.now()
    res.once('finish', () => {
      const seconds = (performance.now() - started) / 1_000
      deps.metrics.observe(METHODS.has(req.method) ? req.method : 'other', routeOf(req), res.statusCode, seconds)
    })
    next()
  }
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'PUT'])
