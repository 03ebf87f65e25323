// GET /: what a newcomer does next, as a page for people and as JSON for programs. Everything on it pastes as it is.
import { type Response, Router } from 'express'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { nextSteps, type Step } from '../nextSteps.ts'
import { type Html, html, NOTHING, postButton, sendPage, STATUS_LINE, wantsPage } from '../pages.ts'
import { publicUrlOf } from '../publicUrl.ts'
import { type Visitor, visitorOf } from '../visitor.ts'
import { type Person, whoIs } from './sessions.ts'

export const rootSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'nextSteps', 'links'],
  properties: {
    name: { type: 'string' },
    nextSteps: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['title', 'command'],
        properties: { title: { type: 'string' }, command: { type: 'string' } },
      },
    },
    links: { type: 'object', additionalProperties: { type: 'string' } },
  },
} as const

const LINKS: Record<string, string> = { documentation: '/api-docs', openapi: '/openapi.json', health: '/health/ready' }

type RootDeps = Pick<HttpDeps, 'config' | 'keyring' | 'tokens'>

export function rootRoutes(deps: RootDeps): Router {
  const router = Router()
  /**
   * @openapi
   * /:
   *   get:
   *     operationId: root
   *     tags: [Operations]
   *     summary: What to do next
   *     x-access: open
   *     responses:
   *       200:
   *         description: Next steps, as a page or as JSON by Accept
   *         content:
   *           application/json: { schema: { $ref: '#/components/schemas/Root' } }
   *           text/html: { schema: { type: string } }
   */
  router
    .route('/')
    .get(async (req, res) => {
      const visitor = await visitorOf(deps, req, res)
      const steps = nextSteps(deps, publicUrlOf(deps.config, req), visitor.user)
      res.set('Cache-Control', visitor.user === undefined ? 'no-cache' : 'private, no-store').vary('Cookie').vary('Accept')
      if (wantsPage(req)) sendRootPage(deps, res, visitor, steps)
      else res.json({ name: 'Recount', nextSteps: steps, links: linksOf(deps) })
    })
    .all(otherMethods)
  return router
}

function linksOf({ config }: RootDeps): Record<string, string> {
  return config.google === undefined ? LINKS : { ...LINKS, signIn: '/auth/google' }
}

function sendRootPage(deps: RootDeps, res: Response, { user, refresh }: Visitor, steps: readonly Step[]): void {
  sendPage(res, 'Recount', page(steps, user === undefined ? signIn(deps) : signedIn(whoIs(deps, user))), { refresh })
}

const NO_WAY_IN = 'Nobody can sign in yet: whoever runs this server sets GOOGLE_CLIENT_ID, or ALLOW_LOCAL_SIGNIN=1 for the owner code.'

function page(steps: readonly Step[], account: Html): Html {
  const items = steps.map(({ title, command }) => html`<li>${title}<pre>${command}</pre></li>\n`)
  return html`<h1>Recount is running</h1>
${account}
<p>Analytics you can recount: every number is a fold over an append-only log of events. ${steps.length === 0 ? NO_WAY_IN : 'Next steps, to paste into a shell:'}</p>
${steps.length === 0 ? NOTHING : html`<ol>
${items}</ol>`}
<p><a href="/api-docs">All routes</a> · <a href="/openapi.json">OpenAPI</a> · <a href="/health/ready">Health</a></p>`
}

function signIn({ config }: RootDeps): Html {
  if (config.google === undefined) return NOTHING
  return html`<p><a class="button" href="/auth/google">Sign in with Google</a></p>`
}

function signedIn({ email, name, operator, organisations }: Person): Html {
  const roles = organisations.map((one) => html`<dt>${one.name}</dt><dd>${one.role}</dd>\n`)
  return html`<section class="card" aria-label="Your account">
<p>Signed in as <strong>${email ?? name ?? 'the owner'}</strong>${operator ? ', who runs this installation' : ''}.</p>
<dl>
${roles}</dl>
${postButton('Sign out', '/auth/sign-out', {}, '/')}${postButton('Sign out everywhere', '/auth/sign-out', { everywhere: true }, '/', 'button plain')}
${STATUS_LINE}
</section>`
}
