// What a request in a web server's log means as an event: a page somebody looked at, a file that came with it, an error,
// or something else. Only pageviews are interactive; the rest starts no visit and cancels no bounce.
import { isIP } from 'node:net'
import { LIMITS } from '../../limits.ts'
import { type CombinedLine, parseCombined } from './combined.ts'
import { type Columns, perLine, type RowReader } from './row.ts'

/** Files that pages pull in or people download: what ends in one of these is no page. */
const ASSET =
  /\.(?:css|js|mjs|cjs|map|json|wasm|png|apng|jpe?g|gif|svgz?|ico|cur|webp|avif|bmp|tiff?|woff2?|ttf|otf|eot|mp[34]|m4[av]|webm|og[gav]|wav|flac|mov|avi|pdf|zip|tar|t?gz|bz2|xz|7z|rar|rpm|deb|jar|iso|dmg|exe|msi|bin|swf)$/i
const ALSO_ASSETS: ReadonlySet<string> = new Set(['/robots.txt', '/ads.txt', '/humans.txt', '/security.txt'])

export type RequestKind = 'pageview' | 'asset' | 'error' | 'request'

/** The event's name for a request: errors first, because a missing picture is a fault and not a file. */
export function requestKind(method: string | undefined, target: string | undefined, status: number): RequestKind {
  if (status >= 400) return 'error'
  if (target !== undefined && isAsset(target)) return 'asset'
  const answered = (status >= 200 && status < 300) || status === 304
  return method === 'GET' && target !== undefined && answered ? 'pageview' : 'request'
}

export function isAsset(target: string): boolean {
  const end = target.search(/[?#]/)
  const path = end === -1 ? target : target.slice(0, end)
  return ALSO_ASSETS.has(path) || ASSET.test(path.slice(-8))
}

/** One log line as an event of /collect. `site` (https://host) completes targets that are paths. */
export function accessLogEvent(line: CombinedLine, site: string | undefined): Columns {
  const kind = requestKind(line.method, line.target, line.status)
  const url = line.target === undefined ? undefined : absolute(line.target, site)
  return {
    event: kind,
    timestamp: new Date(line.time).toISOString(),
    ...(url === undefined ? {} : { url }),
    ...(line.referrer === undefined ? {} : { referrer: line.referrer }),
    // A server that looks names up writes one here; a name is no address and makes no visitor.
    ...(isIP(line.host) === 0 ? {} : { ipAddress: line.host }),
    ...(line.agent === undefined ? {} : { userAgent: line.agent.slice(0, LIMITS.userAgentChars) }),
    ...(kind === 'pageview' ? {} : { interactive: false }),
    metadata: {
      ...(line.method === undefined ? {} : { method: line.method }),
      status: line.status,
      ...(line.bytes === undefined ? {} : { bytes: line.bytes }),
    },
  }
}

function absolute(target: string, site: string | undefined): string | undefined {
  if (target.startsWith('/')) return (site ?? '') + target
  // `OPTIONS *` asks about the server and `CONNECT host:443` about another one: neither names a page.
  return /^https?:\/\/[^/?#]/i.test(target) ? target : undefined
}

export function combinedReader(site: string | undefined): RowReader {
  return perLine((text, line, sink) => {
    const parsed = parseCombined(text)
    if (typeof parsed === 'string') sink.bad(line.number, parsed)
    else sink.row(line.number, line.bytes, accessLogEvent(parsed, site))
  })
}
