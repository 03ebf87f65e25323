// The description of the API for programs and for people. Swagger UI comes from our own disk, so the page works where no
// other site can be reached, and none learns who reads it.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Response, Router } from 'express'
import { otherMethods } from '../middleware/otherMethods.ts'
import { openApiDocument } from '../openapi.ts'

const UI = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
const FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Recount API</title>
<link rel="stylesheet" href="/api-docs/swagger-ui.css">
<link rel="icon" href="/api-docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/api-docs/swagger-ui-bundle.js"></script>
<script src="/api-docs/start.js"></script>
</body>
</html>
`
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null })\n`

export function documentRoutes(): Router {
  const router = Router()
  /**
   * @openapi
   * /openapi.json:
   *   get:
   *     operationId: openapi
   *     tags: [Operations]
   *     summary: This document
   *     x-access: open
   *     responses:
   *       200: { description: OpenAPI 3.1, content: { application/json: { schema: { type: object } } } }
   */
  router
    .route('/openapi.json')
    .get((_req, res) => void res.set('Cache-Control', 'no-cache').json(openApiDocument()))
    .all(otherMethods)
  /**
   * @openapi
   * /api-docs:
   *   get:
   *     operationId: apiDocs
   *     tags: [Operations]
   *     summary: This document as a page to read and to try
   *     x-access: open
   *     responses:
   *       200: { description: The page, content: { text/html: { schema: { type: string } } } }
   */
  router
    .route('/api-docs')
    .get((_req, res) => void res.set('Cache-Control', 'no-cache').type('html').send(PAGE))
    .all(otherMethods)
  router.use('/api-docs', (req, res, next) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') next()
    else if (req.path === '/start.js') asset(res).type('js').send(START)
    else if (FILES.includes(req.path.slice(1))) asset(res).sendFile(join(UI, req.path))
    else next()
  })
  return router
}

function asset(res: Response): Response {
  return res.set('Cache-Control', 'public, max-age=3600')
}
