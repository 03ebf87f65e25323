// GET /: what a newcomer does next, as a page for people and as JSON for programs. Everything on it pastes as it is.
import { Router } from 'express'
import type { HttpDeps } from '../deps.ts'
import { otherMethods } from '../middleware/otherMethods.ts'
import { publicUrlOf } from '../publicUrl.ts'

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

const LINKS = { documentation: '/api-docs', openapi: '/openapi.json', health: '/health/ready' }

export function rootRoutes(deps: Pick<HttpDeps, 'config'>): Router {
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
    .get((req, res) => {
      const steps = nextSteps(publicUrlOf(deps.config, req))
      res.set({ 'Cache-Control': 'no-cache', Vary: 'Accept' })
      if (req.accepts(['json', 'html']) === 'html') res.type('html').send(page(steps))
      else res.json({ name: 'Recount', nextSteps: steps, links: LINKS })
    })
    .all(otherMethods)
  return router
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

function page(steps: readonly Step[]): string {
  const items = steps.map(({ title, command }) => `<li>${escaped(title)}<pre>${escaped(command)}</pre></li>`).join('\n')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Recount</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; color: #1d2733 }
pre { background: #f1f4f7; padding: .75rem; border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px }
a { color: #0b62c4 }
</style>
</head>
<body>
<h1>Recount is running</h1>
<p>Analytics you can recount: every number is a fold over an append-only log of events. Next steps, to paste into a shell:</p>
<ol>
${items}
</ol>
<p><a href="/api-docs">All routes</a> · <a href="/openapi.json">OpenAPI</a> · <a href="/health/ready">Health</a></p>
</body>
</html>
`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
