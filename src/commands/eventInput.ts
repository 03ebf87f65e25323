// What a producer may send as one event, and the three forms of a request that carries them. The schemas are the very
// components of the OpenAPI document, so what is described is what is checked.
import type { JsonSchema } from '../events/eventType.ts'
import { identity, name, objectSchema, url } from '../events/schemas.ts'
import { LIMITS } from '../limits.ts'

export interface EventInput {
  event: string
  id?: string
  url?: string
  referrer?: string
  title?: string
  userId?: string
  anonymousId?: string
  sessionId?: string
  device?: string
  ipAddress?: string
  userAgent?: string
  screen?: string
  language?: string
  timestamp?: string
  interactive?: boolean
  value?: number
  currency?: string
  metadata?: Record<string, unknown>
}

const short = { type: 'string', minLength: 1, maxLength: LIMITS.shortTextChars } as const
/** ISO 8601 with the longest fraction and offset; what it says is checked when it is read. */
const instant = { type: 'string', minLength: 10, maxLength: 40, 'x-words': 'an ISO 8601 date and time as text, such as 2026-11-22T10:30:00Z', example: '2026-11-22T10:30:00Z' } as const

export const eventInputSchema: JsonSchema = {
  ...objectSchema(
    {
      event: { ...name, example: 'pageview' },
      id: { type: 'string', minLength: 1, maxLength: LIMITS.eventIdChars },
      url: { ...url, example: 'https://example.com/pricing?utm_source=news' },
      referrer: { type: 'string', maxLength: LIMITS.urlChars },
      title: { type: 'string', maxLength: LIMITS.titleChars },
      userId: identity,
      anonymousId: identity,
      sessionId: identity,
      device: { ...short, example: 'mobile' },
      ipAddress: { ...short, example: '203.0.113.7' },
      userAgent: { type: 'string', maxLength: LIMITS.userAgentChars },
      screen: { ...short, example: '1920x1080' },
      language: { ...short, example: 'en-GB' },
      timestamp: instant,
      interactive: { type: 'boolean' },
      value: { type: 'number' },
      currency: { type: 'string', pattern: '^[A-Z]{3}$', 'x-words': 'three capital letters (ISO 4217), such as EUR', example: 'EUR' },
      metadata: { type: 'object', maxProperties: LIMITS.metadataKeys },
    },
    ['event'],
  ),
  if: { properties: { event: { const: 'pageview' } }, required: ['event'] },
  then: { required: ['url'] },
}

const events = { type: 'array', minItems: 1, maxItems: LIMITS.eventsPerRequest } as const

/** The envelope alone; its events are checked one by one, so that one bad event does not refuse the others. */
export const envelopeSchema: JsonSchema = objectSchema(
  { events, sentAt: instant, writeKey: { type: 'string', minLength: 1, maxLength: LIMITS.eventIdChars } },
  ['events'],
)

export const eventListSchema: JsonSchema = events

/** The body of POST /collect as the OpenAPI document shows it; `event` is the schema or a reference to it. */
export function collectBodySchema(event: JsonSchema): JsonSchema {
  const list = { ...events, items: event }
  return { anyOf: [event, list, objectSchema({ events: list, sentAt: instant, writeKey: { type: 'string' } }, ['events'])] }
}
