// What was refused for want of credentials or rights goes into the log of the process, so that somebody who looks for a way
// in is seen: when, from where (as far as addresses may be kept), for what, and as whom. Bounded, because whoever is refused
// can ask as often as they like: beyond the bound refusals of a minute are counted only.
import { canonicalAddress, reduceAddress } from '../commands/privacyAddress.ts'
import type { ErrorCode } from '../errors.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import { LIMITS } from '../limits.ts'

export interface Refusal {
  readonly code: ErrorCode
  readonly status: number
  readonly method: string
  /** The route as it is documented, never the address as it was sent: that may hold a secret. */
  readonly route: string
  readonly address: string | undefined
  readonly accountId?: string | undefined
  readonly keyId?: string | undefined
}

export type Refusals = (refusal: Refusal) => void

const MINUTE_MS = 60_000

/** Takes every problem; notes those of status 401, 403 and 429. */
export function createRefusals({ logger, clock }: { readonly logger: Logger; readonly clock: Clock }): Refusals {
  let minute = 0
  let logged = 0
  let left = 0
  return ({ status, address, ...refusal }) => {
    if (status !== 401 && status !== 403 && status !== 429) return
    const now = Math.floor(clock.now() / MINUTE_MS)
    if (now !== minute) {
      if (left > 0) logger.warn('refusals that were not logged one by one', { count: left })
      minute = now
      logged = 0
      left = 0
    }
    if (logged < LIMITS.refusalsLoggedPerMinute) {
      logged += 1
      logger.info('refused', { ...refusal, status, network: networkOf(address) })
    } else left += 1
  }
}

/** The /24 or /48, as people's addresses are kept. */
function networkOf(address: string | undefined): string | undefined {
  const canonical = address === undefined ? undefined : canonicalAddress(address)
  return canonical === undefined ? undefined : reduceAddress(canonical, 'truncate')
}
