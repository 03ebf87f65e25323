// Lets requests in at the rate that limits allow: by address before anybody looks at them, and by account or key once it is
// known whose they are.
import type { RequestHandler, Response } from 'express'
import { Problem } from '../../errors.ts'
import { LIMITS } from '../../limits.ts'
import { type Caller, setCaller } from '../caller.ts'
import type { ClientAddress } from '../clientAddress.ts'
import { admitted } from '../rateFields.ts'
import type { RateLimiter } from '../rateLimiter.ts'

interface Limited {
  rateLimiter?: RateLimiter
}

export function limitAddresses({ rateLimiter }: { readonly rateLimiter: RateLimiter }, addressOf: ClientAddress): RequestHandler {
  return async (req, res, next) => {
    if (req.url.length > LIMITS.urlBytes) throw new Problem('uri_too_long')
    ;(res.locals as Limited).rateLimiter = rateLimiter
    await admitted(res, rateLimiter.request(addressOf(req)))
    next()
  }
}

/** Sets who asks, unless they have asked too often: Problem `rate_limited`. */
export async function letIn(res: Response, caller: Caller): Promise<void> {
  const { rateLimiter } = res.locals as Limited
  if (rateLimiter !== undefined) await admitted(res, caller.kind === 'key' ? rateLimiter.key(caller.key, 'read') : rateLimiter.account(caller.accountId))
  setCaller(res, caller)
}
