// Which browsers' pages may talk to /collect: all of them may ask, because the preflight carries no key yet. A key's
// allowedOrigins are checked on the POST itself; it is noise control, not authentication.
import type { IncomingMessage } from 'node:http'
import { Problem } from '../errors.ts'
import type { KeyState } from '../commands/keyring.ts'

const ORIGIN = /^[\x21-\x7e]{1,512}$/

/** Headers that let the page read the answer, as a flat list; nothing without an Origin. */
export function corsHeaders(req: IncomingMessage): readonly string[] {
  const origin = req.headers.origin
  if (origin === undefined) return NONE
  return ORIGIN.test(origin) ? ['Access-Control-Allow-Origin', origin, 'Vary', 'Origin', 'Access-Control-Expose-Headers', EXPOSED] : VARY
}

/** When to come back, and how often one may. */
const EXPOSED = 'Retry-After, RateLimit, RateLimit-Policy'
const NONE: readonly string[] = []
const VARY: readonly string[] = ['Vary', 'Origin']

export const PREFLIGHT: readonly string[] = [
  'Access-Control-Allow-Methods',
  'POST, OPTIONS',
  'Access-Control-Allow-Headers',
  'authorization, content-type, content-encoding, x-api-key',
  'Access-Control-Max-Age',
  '86400',
]

export function checkOrigin(key: KeyState, origin: string | undefined): void {
  if (key.allowedOrigins === undefined) return
  if (origin === undefined) throw new Problem('origin_not_allowed', 'The key takes requests from named origins only')
  const asked = origin.toLowerCase()
  if (!key.allowedOrigins.some((allowed) => allowed.toLowerCase() === asked)) throw new Problem('origin_not_allowed', 'The key does not take requests from this origin')
}
