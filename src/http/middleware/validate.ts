// Checks what a request says against the very schema that the OpenAPI document shows, before a route sees it. Every fault
// is told with its path; what no schema names is refused.
import type { Request, RequestHandler, Response } from 'express'
import { Problem } from '../../errors.ts'
import { compile } from '../../kernel/validation.ts'
import { LIMITS } from '../../limits.ts'
import { readJson } from '../body.ts'
import { checkedAgain } from '../caller.ts'

export type Schema = Readonly<Record<string, unknown>>

interface Checked {
  body?: unknown
  query?: unknown
}

const BOUNDS = { bytes: LIMITS.jsonBodyBytes, depth: LIMITS.jsonDepth }

/**
 * The body, as application/json and nothing else: no form of another site can send that without asking first. None at all
 * means {} where every field is optional; whoever comes with a cookie must come from a page of ours in any case.
 */
export function validateBody(schema: Schema): RequestHandler {
  const check = compile(schema)
  const optional = takesNothing(schema)
  return async (req, res, next) => {
    if (optional && hasNoBody(req)) {
      ;(res.locals as Checked).body = {}
      next()
      return
    }
    if (req.is('application/json') === false) throw new Problem('unsupported_media_type')
    const body = await readJson(req, BOUNDS)
    checkedAgain(res)
    const errors = check(body)
    if (errors.length > 0) throw new Problem('invalid_body', undefined, { errors })
    ;(res.locals as Checked).body = body
    next()
  }
}

/** Whether a body of this schema may be left out. */
export function takesNothing(schema: Schema): boolean {
  return compile(schema)({}).length === 0
}

function hasNoBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0
}

/** The query string and path parameters together; text becomes numbers and booleans where the schema says so. */
export function validateQuery(schema: Schema): RequestHandler {
  const check = compile(schema, { parameters: true })
  return (req, res, next) => {
    const query: Record<string, unknown> = { ...req.query, ...req.params }
    const errors = [...strayed(req), ...check(query)]
    if (errors.length > 0) throw new Problem('invalid_parameter', undefined, { errors })
    ;(res.locals as Checked).query = query
    next()
  }
}

// A query parameter must not pass for one of the path, nor shadow it.
function strayed(req: Request): { path: string; detail: string }[] {
  return Object.keys(req.query)
    .filter((name) => name in req.params)
    .map((path) => ({ path, detail: 'belongs into the path' }))
}

/** What the schema has vouched for; the caller names its type. */
export function bodyOf(res: Response): unknown {
  return (res.locals as Checked).body
}

export function queryOf(res: Response): unknown {
  return (res.locals as Checked).query
}

export const NO_PARAMETERS: Schema = { type: 'object', additionalProperties: false, properties: {} }
