// Which parameters of a URL say where a visitor came from, rather than what page it is: kept in what is stored whatever an app
// keeps besides, and left out of the page. One list, so that no parameter is both kept out of the log and asked for in it.

/** Appended by advertising networks, social networks and mailing tools to what is clicked on there. */
export const CLICK_IDS = [
  'gclid', 'gbraid', 'wbraid', 'dclid', 'gclsrc', 'gad_source', 'gad_campaignid', 'fbclid', 'msclkid', 'ttclid', 'twclid',
  'li_fat_id', 'igshid', 'yclid', 'epik', 'rdt_cid', 'sccid', 'irclickid', 'srsltid', 'mc_cid',
] as const // prettier-ignore

export type ClickId = (typeof CLICK_IDS)[number]

const NAMES: ReadonlySet<string> = new Set(['ref', 'source', ...CLICK_IDS])

/** `name` as parameterName gives it. */
export function isCampaignParameter(name: string): boolean {
  return (name.startsWith('utm_') && name.length > 4) || NAMES.has(name)
}

/** Of `name=value` in a query: decoded, in lower case; empty where it cannot be decoded. */
export function parameterName(parameter: string): string {
  const equals = parameter.indexOf('=')
  const name = (equals < 0 ? parameter : parameter.slice(0, equals)).toLowerCase()
  return name.includes('%') ? (percentDecoded(name)?.toLowerCase() ?? '') : name
}

/** Of `name=value` in a query: decoded; as it stands where it cannot be decoded. */
export function parameterValue(parameter: string): string {
  const equals = parameter.indexOf('=')
  const value = equals < 0 ? '' : parameter.slice(equals + 1).replaceAll('+', ' ')
  return value.includes('%') ? (percentDecoded(value) ?? value) : value
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}
