// What RegisterApp and UpdateApp take of an app: one description for both, and the checks that a schema cannot make.
import { type Fault, Problem } from '../errors.ts'
import { type AppSettings, settingsProperties } from '../events/schemas.ts'
import { isTimeZone } from '../kernel/localDays.ts'
import { LIMITS } from '../limits.ts'

export interface AppInput {
  name?: string
  url?: string
  timezone?: string
  ip?: AppSettings['ip']
  keepQuery?: AppSettings['keepQuery']
}

/** A name that people read: not blank. */
export const label = { type: 'string', maxLength: LIMITS.eventNameChars, pattern: '\\S' } as const

export const appProperties = {
  name: {
    ...label,
    ...{ description: 'What people call the app.', examples: ['Bakery website'] },
  },
  url: {
    ...{ type: 'string', minLength: 1, maxLength: LIMITS.urlChars },
    ...{ description: 'Its address, starting with https:// or http://.', examples: ['https://bakery.example'] },
  },
  timezone: {
    ...settingsProperties.timezone,
    ...{ description: 'IANA time zone in which its days and weeks are counted; UTC unless given.', examples: ['Europe/Berlin'] },
  },
  ip: {
    ...settingsProperties.ip,
    description: 'What is stored of addresses: /24 and /48 (`truncate`, the default), everything (`full`) or nothing (`none`).',
    examples: ['truncate'],
  },
  keepQuery: {
    ...settingsProperties.keepQuery,
    description: 'Query parameters kept in stored URLs besides utm_*, click ids, ref and source; or `all`.',
    examples: [['page', 'category']],
  },
} as const

/** Throws `invalid_body` for a zone or an address that does not exist in this form. */
export function checkAppInput({ timezone, url }: AppInput): void {
  const errors: Fault[] = []
  // An offset such as +02:00 passes for a zone in some versions of Intl, but has no daylight saving: people mean a place.
  if (timezone !== undefined && !(/^[A-Za-z]/.test(timezone) && isTimeZone(timezone))) {
    errors.push({ path: '/timezone', detail: 'must be an IANA time zone, such as Europe/Berlin' })
  }
  if (url !== undefined && !isWebAddress(url)) {
    errors.push({ path: '/url', detail: 'must be an address that starts with https:// or http://' })
  }
  if (errors.length > 0) throw new Problem('invalid_body', undefined, { errors })
}

/** The settings among the input, without what was not given. */
export function settingsOf({ timezone, ip, keepQuery }: AppInput): Partial<AppSettings> {
  return {
    ...(timezone === undefined ? {} : { timezone }),
    ...(ip === undefined ? {} : { ip }),
    ...(keepQuery === undefined ? {} : { keepQuery: keepQuery === 'all' ? keepQuery : [...new Set(keepQuery)] }),
  }
}

function isWebAddress(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url)
}
