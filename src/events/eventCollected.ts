// A fact that a producer sent: raw, with addresses and URLs reduced to what the app allows. Enrichment (device, country,
// visits, bots) is not here: projections derive it, so that new rules apply to all of history.
import { LIMITS } from '../limits.ts'
import { eventType } from './eventType.ts'
import { identity, name, objectSchema, url } from './schemas.ts'

export interface EventCollected {
  event: string
  url?: string
  referrer?: string
  title?: string
  userId?: string
  anonymousId?: string
  sessionId?: string
  /** The device class as the producer named it. */
  device?: string
  /** As far as the app's settings allow it to be kept. */
  ip?: string
  userAgent?: string
  /** True when address and user agent are those of a browser that made the request itself. */
  browser?: true
  /** The cookieless id (METRICS): 22 characters base64url, absent without address and user agent. */
  cookieless?: string
  /** True when userId came over a public write key. */
  unverified?: true
  screen?: string
  language?: string
  /** Present only when false. */
  interactive?: false
  value?: number
  currency?: string
  metadata?: Record<string, unknown>
}

const short = { type: 'string', minLength: 1, maxLength: LIMITS.shortTextChars } as const

export const eventCollected = eventType<EventCollected>(
  'EventCollected',
  objectSchema(
    {
      event: name,
      url,
      referrer: url,
      title: { type: 'string', maxLength: LIMITS.titleChars },
      userId: identity,
      anonymousId: identity,
      sessionId: identity,
      device: short,
      ip: short,
      userAgent: { type: 'string', maxLength: LIMITS.userAgentChars },
      browser: { const: true },
      cookieless: { type: 'string', minLength: 22, maxLength: 22 },
      unverified: { const: true },
      screen: short,
      language: short,
      interactive: { const: false },
      value: { type: 'number' },
      currency: { type: 'string', pattern: '^[A-Z]{3}$' },
      metadata: { type: 'object', maxProperties: LIMITS.metadataKeys },
    },
    ['event'],
  ),
)
