// Addresses of people, reduced to what an app keeps of them before they reach the queue, quarantine or a log line: /24 of
// IPv4 and /48 of IPv6 unless the app says all or nothing. One spelling per address, so that equal addresses are equal.
import { isIPv4, isIPv6 } from 'node:net'
import type { AppSettings } from '../events/schemas.ts'

/** RFC 5952 text of an address; IPv4-mapped IPv6 is IPv4; a zone id (fe80::1%eth0) is dropped. Undefined: no address. */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  const zone = text.indexOf('%')
  const plain = zone < 0 ? text : text.slice(0, zone)
  if (!isIPv6(plain)) return undefined
  const groups = groupsOf(plain)
  return mappedIPv4(groups) ?? ipv6Text(groups)
}

/** What the policy keeps of a canonical address; undefined: nothing. */
export function reduceAddress(canonical: string, policy: AppSettings['ip']): string | undefined {
  if (policy === 'none') return undefined
  if (policy === 'full') return canonical
  if (!canonical.includes(':')) return `${canonical.slice(0, canonical.lastIndexOf('.'))}.0`
  return ipv6Text([...groupsOf(canonical).slice(0, 3), 0, 0, 0, 0, 0])
}

function groupsOf(address: string): number[] {
  const gap = address.indexOf('::')
  if (gap < 0) return parts(address)
  const head = parts(address.slice(0, gap))
  const tail = parts(address.slice(gap + 2))
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail]
}

function parts(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)]
    const [a, b, c, d] = part.split('.').map(Number)
    return [a! * 256 + b!, c! * 256 + d!]
  })
}

function mappedIPv4(groups: readonly number[]): string | undefined {
  if (groups[5] !== 0xffff || groups.slice(0, 5).some((group) => group !== 0)) return undefined
  const [high, low] = [groups[6]!, groups[7]!]
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
}

function ipv6Text(groups: readonly number[]): string {
  let best = { start: -1, length: 1 }
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && groups[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  const hex = groups.map((group) => group.toString(16))
  if (best.start < 0) return hex.join(':')
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`
}
