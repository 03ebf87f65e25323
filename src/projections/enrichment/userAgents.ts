// What a user agent and a named device say: device class, browser, system, and whether a program sent it (METRICS, Bots).
// Derived in the fold from the stored raw text, so new rules apply to all of history: raise USER_AGENT_RULES with any change
// here or of the two libraries, and every projection that uses it asks for a rebuild.
import Bowser from 'bowser'
import { isbot } from 'isbot'
import { Generations } from '../../kernel/generations.ts'
import { LIMITS } from '../../limits.ts'
import { dimensionText } from './dimensionText.ts'

export const USER_AGENT_RULES = 1

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
  readonly values: AgentValues
}

/** As values of dimensions. */
export interface AgentValues {
  readonly browser: string | undefined
  /** Name and major version: "Chrome 120". */
  readonly browserVersion: string | undefined
  readonly os: string | undefined
  /** Name and version as people say it: "Windows 10", "iOS 17", "macOS 10.15". */
  readonly osVersion: string | undefined
}

const NO_VALUES: AgentValues = { browser: undefined, browserVersion: undefined, os: undefined, osVersion: undefined }
const NO_AGENT: UserAgent = { device: UNKNOWN_DEVICE, browser: null, os: null, bot: false, values: NO_VALUES }

const agents = new Generations(parse, LIMITS.textsRemembered, LIMITS.textsRememberedChars)

export function userAgent(text: string | undefined): UserAgent {
  return text === undefined || text === '' ? NO_AGENT : agents.get(text)
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
  return {
    device: index(deviceOf(text, platform.type)),
    browser: browser.name ?? null,
    os: os.name ?? null,
    bot: isbot(text),
    values: {
      browser: dimensionText(browser.name),
      browserVersion: versioned(browser.name, major(browser.version)),
      os: dimensionText(os.name),
      osVersion: versioned(os.name, systemVersion(os)),
    },
  }
}

function versioned(name: string | undefined, version: string | undefined): string | undefined {
  return name === undefined || name === '' || version === undefined ? undefined : dimensionText(`${name} ${version}`)
}

function major(version: string | undefined): string | undefined {
  return version === undefined ? undefined : /^\d+/.exec(version)?.[0]
}

/** Windows says an inner number (NT 10.0) and has a name for it; Mac OS X counted releases behind a point until 10.15. */
function systemVersion({ name, version, versionName }: Bowser.Parser.OSDetails): string | undefined {
  if (name === 'Windows') return versionName === '' ? undefined : versionName
  return name === 'macOS' ? (/^10\.\d+/.exec(version ?? '')?.[0] ?? major(version)) : major(version)
}

function deviceOf(text: string, type: string | undefined): Device {
  if (/xbox|playstation|nintendo/i.test(text)) return 'console'
  if (/\bwatch(os)?\b|galaxy watch|wear ?os/i.test(text)) return 'wearable'
  if (type === undefined || type === '') return 'unknown'
  return type === 'desktop' || type === 'mobile' || type === 'tablet' || type === 'tv' ? type : 'other'
}
