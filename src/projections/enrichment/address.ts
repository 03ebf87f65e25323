// The parts of a URL that enrichment needs. Textual, because what is stored need not be a valid URL: paths, app screens
// (app://…) and what old browsers sent. Nothing makes it throw; what is no address at all is undefined.
import { domainToASCII } from 'node:url'

export interface WebAddress {
  /** In lower case, without user info, port and the root's dot; undefined where there is none. */
  readonly host: string | undefined
  /** Starts with a slash. */
  readonly path: string
  /** Without its question mark; may be empty. */
  readonly query: string
}

const SCHEME = /^[a-z][a-z0-9+.-]*:(?=\/\/)/i
// Browsers read a backslash as a slash.
const AUTHORITY_END = /[/\\]/

/** Absolute with an authority (https://…, app://…), without a scheme (//host/…), or a path that starts with a slash. */
export function webAddress(text: string): WebAddress | undefined {
  const [whole = ''] = text.split('#', 1)
  const mark = whole.indexOf('?')
  const place = mark < 0 ? whole : whole.slice(0, mark)
  const query = mark < 0 ? '' : whole.slice(mark + 1)
  const scheme = SCHEME.exec(place)?.[0] ?? ''
  if (scheme === '' && !place.startsWith('/')) return undefined
  if (!place.startsWith('//', scheme.length)) return { host: undefined, path: place, query }
  const rest = place.slice(scheme.length + 2)
  const end = rest.search(AUTHORITY_END)
  if (scheme !== '' && rest === '') return undefined
  return { host: hostOf(end < 0 ? rest : rest.slice(0, end)), path: end < 0 ? '/' : `/${rest.slice(end + 1)}`, query }
}

/** The host as sites are told apart by people: with or without www. it is the same. */
export function siteOf(host: string): string {
  return host.startsWith('www.') && host.indexOf('.', 4) > 0 ? host.slice(4) : host
}

/** In the form that all spellings of a host have in common. */
export function hostOf(authority: string): string | undefined {
  const host = authority
    .slice(authority.lastIndexOf('@') + 1)
    .replace(/:\d*$/, '')
    .replace(/\.$/, '')
    .toLowerCase()
  if (host === '') return undefined
  return /^[\x00-\x7f]*$/.test(host) ? host : domainToASCII(host) || host
}
