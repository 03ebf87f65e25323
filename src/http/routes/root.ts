// GET /: what a newcomer does next, as a page for people and as JSON for programs. Everything on it pastes as it is.
import { type Request, type Response, Router } from 'express'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { type Html, html, NOTHING, postButton, sendPage, STATUS_LINE, wantsPage } from '../pages.ts'
import { publicUrlOf } from '../publicUrl.ts'
import { visitorOf } from '../visitor.ts'
import { type Person, whoIs } from './sessions.ts'

interface Step {
  readonly title: string
  readonly command: string
}

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
      const steps = nextSteps(publicUrlOf(deps.config, req))
      if (wantsPage(req)) await sendRootPage(deps, req, res, steps)
      else res.set('Cache-Control', 'no-cache').vary('Accept').json({ name: 'Recount', nextSteps: steps, links: linksOf(deps) })
    })
    .all(otherMethods)
  return router
}

function linksOf({ config }: RootDeps): Record<string, string> {
  return config.google === undefined ? LINKS : { ...LINKS, signIn: '/auth/google' }
}

async function sendRootPage(deps: RootDeps, req: Request, res: Response, steps: readonly Step[]): Promise<void> {
  const { user, refresh } = await visitorOf(deps, req, res)
  res.vary('Cookie').set('Cache-Control', user === undefined ? 'no-cache' : 'private, no-store')
  sendPage(res, 'Recount', page(steps, user === undefined ? signIn(deps) : signedIn(whoIs(deps, user))), { refresh })
}

function nextSteps(url: string): Step[] {
  const post = (path: string, variable: string, body: string): string =>
    `curl -s ${url}${path} -H "authorization: Bearer $${variable}" -H 'content-type: application/json' -d ${body}`
  return [
    {
      title: 'Sign in with the owner code that the console printed',
      command: `read -r OWNER_CODE && USER_TOKEN=$(curl -s ${url}/auth/local -H 'content-type: application/json' -d "{\\"code\\":\\"$OWNER_CODE\\"}" | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')`,
    },
    {
      title: 'Register an app',
      command: `APP_ID=$(${post('/auth/register', 'USER_TOKEN', `'{"name":"My site"}'`)} | sed 's/.*"appId":"\\([^"]*\\)".*/\\1/')`,
    },
    {
      title: 'Issue a key for it',
      command: `TOKEN=$(${post('/auth/api-key', 'USER_TOKEN', `"{\\"appId\\":\\"$APP_ID\\",\\"scopes\\":[\\"collect\\",\\"query\\"]}"`)} | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')`,
    },
    {
      title: 'Collect the first event',
      command: post('/collect', 'TOKEN', `'{"event":"signup","userId":"user-1"}'`),
    },
    {
      title: 'Read the number',
      command: `curl -s "${url}/analytics/event-summary?event=signup" -H "authorization: Bearer $TOKEN"`,
    },
  ]
}

function page(steps: readonly Step[], account: Html): Html {
  const items = steps.map(({ title, command }) => html`<li>${title}<pre>${command}</pre></li>\n`)
  return html`<h1>Recount is running</h1>
${account}
<p>Analytics you can recount: every number is a fold over an append-only log of events. Next steps, to paste into a shell:</p>
<ol>
${items}</ol>
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
