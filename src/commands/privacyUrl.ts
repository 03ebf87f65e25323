// URLs and referrers, reduced: a query carries names, e-mail addresses and tokens, so only campaign parameters, click ids
// and what the app lists stay; user info and fragment always go. Textual, because a real referrer need not be a valid URL.
import { isCampaignParameter, parameterName } from '../events/campaignParameters.ts'
import type { AppSettings } from '../events/schemas.ts'

const SCHEME = /^[a-z][a-z0-9+.-]{0,31}:\/\//i

export type QueryRule = 'all' | ReadonlySet<string>

/** What an app keeps besides the built-in parameters; names are compared without case. */
export function queryRule(keepQuery: AppSettings['keepQuery']): QueryRule {
  return keepQuery === 'all' ? 'all' : new Set(keepQuery.map((name) => name.toLowerCase()))
}

/** True for what `url` may be: absolute with an authority (https://…, app://…), or a path that starts with a slash. */
export function isUrl(text: string): boolean {
  if (text.startsWith('/')) return true
  const scheme = SCHEME.exec(text)?.[0]
  if (scheme === undefined) return false
  return text.length > scheme.length && !'?#'.includes(text[scheme.length]!)
}

/** The text without fragment, user info and the parameters that the rule does not keep. May be empty. */
export function reduceUrl(text: string, rule: QueryRule): string {
  const hash = text.indexOf('#')
  const whole = hash < 0 ? text : text.slice(0, hash)
  const mark = whole.indexOf('?')
  const address = withoutUserInfo(mark < 0 ? whole : whole.slice(0, mark))
  if (mark < 0) return address
  const query = rule === 'all' ? whole.slice(mark + 1) : reduceQuery(whole.slice(mark + 1), rule)
  return query === '' ? address : `${address}?${query}`
}

function withoutUserInfo(address: string): string {
  if (!address.includes('@')) return address
  const slashes = address.indexOf('//')
  if (slashes < 0 || (slashes > 0 && address[slashes - 1] !== ':')) return address
  const start = slashes + 2
  // Browsers read a backslash as a slash, so it ends the authority as well.
  const length = address.slice(start).search(/[/\\]/)
  const end = length < 0 ? address.length : start + length
  const at = address.lastIndexOf('@', end - 1)
  return at < start ? address : address.slice(0, start) + address.slice(at + 1)
}

function reduceQuery(query: string, rule: ReadonlySet<string>): string {
  return query
    .split('&')
    .filter((parameter) => keeps(parameterName(parameter), rule))
    .join('&')
}

function keeps(name: string, rule: ReadonlySet<string>): boolean {
  return isCampaignParameter(name) || rule.has(name)
}
