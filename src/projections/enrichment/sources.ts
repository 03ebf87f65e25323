// The source that a host, an app id or a campaign's own word stands for. What the list does not know keeps its own name: a
// referrer its host without www., a campaign what was sent.
import { COMMON_WORDS, SOURCE_WORDS, type SourceKind, SOURCES } from './sourceList.ts'
import { hostOf, siteOf, webAddress } from './address.ts'

export interface Source {
  readonly name: string
  /** Undefined for one that no list has. */
  readonly kind: SourceKind | undefined
}

interface Listed {
  readonly source: Source
  /** Holds for the host itself alone. */
  readonly alone: boolean
}

// What stands before a top-level domain of a site that has many: google of google.com, google.de, google.co.uk.
const MANY_DOMAINS = /^(.+?)\.(?:com|[a-z]{2}|com?\.[a-z]{2})$/

const byHost = new Map<string, Listed>()
const byManyDomains = new Map<string, Listed>()
const byWord = new Map<string, Source>()
const byName = new Map<string, Source>()

for (const [kind, entries] of Object.entries(SOURCES) as [SourceKind, (typeof SOURCES)[SourceKind]][]) {
  for (const [name, hosts, aliases = ''] of entries) {
    const source: Source = { name, kind }
    for (const host of hosts.split(' ')) list(source, host)
    byName.set(name, source)
    for (const word of [...spellings(name), ...aliases.split(' ')]) byWord.set(word, source)
  }
}

function spellings(name: string): string[] {
  const lower = name.toLowerCase()
  return COMMON_WORDS.has(lower) ? [] : [lower, lower.replaceAll(' ', ''), lower.replaceAll(' ', '-')]
}

function list(source: Source, host: string): void {
  const alone = host.startsWith('=')
  const plain = alone ? host.slice(1) : host
  if (plain.endsWith('.*')) byManyDomains.set(plain.slice(0, -2), { source, alone })
  else byHost.set(plain, { source, alone })
}

/** By the name that the list gives it. */
export function listedSource(name: string): Source {
  const source = byName.get(name)
  if (source === undefined) throw new Error(`no source is called ${name}`)
  return source
}

/** Of a host without www., or an Android app id. */
export function sourceOfSite(site: string): Source {
  return sourceOfHost(site) ?? { name: site, kind: undefined }
}

/** Of what a campaign says: a name (google, fb), a host (chatgpt.com), or anything, which stays as it is. */
export function sourceOfWord(word: string): Source {
  const lower = word.toLowerCase()
  return byWord.get(lower) ?? sourceOfAddress(lower) ?? { name: word, kind: Object.hasOwn(SOURCE_WORDS, lower) ? SOURCE_WORDS[lower] : undefined }
}

function sourceOfAddress(word: string): Source | undefined {
  const host = webAddress(word)?.host ?? (word.includes('.') ? hostOf(word) : undefined)
  return host === undefined ? undefined : sourceOfHost(siteOf(host))
}

/** The most specific entry wins: mail.google.com before google.com. */
function sourceOfHost(site: string): Source | undefined {
  for (let host = site; ; host = host.slice(host.indexOf('.') + 1)) {
    const found = byHost.get(host) ?? byManyDomains.get(MANY_DOMAINS.exec(host)?.[1] ?? '')
    if (found !== undefined && (host === site || !found.alone)) return found.source
    if (!host.includes('.')) return undefined
  }
}
