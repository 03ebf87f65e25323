// What a known path answers to a method it does not take: OPTIONS is told what there is, the rest 405 with the same list.
import type { RequestHandler } from 'express'
import { Problem } from '../../errors.ts'

/** To be registered with `.all()` after a route's own methods. */
export const otherMethods: RequestHandler = (req, res) => {
  const route = req.route as { stack: { method?: string }[] }
  const methods = new Set(route.stack.flatMap(({ method }) => (method === undefined ? [] : [method.toUpperCase()])))
  if (methods.has('GET')) methods.add('HEAD')
  methods.add('OPTIONS')
  res.setHeader('Allow', [...methods].join(', '))
  if (req.method !== 'OPTIONS') throw new Problem('method_not_allowed')
  res.writeHead(204)
  res.end()
}
