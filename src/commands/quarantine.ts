// What is kept of an event that was refused: enough for its owner to see what was wrong, and where only a rule stood against
// it, the very event, because a release of it must be the event that /collect would have taken: with the same id, of the same
// person. So fields of the schema are reduced as in accepted events and else kept as sent. What is no such field or of another
// type may itself be the fault, an address with its port, say: there addresses and URLs are reduced wherever they stand.
import type { RejectedEvent } from '../events/eventLog.ts'
import { LEFT_OUT } from '../events/quarantinedBody.ts'
import { LIMITS } from '../limits.ts'
import { eventInputSchema } from './eventInput.ts'
import type { AppRules, EventContext } from './prepareEvent.ts'
import { canonicalAddress, reduceAddress } from './privacyAddress.ts'
import { isUrl, reduceUrl } from './privacyUrl.ts'

const DETAIL_CHARS = 500
/** What may be an address within a text; whether it is one is asked of whoever knows. */
const ADDRESS = /(?:[0-9a-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4})|\d{1,3}(?:\.\d{1,3}){3}/gi
const TYPES = new Map(Object.entries(eventInputSchema['properties'] as Record<string, { readonly type: string }>).map(([name, { type }]) => [name, type]))

export function quarantined(input: unknown, code: string, detail: string, { rules, publicKey, skewMs }: Pick<EventContext, 'rules' | 'publicKey' | 'skewMs'>): RejectedEvent {
  const reduction = new Reduction(rules)
  const body = JSON.stringify(reduction.event(input))
  return {
    appId: rules.app.appId,
    code,
    detail: withoutAddresses(detail.slice(0, DETAIL_CHARS), rules),
    body: cut(body, LIMITS.metadataBytes),
    ...(publicKey ? { viaPublicKey: true } : {}),
    ...(reduction.altered ? { altered: true } : {}),
    ...(skewMs === 0 ? {} : { skewMs }),
  }
}

class Reduction {
  /** Something says less than it would say of an event that was taken. */
  altered = false

  constructor(private readonly rules: AppRules) {}

  event(input: unknown): unknown {
    if (!isObject(input)) return this.scanned(input, LIMITS.jsonDepth)
    return this.entries(input, (value, name) => this.field(value, name))
  }

  /** Undefined: nothing is kept of it. */
  private field(value: unknown, name: string): unknown {
    const levels = LIMITS.jsonDepth - 1
    const type = TYPES.get(name)
    const fits = type === 'object' ? isObject(value) : typeof value === type
    if (!fits) return this.scanned(value, levels, name)
    return typeof value === 'string' ? this.known(value, name) : shallow(value, levels)
  }

  private known(text: string, name: string): string | undefined {
    const { keepQuery, app } = this.rules
    if (name === 'ipAddress') {
      const address = canonicalAddress(text)
      return address === undefined ? this.text(text, name) : reduceAddress(address, app.settings.ip)
    }
    if (name !== 'url' && name !== 'referrer') return text
    const taken = reduceUrl(text, keepQuery)
    return name === 'referrer' || isUrl(text) ? taken : this.text(text, name, taken)
  }

  /** Whatever it is, with addresses and URLs reduced in every text and name. */
  private scanned(value: unknown, levels: number, name = ''): unknown {
    if (typeof value === 'string') return this.text(value, name)
    if (typeof value !== 'object' || value === null) return value
    if (levels === 0) return LEFT_OUT
    if (Array.isArray(value)) return value.map((item) => this.scanned(item, levels - 1, name))
    return this.entries(value, (inner, key) => this.scanned(inner, levels - 1, key))
  }

  private entries(value: object, reduced: (inner: unknown, key: string) => unknown): unknown {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [this.noted(key, withoutAddresses(key, this.rules)), reduced(inner, key)]))
  }

  /** `taken` is what would be kept of it if it were no fault. */
  private text(text: string, name: string, taken = text): string {
    return this.noted(taken, reducedText(text, this.rules, name))
  }

  private noted(before: string, after: string): string {
    if (after !== before) this.altered = true
    return after
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function reducedText(text: string, rules: AppRules, name: string): string {
  const address = canonicalAddress(text.trim())
  if (address !== undefined) return reduceAddress(address, rules.app.settings.ip) ?? ''
  const isLink = name === 'url' || name === 'referrer' || text.includes('://')
  return withoutAddresses(isLink ? reduceUrl(text, rules.keepQuery) : text, rules)
}

function withoutAddresses(text: string, { app }: AppRules): string {
  const { ip } = app.settings
  if (ip === 'full') return text
  return text.replace(ADDRESS, (found) => {
    const address = canonicalAddress(found)
    return address === undefined ? found : (reduceAddress(address, ip) ?? '')
  })
}

/** As sent, but no deeper than can be written: a hostile body may be nested deeper than the stack. */
function shallow(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return LEFT_OUT
  if (Array.isArray(value)) return value.map((item) => shallow(item, levels - 1))
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shallow(inner, levels - 1)]))
}

/** At most `bytes` of UTF-8, never cutting a character in two. */
function cut(text: string, bytes: number): string {
  if (text.length * 3 <= bytes) return text
  const buffer = Buffer.from(text)
  if (buffer.length <= bytes) return text
  let end = bytes
  while ((buffer[end]! & 0xc0) === 0x80) end--
  return buffer.toString('utf8', 0, end)
}
