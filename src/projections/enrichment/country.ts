// The country of an address, by the database geo-whois-asn-country of ip-location-db (its package says CC0-1.0; what it
// is made of is the registries' data, CC BY 4.0, nro.net). Only the first address read loads it, once per process or thread.
// A missing file is found when the program starts, not when a fold needs it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { BlockList, isIP } from 'node:net'
import { type CountryResponse, Reader } from 'maxmind'
import { Generations } from '../../kernel/generations.ts'
import { LIMITS } from '../../limits.ts'

/** Raised with any change here or of the database. */
export const COUNTRY_RULES = 1

const DATABASE = createRequire(import.meta.url).resolve('@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb')

/** Of nobody's country, whatever a database says of them: private networks, this host, examples in documents, multicast. */
const RESERVED = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24',
  '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4',
  '::/127', '100::/64', '2001:db8::/32', '3fff::/20', 'fc00::/7', 'fe80::/10', 'ff00::/8',
] // prettier-ignore

interface Countries {
  readonly reader: Reader<CountryResponse>
  /** IPv6. */
  readonly reserved: BlockList
}

let loaded: Countries | undefined
const countries = new Generations(lookUp, LIMITS.textsRemembered, LIMITS.textsRememberedChars)

/** ISO 3166-1 alpha-2; undefined where it is not known, and for what is no address of a country. */
export function countryOf(ip: string | undefined): string | undefined {
  return ip === undefined ? undefined : (countries.get(ip) ?? undefined)
}

function lookUp(ip: string): string | null {
  const kind = isIP(ip)
  if (kind === 0) return null
  loaded ??= load()
  if (kind === 4 ? isReserved(ip) : loaded.reserved.check(ip, 'ipv6')) return null
  const record = loaded.reader.get(ip) as unknown as { readonly country_code?: string } | null
  return record?.country_code ?? null
}

const POINT = 46
const ZERO = 48

// Asking node:net whether an IPv4 address is in a list costs three times as much as its country.
const RESERVED_4 = RESERVED.filter((range) => !range.includes(':')).map((range) => {
  const [network = '', bits] = range.split('/')
  const mask = (-1 << (32 - Number(bits))) >>> 0
  return { network: numberOf(network), mask }
})

function isReserved(ip: string): boolean {
  const number = numberOf(ip)
  return RESERVED_4.some(({ network, mask }) => (number & mask) >>> 0 === network)
}

/** Of an address in its four decimal numbers. */
function numberOf(ip: string): number {
  let number = 0
  let byte = 0
  for (let at = 0; at < ip.length; at++) {
    const character = ip.charCodeAt(at)
    if (character === POINT) {
      number = number * 256 + byte
      byte = 0
    } else byte = byte * 10 + (character - ZERO)
  }
  return number * 256 + byte
}

function load(): Countries {
  const reserved = new BlockList()
  for (const range of RESERVED) {
    const [network = '', bits] = range.split('/')
    if (network.includes(':')) reserved.addSubnet(network, Number(bits), 'ipv6')
  }
  return { reader: new Reader<CountryResponse>(readFileSync(DATABASE)), reserved }
}
