// By what kind of way a visit arrives (METRICS, Channel): rules in order, the first that holds. What the campaign says of
// its medium goes before what its source is known for, as far as the two can contradict each other.
import type { Source } from './sources.ts'

export interface Arrival {
  readonly source: Source | undefined
  /** utm_medium, else what a click id implies. */
  readonly medium: string | undefined
  /** utm_campaign. */
  readonly campaign: string | undefined
  /** Known from a click id that only advertisements have. */
  readonly paidClick: boolean
}

export const CHANNELS = [
  'Cross-network', 'Paid Shopping', 'Paid Search', 'Paid Social', 'Paid Video', 'Display', 'Paid Other', 'Email', 'Affiliates', 'SMS',
  'Mobile Push', 'Audio', 'Organic Shopping', 'Organic Social', 'Organic Video', 'AI Assistants', 'Organic Search', 'Referral', 'Direct',
] as const // prettier-ignore
export type Channel = (typeof CHANNELS)[number]

const PAID = /^(?:.*cp.*|ppc|retargeting|remarketing|paid.*)$/
const SHOPPING_CAMPAIGN = /(?:^|[^a-df-z])shop|shopping/
const DISPLAY = new Set(['display', 'banner', 'expandable', 'interstitial', 'cpm'])
const EMAIL = new Set(['email', 'e-mail', 'e_mail', 'e mail', 'newsletter'])
const AFFILIATES = new Set(['affiliate', 'affiliates'])
const SOCIAL = new Set(['social', 'social-network', 'social-media', 'social_media', 'social network', 'social media', 'sm'])
const REFERRAL = new Set(['referral', 'app', 'link'])

export function channelOf({ source, medium: asSent = '', campaign: named = '', paidClick }: Arrival): Channel {
  const medium = asSent.toLowerCase()
  const campaign = named.toLowerCase()
  if (campaign.includes('cross-network')) return 'Cross-network'
  if (paidClick || PAID.test(medium)) return paid(source, medium, campaign)
  if (DISPLAY.has(medium)) return 'Display'
  return byMedium(medium, source) ?? unpaid(source, medium, campaign)
}

function paid(source: Source | undefined, medium: string, campaign: string): Channel {
  const kind = source?.kind
  if (kind === 'shopping' || SHOPPING_CAMPAIGN.test(campaign)) return 'Paid Shopping'
  if (kind === 'search') return 'Paid Search'
  if (kind === 'social') return 'Paid Social'
  if (kind === 'video') return 'Paid Video'
  return DISPLAY.has(medium) ? 'Display' : 'Paid Other'
}

/** Media that say all there is to say, whatever the source. */
function byMedium(medium: string, source: Source | undefined): Channel | undefined {
  if (EMAIL.has(medium)) return 'Email'
  if (AFFILIATES.has(medium)) return 'Affiliates'
  if (medium === 'sms' || source?.name.toLowerCase() === 'sms') return 'SMS'
  if (medium.endsWith('push') || medium.includes('notification') || source?.name.toLowerCase() === 'firebase') return 'Mobile Push'
  return medium === 'audio' || medium === 'podcast' ? 'Audio' : undefined
}

function unpaid(source: Source | undefined, medium: string, campaign: string): Channel {
  const kind = source?.kind
  if (kind === 'shopping' || SHOPPING_CAMPAIGN.test(campaign)) return 'Organic Shopping'
  if (kind === 'social' || SOCIAL.has(medium)) return 'Organic Social'
  if (kind === 'video' || medium.includes('video')) return 'Organic Video'
  if (kind === 'ai' || medium === 'ai-assistant') return 'AI Assistants'
  if (kind === 'search' || medium === 'organic') return 'Organic Search'
  if (kind === 'email') return 'Email'
  if (kind === 'affiliate') return 'Affiliates'
  return source === undefined && !REFERRAL.has(medium) ? 'Direct' : 'Referral'
}
