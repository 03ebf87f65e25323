// Where an event says that its visitor came from: the referrer if it is another site, the source, the channel and the campaign
// as sent (METRICS, Enrichment). Most events share one of few answers, which are made once.
import type { ClickId } from '../../events/campaignParameters.ts'
import { ARRIVAL_DIMENSIONS } from '../../events/dimensionNames.ts'
import { Generations } from '../../kernel/generations.ts'
import { LIMITS } from '../../limits.ts'
import { channelOf } from './channels.ts'
import { dimensionText } from './dimensionText.ts'
import { type Campaign, type Place, placeOf } from './pages.ts'
import { listedSource, type Source, sourceOfSite, sourceOfWord } from './sources.ts'
import { siteOf, webAddress } from './address.ts'

/** Raised with any change of the rules or the lists. */
export const ARRIVAL_RULES = 1

export type ArrivalValues = readonly (string | undefined)[]

interface Referrer {
  readonly site: string
  /** Site and path. */
  readonly text: string
  readonly source: Source
  /** Of an arrival without a campaign. */
  readonly arrival: ArrivalValues
}

/** What a click id says of the click: on what, and by what medium where only that medium appends it. */
interface Click {
  readonly source: Source
  readonly medium?: 'cpc' | 'display' | 'affiliate' | 'email'
  /** Whose advertisements carry it too. */
  readonly also?: Source
}

const GOOGLE_ADS: Click = { source: listedSource('Google'), medium: 'cpc', also: listedSource('YouTube') }

const CLICKS: Readonly<Record<ClickId, Click>> = {
  gclid: GOOGLE_ADS,
  gbraid: GOOGLE_ADS,
  wbraid: GOOGLE_ADS,
  dclid: { source: listedSource('Google'), medium: 'display' },
  gclsrc: GOOGLE_ADS,
  gad_source: GOOGLE_ADS,
  gad_campaignid: GOOGLE_ADS,
  fbclid: { source: listedSource('Facebook') },
  msclkid: { source: listedSource('Bing'), medium: 'cpc' },
  ttclid: { source: listedSource('TikTok'), medium: 'cpc' },
  twclid: { source: listedSource('Twitter/X'), medium: 'cpc' },
  li_fat_id: { source: listedSource('LinkedIn'), medium: 'cpc' },
  igshid: { source: listedSource('Instagram') },
  yclid: { source: listedSource('Yandex'), medium: 'cpc' },
  epik: { source: listedSource('Pinterest'), medium: 'cpc' },
  rdt_cid: { source: listedSource('Reddit'), medium: 'cpc' },
  sccid: { source: listedSource('Snapchat'), medium: 'cpc' },
  irclickid: { source: listedSource('Impact'), medium: 'affiliate' },
  srsltid: { source: listedSource('Google') },
  mc_cid: { source: listedSource('Mailchimp'), medium: 'email' },
}

// Screens of an app and pages of a browser itself (app://…, chrome-extension://…) send nobody.
const REFERS = /^(?:https?:|android-app:|ios-app:)?\/\//i
const BARE_SITE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?=[:/?#]|$)/i
const NONE: ArrivalValues = ARRIVAL_DIMENSIONS.map(() => undefined)
const DIRECT = arrival(undefined, undefined)
const NOBODY: Referrer = { site: '', text: '', source: { name: '', kind: undefined }, arrival: DIRECT }

const referrers = new Generations(parse, LIMITS.textsRemembered, LIMITS.textsRememberedChars)

/** By index of ARRIVAL_DIMENSIONS. An event without a URL is no arrival: it came from a server or from within an app. */
export function arrivalOf(url: string | undefined, referrer: string | undefined): ArrivalValues {
  const place = url === undefined ? undefined : placeOf(url)
  if (place === undefined) return NONE
  const from = referrer === undefined ? undefined : externalReferrer(referrer, place)
  if (place.campaign === undefined) return from === undefined ? DIRECT : from.arrival
  return arrival(place.campaign, from)
}

/** Undefined where it is the site itself, or no site. */
function externalReferrer(text: string, { site }: Place): Referrer | undefined {
  const referrer = referrers.get(text)
  return referrer === NOBODY || referrer.site === site ? undefined : referrer
}

function parse(text: string): Referrer {
  const trimmed = text.trim()
  const address = webAddress(BARE_SITE.test(trimmed) ? `//${trimmed}` : trimmed)
  if (address?.host === undefined || !(REFERS.test(trimmed) || BARE_SITE.test(trimmed))) return NOBODY
  const site = siteOf(address.host)
  const from = { site, text: site + address.path.replace(/\/+$/, ''), source: sourceOfSite(site) }
  return { ...from, arrival: arrival(undefined, from) }
}

function arrival(campaign: Campaign | undefined, from: Omit<Referrer, 'arrival'> | undefined): ArrivalValues {
  const [clickId] = campaign?.clickIds ?? []
  const click = clickId === undefined ? undefined : CLICKS[clickId]
  const source = sourceOf(campaign, click, from?.source)
  const implied = click !== undefined && (source === click.source || source === click.also) ? click.medium : undefined
  const channel = channelOf({ source, medium: campaign?.medium ?? implied, campaign: campaign?.name, paidClick: implied === 'cpc' })
  const { source: utmSource, medium, name, term, content } = campaign ?? {}
  return [from?.text, source?.name, channel, utmSource, medium, name, term, content].map(dimensionText)
}

function sourceOf(campaign: Campaign | undefined, click: Click | undefined, referrer: Source | undefined): Source | undefined {
  const named = campaign?.source ?? campaign?.ref ?? campaign?.plainSource
  if (named !== undefined) return sourceOfWord(named)
  // Ids that networks append to every link stay in links that people pass on, so a known place they were clicked at is truer.
  const passedOn = click?.medium === undefined && referrer?.kind !== undefined
  return click === undefined || passedOn ? referrer : click.source
}
