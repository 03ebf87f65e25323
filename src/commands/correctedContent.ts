// New values in the place of what an event says: checked like those of a collected event and reduced by what the app allows
// now. What is not named stays byte for byte as it was stored, so that a correction never widens what was kept of a person:
// the cookieless id above all, which nobody can compute again.
import { isDeepStrictEqual } from 'node:util'
import { type Fault, Problem } from '../errors.ts'
import type { EventCollected } from '../events/eventCollected.ts'
import type { JsonSchema } from '../events/eventType.ts'
import { type AppSettings, objectSchema } from '../events/schemas.ts'
import { type EventInput, eventInputSchema } from './eventInput.ts'
import { instantOf, type Refusal, sizeRefusal, valueRefusal } from './prepareEvent.ts'
import { canonicalAddress, reduceAddress } from './privacyAddress.ts'
import { queryRule, reduceUrl } from './privacyUrl.ts'

/** By field: a new value; null takes the field away. */
export type EventChanges = { readonly [Field in Exclude<keyof EventInput, 'id'>]?: EventInput[Field] | null }

/** What an event says and when it happened. */
export interface Saying {
  readonly occurredAt: number
  readonly data: EventCollected
}

const FIELDS = Object.entries(eventInputSchema['properties'] as Readonly<Record<string, JsonSchema>>).filter(([field]) => field !== 'id')
const ALWAYS = new Set(['event', 'timestamp'])

export const changesSchema: JsonSchema = {
  ...objectSchema(
    Object.fromEntries(FIELDS.map(([field, schema]) => [field, ALWAYS.has(field) ? schema : nullable(schema)])),
    [],
  ),
  minProperties: 1,
  title: 'EventChanges',
  description: 'Fields of the event as /collect takes them; null takes one away, metadata is replaced whole, and the rest stays.',
}

function nullable({ 'x-words': words, ...schema }: JsonSchema): JsonSchema {
  const said = typeof words === 'string' ? { 'x-words': `${words}, or null` } : {}
  return { ...schema, ...said, type: [schema['type'], 'null'] }
}

/** Undefined when nothing changes by it. Throws `invalid_body` with paths within the body of the command. */
export function corrected(before: Saying, changes: EventChanges, settings: AppSettings, nowMs: number): Saying | undefined {
  const occurredAt = changes.timestamp == null ? before.occurredAt : instantOf(changes.timestamp, settings.timezone, { receivedAt: nowMs, skewMs: 0 })
  if (typeof occurredAt !== 'number') throw refused([occurredAt])
  const { ipAddress, url, metadata } = changes
  const given = { ...(ipAddress == null ? {} : { ipAddress }), ...(url == null ? {} : { url }), ...(metadata == null ? {} : { metadata }) }
  const refusal = valueRefusal(given) ?? (metadata == null ? undefined : sizeRefusal(metadata))
  if (refusal !== undefined) throw refused([refusal])
  const data = changed(before.data, changes, settings)
  if (data.event === 'pageview' && data.url === undefined) throw refused([{ path: '/url', detail: 'is required for a pageview' }])
  return occurredAt === before.occurredAt && isDeepStrictEqual(data, before.data) ? undefined : { occurredAt, data }
}

/** Fields that are stored as they are given. */
const PLAIN = ['event', 'title', 'userId', 'anonymousId', 'sessionId', 'device', 'userAgent', 'screen', 'language', 'value', 'currency', 'metadata'] as const

function changed(before: EventCollected, changes: EventChanges, settings: AppSettings): EventCollected {
  const data: Record<string, unknown> = { ...before }
  const put = (field: keyof EventCollected, value: unknown): void => {
    if (value == null || value === '') Reflect.deleteProperty(data, field)
    else data[field] = value
  }
  for (const field of PLAIN) if (changes[field] !== undefined) put(field, changes[field])
  const keep = queryRule(settings.keepQuery)
  for (const field of ['url', 'referrer'] as const) {
    const text = changes[field]
    if (text !== undefined) put(field, text === null ? null : reduceUrl(text, keep))
  }
  if (changes.ipAddress !== undefined) put('ip', changes.ipAddress === null ? null : reduceAddress(canonicalAddress(changes.ipAddress)!, settings.ip))
  if (changes.interactive !== undefined) put('interactive', changes.interactive === false ? false : null)
  // These two say where a value came from, which is no longer so.
  if (data['ip'] !== before.ip || data['userAgent'] !== before.userAgent) put('browser', null)
  if (data['userId'] !== before.userId) put('unverified', null)
  return data as unknown as EventCollected
}

function refused(refusals: readonly Pick<Refusal, 'path' | 'detail'>[]): Problem {
  const errors: Fault[] = refusals.map(({ path, detail, ...more }) => ({ path: `/changes${path}`, detail, ...('code' in more ? { code: more.code as string } : {}) }))
  return new Problem('invalid_body', undefined, { errors })
}
