// One clear sentence per kind of fault. Nothing of the input is repeated except names of fields, cut short: an input may be
// a secret, and an answer must not grow with it.
import type { ErrorObject } from 'ajv'

const NAME_CHARS_MAX = 64

/** A schema's own words for what it describes, such as `an event id (UUID)`: a pattern tells nobody anything. */
export const WORDS = 'x-words'

type Params = Readonly<Record<string, unknown>>

const SENTENCES: Readonly<Record<string, (params: Params) => string>> = {
  additionalProperties: () => 'unknown field',
  unevaluatedProperties: () => 'unknown field',
  required: () => 'is required',
  dependentRequired: ({ property }) => `is required together with ${named(property)}`,
  type: ({ type }) => `must be ${types(type)}`,
  enum: ({ allowedValues }) => `must be one of ${(allowedValues as unknown[]).map((value) => JSON.stringify(value)).join(', ')}`,
  const: ({ allowedValue }) => `must be ${JSON.stringify(allowedValue)}`,
  anyOf: ({ branches }) => choice(branches),
  oneOf: ({ branches }) => choice(branches),
  not: () => 'is not allowed in this form',
  'false schema': () => 'is not allowed',
  minLength: ({ limit }) => (limit === 1 ? 'must not be empty' : `must have at least ${number(limit)} characters`),
  maxLength: ({ limit }) => `must have at most ${number(limit)} characters`,
  pattern: ({ pattern }) => (pattern === '\\S' ? 'must not be blank' : `must match ${String(pattern)}`),
  format: ({ format }) => `must be ${FORMATS[String(format)] ?? `a valid ${String(format)}`}`,
  minimum: ({ limit }) => `must be ${number(limit)} or more`,
  maximum: ({ limit }) => `must be ${number(limit)} or less`,
  exclusiveMinimum: ({ limit }) => `must be more than ${number(limit)}`,
  exclusiveMaximum: ({ limit }) => `must be less than ${number(limit)}`,
  multipleOf: ({ multipleOf }) => `must be a multiple of ${number(multipleOf)}`,
  minItems: ({ limit }) => (limit === 1 ? 'must not be empty' : `must have at least ${number(limit)} items`),
  maxItems: ({ limit }) => `must have at most ${number(limit)} items`,
  uniqueItems: ({ i, j }) => `must not repeat an item: items ${number(i)} and ${number(j)} are equal`,
  minProperties: ({ limit }) => (limit === 1 ? 'must name at least one field' : `must have at least ${number(limit)} fields`),
  maxProperties: ({ limit }) => `must have at most ${number(limit)} fields`,
  propertyNames: ({ propertyName }) => `the name of the field ${named(propertyName)} is not allowed`,
}

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': 'an ISO 8601 date and time with offset, such as 2026-11-22T09:30:00Z',
  'iso-date-time': 'an ISO 8601 date and time, such as 2026-11-22T09:30:00Z',
  date: 'an ISO 8601 date, such as 2026-11-22',
  uuid: 'a UUID',
  uri: 'an absolute address, such as https://example.com/',
  email: 'an e-mail address',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
}

/** Faults of form: all of them mean that the text is not what the schema's `x-words` call it. */
const FORM = new Set(['type', 'pattern', 'format', 'minLength'])

/** What is wrong, as a sentence that follows the field's path. */
export function words(error: ErrorObject): string {
  const called = (error.parentSchema as Params | undefined)?.[WORDS]
  if (typeof called === 'string' && FORM.has(error.keyword)) return `must be ${called}`
  return SENTENCES[error.keyword]?.(error.params as Params) ?? error.message ?? 'is not valid'
}

function named(field: unknown): string {
  const text = String(field)
  return JSON.stringify(text.length > NAME_CHARS_MAX ? `${text.slice(0, NAME_CHARS_MAX)}…` : text)
}

function number(value: unknown): string {
  return typeof value === 'number' ? value.toLocaleString('en') : String(value)
}

function types(type: unknown): string {
  const names = Array.isArray(type) ? type.map(String) : [String(type)]
  return names.map(article).join(' or ')
}

function article(type: string): string {
  if (type === 'null') return 'null'
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`
}

function choice(branches: unknown): string {
  if (!Array.isArray(branches) || branches.length === 0) return 'must match exactly one of the forms allowed'
  const parts = [...new Set(branches.map((branch) => String(branch).replace(/^must be /, '')))]
  return `must be ${parts.join(' or ')}`
}

/** A fault with its place as people write it: `metadata.plan: must be a string` for the pointer /metadata/plan. */
export function located({ path, detail }: { readonly path: string; readonly detail: string }): string {
  const place = path.slice(1).split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')).join('.')
  return place === '' ? detail : `${place}: ${detail}`
}
