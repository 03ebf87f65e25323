// Schema fragments that several events share.
import { LIMITS } from '../limits.ts'

export const uuid = { type: 'string', pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', 'x-words': 'an id (UUID in lower case)' } as const
export const epochMs = { type: 'integer', minimum: 0 } as const
export const name = { type: 'string', minLength: 1, maxLength: LIMITS.eventNameChars } as const
export const identity = { type: 'string', minLength: 1, maxLength: LIMITS.identityChars } as const
export const url = { type: 'string', minLength: 1, maxLength: LIMITS.urlChars } as const

export const scope = { type: 'string', enum: ['collect', 'query', 'people'] } as const
export type Scope = 'collect' | 'query' | 'people'

/** What an app may decide about its own data. */
export interface AppSettings {
  /** IANA name; days and weeks of its numbers are local to it. */
  timezone: string
  /** What is kept of addresses: /24 and /48 (truncate), all (full), nothing (none). */
  ip: 'truncate' | 'full' | 'none'
  /** Query parameters kept in URLs besides the built-in ones, or all. */
  keepQuery: string[] | 'all'
}

export const DEFAULT_SETTINGS: AppSettings = { timezone: 'UTC', ip: 'truncate', keepQuery: [] }

export const settingsProperties = {
  timezone: { type: 'string', minLength: 1, maxLength: LIMITS.shortTextChars },
  ip: { type: 'string', enum: ['truncate', 'full', 'none'] },
  keepQuery: {
    anyOf: [
      { type: 'string', const: 'all' },
      { type: 'array', maxItems: 100, items: { type: 'string', minLength: 1, maxLength: LIMITS.shortTextChars } },
    ],
  },
} as const

export function objectSchema(
  properties: Record<string, unknown>,
  required: readonly string[],
): Readonly<Record<string, unknown>> {
  return { type: 'object', additionalProperties: false, required, properties }
}
