// What limits somebody is under and how they stand, as the fields RateLimit-Policy and RateLimit of
// draft-ietf-httpapi-ratelimit-headers-11 (May 2026, still a draft): q the quota of w seconds, r what is left of it, t the
// seconds until all of it is there again. No partition key is told: it would be somebody's address or id.
import type { OutgoingMessage } from 'node:http'
import { Problem } from '../errors.ts'
import type { Standing } from './budgets.ts'
import type { Verdict } from './rateLimiter.ts'

export const POLICY_FIELD = 'RateLimit-Policy'
export const STANDING_FIELD = 'RateLimit'

/** As a flat list of header names and values. */
export function rateFields({ policy, remaining, resetMs }: Standing): readonly string[] {
  const { name, quota, windowMs } = policy
  return [POLICY_FIELD, `"${name}";q=${quota};w=${windowMs / 1_000}`, STANDING_FIELD, `"${name}";r=${remaining};t=${Math.ceil(resetMs / 1_000)}`]
}

/** Throws Problem `rate_limited` when nothing is left. */
export function refuseBeyond({ allowed, resetMs }: Standing): void {
  if (!allowed) throw new Problem('rate_limited', undefined, { retryAfterSeconds: Math.max(1, Math.ceil(resetMs / 1_000)) })
}

/** Tells how somebody stands, beside what was told of other limits, and refuses them when nothing is left: `rate_limited`. */
export async function admitted(res: OutgoingMessage, verdict: Verdict): Promise<void> {
  const standing = await verdict
  if (standing === undefined) return
  const fields = rateFields(standing)
  for (let at = 0; at < fields.length; at += 2) {
    const before = res.getHeader(fields[at]!)
    res.setHeader(fields[at]!, typeof before === 'string' ? `${before}, ${fields[at + 1]!}` : fields[at + 1]!)
  }
  refuseBeyond(standing)
}
