// The style sheet and the script of our own pages.
import { type Response, Router } from 'express'
import { SCRIPT, STYLE } from '../pages.ts'

export function pageFiles(): Router {
  const router = Router()
  router.use('/pages', (req, res, next) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') next()
    else if (req.path === '/recount.css') file(res).type('css').send(STYLE)
    else if (req.path === '/recount.js') file(res).type('js').send(SCRIPT)
    else next()
  })
  return router
}

// They change with the program, and nobody should see an old one with a new page.
function file(res: Response): Response {
  return res.set('Cache-Control', 'no-cache')
}
