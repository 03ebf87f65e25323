// The few texts that random histories are made of, each with what it is known to say: written down by hand, so that the
// reference shares no rule with the program.
import type { EventCollected } from '../../src/events/eventCollected.ts'

export type Said = Readonly<Record<string, string | undefined>>

export const AGENTS: readonly { readonly text: string | undefined; readonly bot: boolean; readonly says: Said }[] = [
  { text: undefined, bot: false, says: {} },
  {
    text: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
    bot: false,
    says: { device: 'desktop', browser: 'Chrome', os: 'Windows' },
  },
  {
    text: 'Mozilla/5.0 (iPhone; CPU iPhone OS 15_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.0 Mobile/15E148 Safari/604.1',
    bot: false,
    says: { device: 'mobile', browser: 'Safari', os: 'iOS' },
  },
  { text: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', bot: true, says: { device: 'other', browser: 'Googlebot' } },
]

export const PLACES: readonly { readonly url: string | undefined; readonly says: Said }[] = [
  { url: undefined, says: {} },
  { url: 'https://shop.example/', says: { page: '/', hostname: 'shop.example' } },
  { url: 'https://shop.example/pricing', says: { page: '/pricing', hostname: 'shop.example' } },
  { url: 'https://shop.example/Pricing', says: { page: '/Pricing', hostname: 'shop.example' } },
  { url: 'https://docs.example/', says: { page: '/', hostname: 'docs.example' } },
  {
    url: 'https://shop.example/?utm_source=news&utm_medium=email',
    says: { page: '/', hostname: 'shop.example', utmSource: 'news', utmMedium: 'email', source: 'news' },
  },
]

export const REFERRERS: readonly { readonly text: string | undefined; readonly says: Said }[] = [
  { text: undefined, says: {} },
  { text: 'https://www.google.com/', says: { source: 'Google', referrer: 'google.com' } },
  { text: 'https://blog.example/a?b=c', says: { source: 'blog.example', referrer: 'blog.example/a' } },
]

export const EVENTS: readonly { readonly event: string; readonly interactive?: false; readonly needsUrl?: true }[] = [
  { event: 'pageview', needsUrl: true },
  { event: 'signup' },
  { event: 'purchase' },
  { event: 'engagement', interactive: false },
  { event: 'asset', interactive: false },
]

/** Dimensions whose values the reference knows. */
export const EVENT_FIELDS = ['event', 'page', 'hostname', 'device', 'browser', 'os', 'metadata.plan'] as const
export const VISIT_FIELDS = ['entryPage', 'exitPage', 'referrer', 'source', 'utmSource', 'utmMedium'] as const

export function isBot(data: EventCollected): boolean {
  return AGENTS.find(({ text }) => text === data.userAgent)?.bot === true
}

/** What an event says by itself. */
export function eventSays(data: EventCollected): Said {
  const agent = AGENTS.find(({ text }) => text === data.userAgent)!.says
  const { page, hostname } = PLACES.find(({ url }) => url === data.url)!.says
  const plan = data.metadata?.['plan'] as string | undefined
  return { ...agent, event: data.event, page, hostname, 'metadata.plan': plan }
}

/** What the event that a visit arrives with says of where it came from; a campaign's source goes before the referrer's. */
export function arrivalSays(data: EventCollected): Said {
  if (data.url === undefined) return {}
  const { source, utmSource, utmMedium } = PLACES.find(({ url }) => url === data.url)!.says
  const from = REFERRERS.find(({ text }) => text === data.referrer)!.says
  return { referrer: from['referrer'], source: source ?? from['source'], utmSource, utmMedium }
}
