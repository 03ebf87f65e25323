// What a user agent and a named device say: device class, browser, system, and whether a program sent it (METRICS, Bots).
// Derived in the fold from the stored raw text, so new rules apply to all of history: raise RULESET_VERSION with any change
// here or of the two libraries, and every projection that uses it asks for a rebuild.
import Bowser from 'bowser'
import { isbot } from 'isbot'

export const RULESET_VERSION = 1

export const DEVICES = ['desktop', 'mobile', 'tablet', 'tv', 'console', 'wearable', 'other', 'unknown'] as const
export type Device = (typeof DEVICES)[number]
const index = (device: Device): number => DEVICES.indexOf(device)
export const UNKNOWN_DEVICE = index('unknown')

export interface UserAgent {
  /** Index into DEVICES. */
  readonly device: number
  readonly browser: string | null
  readonly os: string | null
  readonly bot: boolean
}

const NO_AGENT: UserAgent = { device: UNKNOWN_DEVICE, browser: null, os: null, bot: false }
const AGENTS_CACHED = 10_000

/** Two generations instead of a list of uses: what was looked at since the last turn stays, at the cost of one lookup. */
let young = new Map<string, UserAgent>()
let old = new Map<string, UserAgent>()

export function userAgent(text: string | undefined): UserAgent {
  if (text === undefined || text === '') return NO_AGENT
  let agent = young.get(text)
  if (agent !== undefined) return agent
  agent = old.get(text) ?? parse(text)
  if (young.size >= AGENTS_CACHED) {
    old = young
    young = new Map()
  }
  young.set(text, agent)
  return agent
}

const SYNONYMS: Readonly<Record<string, Device>> = {
  computer: 'desktop', laptop: 'desktop', notebook: 'desktop', pc: 'desktop', mac: 'desktop', web: 'desktop',
  phone: 'mobile', smartphone: 'mobile', handset: 'mobile', iphone: 'mobile', android: 'mobile',
  ipad: 'tablet', phablet: 'tablet',
  smarttv: 'tv', 'smart tv': 'tv', television: 'tv',
  gaming: 'console', 'game console': 'console',
  watch: 'wearable', smartwatch: 'wearable',
} // prettier-ignore

/** The class of a device as its producer named it: a known name, else `other`; an index into DEVICES. */
export function namedDevice(name: string): number {
  const known = namedExactly(name)
  if (known !== -1) return known
  const lower = name.trim().toLowerCase()
  const exact = namedExactly(lower)
  return exact === -1 ? index(Object.hasOwn(SYNONYMS, lower) ? SYNONYMS[lower]! : 'other') : exact
}

function namedExactly(name: string): number {
  return DEVICES.indexOf(name as Device)
}

function parse(text: string): UserAgent {
  const { browser, os, platform } = Bowser.parse(text)
  const device = deviceOf(text, platform.type)
  return { device: index(device), browser: browser.name ?? null, os: os.name ?? null, bot: isbot(text) }
}

function deviceOf(text: string, type: string | undefined): Device {
  if (/xbox|playstation|nintendo/i.test(text)) return 'console'
  if (/\bwatch(os)?\b|galaxy watch|wear ?os/i.test(text)) return 'wearable'
  if (type === undefined || type === '') return 'unknown'
  return type === 'desktop' || type === 'mobile' || type === 'tablet' || type === 'tv' ? type : 'other'
}
