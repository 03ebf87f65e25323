// What browsers are told to refuse, by helmet: whatever a policy does not name. Scripts and styles are files of our own and
// nothing else, which leaves markup that somebody smuggled into a page nothing to run; Swagger UI alone may style inline.
import type { RequestHandler } from 'express'
import helmet from 'helmet'

const SELF = ["'self'"]
const DIRECTIVES = {
  'default-src': ["'none'"],
  'script-src': SELF,
  'style-src': SELF,
  'img-src': ["'self'", 'data:'],
  'font-src': SELF,
  'connect-src': SELF,
  'form-action': SELF,
  'base-uri': ["'none'"],
  'frame-ancestors': ["'none'"],
}
const API_DOCS = /^\/api-docs\/?$/i
/** Our pages need nothing of the machine they are read on. */
const PERMISSIONS = ['camera', 'display-capture', 'geolocation', 'microphone', 'midi', 'payment', 'publickey-credentials-get', 'screen-wake-lock', 'usb', 'xr-spatial-tracking']
  .map((name) => `${name}=()`)
  .join(', ')

export function securityHeaders(publicUrl: string | undefined): RequestHandler {
  const protect = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: DIRECTIVES },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    frameguard: { action: 'deny' },
    // Over plain HTTP browsers ignore it; an installation that has no certificate must not promise one. Its neighbours'
    // subdomains are not ours to promise for.
    hsts: publicUrl?.startsWith('https:') === true && { maxAge: 365 * 86_400, includeSubDomains: false },
  })
  const allowInlineStyles = helmet.contentSecurityPolicy({ useDefaults: false, directives: { ...DIRECTIVES, 'style-src': ["'self'", "'unsafe-inline'"] } })
  return (req, res, next) => {
    res.setHeader('Permissions-Policy', PERMISSIONS)
    protect(req, res, (fault?: unknown) => {
      if (fault !== undefined || !API_DOCS.test(req.path)) next(fault)
      else allowInlineStyles(req, res, next)
    })
  }
}
