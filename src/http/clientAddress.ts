// Whose address a request comes from, by the one rule that both the fast path and Express use: proxies are believed only
// as far as TRUST_PROXY says, because anybody can write X-Forwarded-For.
import type { IncomingMessage } from 'node:http'
import { canonicalAddress } from '../commands/privacyAddress.ts'
import type { Config } from '../config.ts'

/** Express' compiled `trust proxy` setting: is the hop at this distance believed? */
export type Trust = (address: string, distance: number) => boolean

export type ClientAddress = (req: IncomingMessage) => string | undefined

/** Reads the address of the client; undefined once the connection is gone. */
export function clientAddress(trustProxy: Config['trustProxy'], trust: Trust): ClientAddress {
  if (trustProxy === false) return (req) => plain(req.socket.remoteAddress)
  return (req) => {
    let address = plain(req.socket.remoteAddress)
    const hops = forwarded(req)
    for (let distance = 0; address !== undefined && distance < hops.length && trust(address, distance); distance++) {
      const next = canonicalAddress(withoutPort(hops[hops.length - 1 - distance]!))
      // A hop that is no address ends what can be believed.
      if (next === undefined) break
      address = next
    }
    return address
  }
}

/** A browser here asks for somebody else when the name of their page was made to lead here; it says that name as the host. */
const LOCAL_HOST = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i

/** True when somebody on this machine asks, and not a proxy here on behalf of somebody else. */
export function isLoopback(req: IncomingMessage, addressOf: ClientAddress): boolean {
  const address = addressOf(req)
  const direct = plain(req.socket.remoteAddress)
  const proxied = forwarded(req).length > 0 || req.headers['forwarded'] !== undefined || req.headers['x-real-ip'] !== undefined
  if (address === undefined || (proxied && address === direct) || !LOCAL_HOST.test(req.headers.host ?? '')) return false
  return address === '::1' || address.startsWith('127.')
}

/** What is limited together: a canonical IPv4 address, or the /64 of an IPv6 one, which a single subscriber has whole. */
export function limitedAs(address: string | undefined): string {
  if (address === undefined) return 'none'
  return address.includes(':') ? networkOf(address) : address
}

function networkOf(address: string): string {
  let groups = 0
  for (let at = 0; at < address.length; at++) {
    if (address.charCodeAt(at) !== COLON) continue
    groups += 1
    if (groups === 4) return `${address.slice(0, at)}::/64`
    // `::` stands for as many zeros as are missing.
    if (address.charCodeAt(at + 1) === COLON) return spelledOut(address)
  }
  return address
}

const COLON = 0x3a

function spelledOut(address: string): string {
  const [head = '', tail = ''] = address.split('%')[0]!.split('::')
  const groups = head === '' ? [] : head.split(':')
  const after = tail === '' ? [] : tail.split(':')
  while (groups.length + after.length < 8) groups.push('0')
  return `${[...groups, ...after].slice(0, 4).join(':')}::/64`
}

function forwarded(req: IncomingMessage): string[] {
  const header = req.headers['x-forwarded-for']
  const text = typeof header === 'string' ? header : header?.join(',')
  return text === undefined || text.trim() === '' ? [] : text.split(',').map((hop) => hop.trim())
}

/** Some proxies write the port, too: 203.0.113.7:4711, [2001:db8::7]:4711. */
function withoutPort(hop: string): string {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?$/.exec(hop) ?? []
  return bracketed ?? dotted ?? hop
}

/** Without the IPv4-in-IPv6 prefix of dual-stack sockets. */
function plain(address: string | undefined): string | undefined {
  return address?.startsWith('::ffff:') === true ? address.slice(7) : address
}
