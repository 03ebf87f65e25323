// What is kept of an event that was refused: enough for its owner to see what was wrong, with addresses and URLs reduced as
// in accepted events, wherever in it they stand: the very fault may be an unknown field or an address with its port, which
// is then no address for anybody else. Metadata is kept as sent.
import type { RejectedEvent } from '../events/eventLog.ts'
import { LEFT_OUT } from '../events/quarantinedBody.ts'
import { LIMITS } from '../limits.ts'
import type { AppRules } from './prepareEvent.ts'
import { canonicalAddress, reduceAddress } from './privacyAddress.ts'
import { reduceUrl } from './privacyUrl.ts'

const DETAIL_CHARS = 500
/** What may be an address within a text; whether it is one is asked of whoever knows. */
const ADDRESS = /(?:[0-9a-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4})|\d{1,3}(?:\.\d{1,3}){3}/gi

export function quarantined(input: unknown, code: string, detail: string, rules: AppRules, viaPublicKey = false): RejectedEvent {
  const body = JSON.stringify(reduced(input, rules, LIMITS.jsonDepth))
  const said = withoutAddresses(detail.slice(0, DETAIL_CHARS), rules)
  return { appId: rules.app.appId, code, detail: said, body: cut(body, LIMITS.metadataBytes), ...(viaPublicKey ? { viaPublicKey } : {}) }
}

function reduced(value: unknown, rules: AppRules, levels: number, name = ''): unknown {
  if (typeof value === 'string') return reducedText(value, rules, name)
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return LEFT_OUT
  if (Array.isArray(value)) return value.map((item) => reduced(item, rules, levels - 1, name))
  const out: [string, unknown][] = Object.entries(value).map(([key, inner]) => [
    withoutAddresses(key, rules),
    key === 'metadata' && name === '' ? shallow(inner, levels - 1) : reduced(inner, rules, levels - 1, key),
  ])
  return Object.fromEntries(out)
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
