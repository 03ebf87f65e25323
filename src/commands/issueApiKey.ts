// Lets a client act for an app, within scopes, until it expires, from certain origins only where that is asked for.
import { type Fault, Problem } from '../errors.ts'
import { apiKeyIssued, type ApiKeyIssued } from '../events/apiKeyIssued.ts'
import { objectSchema, scope, type Scope, uuid } from '../events/schemas.ts'
import { uuidv5 } from '../kernel/ids.ts'
import { parseInstant } from '../kernel/instants.ts'
import { LIMITS } from '../limits.ts'
import { label } from './appInput.ts'
import type { Command, CommandContext, KeySecret } from './commandBus.ts'
import { actingAccount, appFor, refuseScopesAbove, roleOnApp } from './roles.ts'

export interface IssueApiKey {
  appId: string
  name?: string
  scopes?: Scope[]
  expiresAt?: string
  allowedOrigins?: string[]
  requestsPerMinute?: number
}

export const issueApiKey: Command<IssueApiKey, { keyId: string; appId: string }> = {
  name: 'IssueApiKey',
  schema: {
    ...objectSchema(
      {
        appId: { ...uuid, description: 'The app it is for.' },
        name: { ...label, description: 'What people call the key.', examples: ['Website'] },
        scopes: {
          ...{ type: 'array', minItems: 1, uniqueItems: true, items: scope, default: ['collect'] },
          description: 'What it may do: send events, read aggregates (`query`), read about people (`people`).',
        },
        expiresAt: {
          ...{ type: 'string', minLength: 1, maxLength: LIMITS.shortTextChars },
          description: 'ISO 8601, in the future; local to the app without an offset. Never, unless given.',
          examples: ['2027-01-01T00:00:00Z'],
        },
        allowedOrigins: {
          ...{ type: 'array', minItems: 1, maxItems: LIMITS.allowedOrigins },
          items: { type: 'string', minLength: 1, maxLength: LIMITS.originChars },
          description: 'Origins of the pages that may send events with it. Any, unless given.',
          examples: [['https://bakery.example']],
        },
        requestsPerMinute: {
          ...{ type: 'integer', minimum: 1, maximum: LIMITS.keyRequestsPerMinuteMax },
          description: `How many requests it may make in a minute, whichever process takes them. Unless given, ${LIMITS.keyReadsPerMinute} reads a minute, and collecting as its address may.`,
        },
      },
      ['appId'],
    ),
    ...{ title: 'IssueApiKey', description: 'A new key for an app.' },
    examples: [{ appId: '5f0c2a52-0d7e-5b1c-9c7e-2f6a3b1d4e5f', name: 'Website', allowedOrigins: ['https://bakery.example'] }],
  },
  decide(state, input, context) {
    const issuedBy = actingAccount(state, context)
    const app = appFor(state, input.appId, issuedBy, 'analyst')
    const scopes = input.scopes ?? ['collect']
    refuseScopesAbove(roleOnApp(state, app, issuedBy)!, scopes)
    const errors: Fault[] = []
    const expiresAt = futureInstant(input.expiresAt, app.settings.timezone, context.now, errors)
    const allowedOrigins = origins(input.allowedOrigins, errors)
    if (errors.length > 0) throw new Problem('invalid_body', undefined, { errors })
    const keyId = keyIdOf(context)
    const data: ApiKeyIssued = {
      ...{ keyId, appId: app.appId, issuedBy, name: input.name?.trim() ?? 'API key' },
      ...{ scopes, ...secretOf(context) },
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(allowedOrigins === undefined ? {} : { allowedOrigins }),
      ...(input.requestsPerMinute === undefined ? {} : { requestsPerMinute: input.requestsPerMinute }),
    }
    return {
      events: [{ type: apiKeyIssued, stream: `key:${keyId}`, appId: app.appId, data }],
      result: { keyId, appId: app.appId },
      // An app that is deleted meanwhile must not be left with a living key.
      guards: [`app:${app.appId}`],
    }
  },
}

/** The id of the key that a command issues: the same for a retry. */
export function keyIdOf({ commandId }: CommandContext): string {
  return uuidv5(commandId, 'key')
}

/** What the log may know of the new key's secret. Its absence is a caller's defect. */
export function secretOf({ secret }: CommandContext): KeySecret {
  if (secret === undefined) throw new TypeError('a command that issues a key needs a secret')
  return { writeKeyHash: secret.writeKeyHash, writeKeyHint: secret.writeKeyHint }
}

function futureInstant(text: string | undefined, timezone: string, now: number, errors: Fault[]): number | undefined {
  if (text === undefined) return undefined
  const instant = parseInstant(text, timezone)
  if (instant === undefined) {
    errors.push({ path: '/expiresAt', detail: 'must be an ISO 8601 date and time, such as 2027-01-01T00:00:00Z' })
  } else if (instant <= now) {
    errors.push({ path: '/expiresAt', detail: 'must lie in the future' })
  }
  return instant
}

/** Origins as browsers send them: lower case, no default port, no path. */
function origins(texts: readonly string[] | undefined, errors: Fault[]): string[] | undefined {
  const found = texts?.map((text, index) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    const web = url?.protocol === 'https:' || url?.protocol === 'http:'
    // A page's whole address would look as if only that page were let in.
    const bare = url !== undefined && `${url.pathname}${url.search}${url.hash}${url.username}${url.password}` === '/'
    if (url !== undefined && web && bare && !url.hostname.includes('*')) return url.origin
    errors.push({ path: `/allowedOrigins/${index}`, detail: 'must be an origin, such as https://bakery.example, without a path' })
    return text
  })
  return found === undefined ? undefined : [...new Set(found)]
}
