// What the URL of an event says: its page and hostname, and the campaign that it carries. The page is the path with the
// parameters that are left when those of campaigns are taken out: an app that keeps a parameter has pages that differ by it.
import { type ClickId, CLICK_IDS, isCampaignParameter, parameterName, parameterValue } from '../../events/campaignParameters.ts'
import { Generations } from '../../kernel/generations.ts'
import { LIMITS } from '../../limits.ts'
import { dimensionText } from './dimensionText.ts'
import { siteOf, webAddress } from './address.ts'

/** Raised with any change of what is made of a URL. */
export const PAGE_RULES = 1

export interface Place {
  readonly page: string | undefined
  readonly hostname: string | undefined
  /** The hostname without www. */
  readonly site: string | undefined
  /** Undefined where the URL names none. */
  readonly campaign: Campaign | undefined
}

/** As sent, decoded and trimmed. */
export interface Campaign {
  readonly source: string | undefined
  readonly medium: string | undefined
  readonly name: string | undefined
  readonly term: string | undefined
  readonly content: string | undefined
  readonly ref: string | undefined
  /** The parameter `source`, beside utm_source. */
  readonly plainSource: string | undefined
  /** In the order of CLICK_IDS. */
  readonly clickIds: readonly ClickId[]
}

const NOWHERE: Place = { page: undefined, hostname: undefined, site: undefined, campaign: undefined }

const places = new Generations(parse, LIMITS.textsRemembered, LIMITS.textsRememberedChars)

/** Undefined for what is no URL. */
export function placeOf(url: string): Place | undefined {
  const place = places.get(url)
  return place === NOWHERE ? undefined : place
}

function parse(url: string): Place {
  const address = webAddress(url)
  if (address === undefined) return NOWHERE
  const { host, path, query } = address
  const left: string[] = []
  const found = new Map<string, string>()
  for (const parameter of query.split('&')) {
    if (parameter === '') continue
    const name = parameterName(parameter)
    if (!isCampaignParameter(name)) left.push(parameter)
    else if (!found.has(name)) take(found, name, parameterValue(parameter).trim())
  }
  return {
    page: dimensionText(left.length === 0 ? path : `${path}?${left.join('&')}`),
    hostname: dimensionText(host),
    site: host === undefined ? undefined : siteOf(host),
    campaign: found.size === 0 ? undefined : campaignOf(found),
  }
}

/** A parameter that says nothing does not hide a later one that does. */
function take(found: Map<string, string>, name: string, value: string): void {
  if (value !== '') found.set(name, value)
}

function campaignOf(found: ReadonlyMap<string, string>): Campaign {
  return {
    source: found.get('utm_source'),
    medium: found.get('utm_medium'),
    name: found.get('utm_campaign'),
    term: found.get('utm_term'),
    content: found.get('utm_content'),
    ref: found.get('ref'),
    plainSource: found.get('source'),
    clickIds: CLICK_IDS.filter((id) => found.has(id)),
  }
}
