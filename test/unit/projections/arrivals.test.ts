// Where visitors come from, as literal cases: what GA4, Plausible, Matomo and PostHog document of sources, channels, campaign
// parameters and click ids, as facts and in our own words.
import assert from 'node:assert/strict'
import { CLICK_IDS } from '../../../src/events/campaignParameters.ts'
import { ARRIVAL_DIMENSIONS, type ArrivalDimension } from '../../../src/events/dimensionNames.ts'
import type { EventCollected } from '../../../src/events/eventCollected.ts'
import { type Channel, CHANNELS } from '../../../src/projections/enrichment/channels.ts'
import { arrivalValues } from '../../../src/projections/enrichment/dimensions.ts'
import { SOURCES } from '../../../src/projections/enrichment/sourceList.ts'
import { sourceOfSite } from '../../../src/projections/enrichment/sources.ts'

const PAGE = 'https://www.example.com/'

function arrival(data: Partial<EventCollected>): Partial<Record<ArrivalDimension, string>> {
  const values = arrivalValues({ event: 'pageview', ...data })
  assert.equal(values.length, ARRIVAL_DIMENSIONS.length)
  return Object.fromEntries(ARRIVAL_DIMENSIONS.map((name, index) => [name, values[index]]).filter(([, value]) => value !== undefined)) as Partial<Record<ArrivalDimension, string>>
}

const REFERRERS: [sent: string, referrer: string | undefined, source: string | undefined, channel: Channel][] = [
  ['https://www.google.com/', 'google.com', 'Google', 'Organic Search'],
  ['https://www.google.co.uk/', 'google.co.uk', 'Google', 'Organic Search'],
  ['https://google.com.br/search?q=secret', 'google.com.br/search', 'Google', 'Organic Search'],
  ['https://images.google.de/imgres', 'images.google.de/imgres', 'Google', 'Organic Search'],
  ['android-app://com.google.android.googlequicksearchbox/', 'com.google.android.googlequicksearchbox', 'Google', 'Organic Search'],
  ['https://docs.google.com/document/d/1', 'docs.google.com/document/d/1', 'docs.google.com', 'Referral'],
  ['https://google.example.org/', 'google.example.org', 'google.example.org', 'Referral'],
  ['https://notgoogle.com/', 'notgoogle.com', 'notgoogle.com', 'Referral'],
  ['https://www.bing.com/search', 'bing.com/search', 'Bing', 'Organic Search'],
  ['https://duckduckgo.com/', 'duckduckgo.com', 'DuckDuckGo', 'Organic Search'],
  ['https://fr.search.yahoo.com/', 'fr.search.yahoo.com', 'Yahoo', 'Organic Search'],
  ['https://yandex.ru/', 'yandex.ru', 'Yandex', 'Organic Search'],
  ['https://search.brave.com/', 'search.brave.com', 'Brave', 'Organic Search'],
  ['https://www.ecosia.org/', 'ecosia.org', 'Ecosia', 'Organic Search'],
  ['https://l.facebook.com/l.php?u=x', 'l.facebook.com/l.php', 'Facebook', 'Organic Social'],
  ['https://t.co/abc', 't.co/abc', 'Twitter/X', 'Organic Social'],
  ['https://x.com/someone', 'x.com/someone', 'Twitter/X', 'Organic Social'],
  ['https://netflix.com/', 'netflix.com', 'netflix.com', 'Referral'],
  ['https://out.reddit.com/t3', 'out.reddit.com/t3', 'Reddit', 'Organic Social'],
  ['https://news.ycombinator.com/item?id=1', 'news.ycombinator.com/item', 'Hacker News', 'Organic Social'],
  ['https://lnkd.in/x', 'lnkd.in/x', 'LinkedIn', 'Organic Social'],
  ['https://www.pinterest.co.uk/pin/1/', 'pinterest.co.uk/pin/1', 'Pinterest', 'Organic Social'],
  ['https://www.youtube.com/watch', 'youtube.com/watch', 'YouTube', 'Organic Video'],
  ['https://vimeo.com/1', 'vimeo.com/1', 'Vimeo', 'Organic Video'],
  ['https://www.amazon.de/dp/1', 'amazon.de/dp/1', 'Amazon', 'Organic Shopping'],
  ['https://mail.google.com/mail/u/0/', 'mail.google.com/mail/u/0', 'Gmail', 'Email'],
  ['android-app://com.google.android.gm/', 'com.google.android.gm', 'Gmail', 'Email'],
  ['https://outlook.live.com/', 'outlook.live.com', 'Outlook', 'Email'],
  ['https://chatgpt.com/', 'chatgpt.com', 'ChatGPT', 'AI Assistants'],
  ['https://www.perplexity.ai/search/1', 'perplexity.ai/search/1', 'Perplexity', 'AI Assistants'],
  ['https://claude.ai/', 'claude.ai', 'Claude', 'AI Assistants'],
  ['https://gemini.google.com/app', 'gemini.google.com/app', 'Gemini', 'AI Assistants'],
  ['https://copilot.microsoft.com/', 'copilot.microsoft.com', 'Copilot', 'AI Assistants'],
  ['https://www.awin1.com/cread.php', 'awin1.com/cread.php', 'Awin', 'Affiliates'],
  ['https://github.com/a/b', 'github.com/a/b', 'GitHub', 'Referral'],
  ['https://Blog.Example.ORG:8080/a//', 'blog.example.org/a', 'blog.example.org', 'Referral'],
  ['www.example.org/a', 'example.org/a', 'example.org', 'Referral'],
  ['https://shop.example.com/', 'shop.example.com', 'shop.example.com', 'Referral'],
  ['https://www.example.com/before', undefined, undefined, 'Direct'],
  ['http://example.com:3000/', undefined, undefined, 'Direct'],
  ['/before', undefined, undefined, 'Direct'],
  ['chrome-extension://abcdef/page.html', undefined, undefined, 'Direct'],
  ['about:blank', undefined, undefined, 'Direct'],
  ['$direct', undefined, undefined, 'Direct'],
  ['null', undefined, undefined, 'Direct'],
] // prettier-ignore

const CAMPAIGNS: [query: string, referrer: string | undefined, source: string | undefined, channel: Channel][] = [
  ['utm_source=newsletter&utm_medium=email', undefined, 'newsletter', 'Email'],
  ['utm_source=newsletter', undefined, 'newsletter', 'Email'],
  ['utm_source=Partner%20A', undefined, 'Partner A', 'Referral'],
  ['utm_source=google&utm_medium=cpc', undefined, 'Google', 'Paid Search'],
  ['utm_source=google&utm_medium=CPC', undefined, 'Google', 'Paid Search'],
  ['utm_source=google&utm_medium=organic', undefined, 'Google', 'Organic Search'],
  ['utm_source=google&utm_medium=email', undefined, 'Google', 'Email'],
  ['utm_source=fb&utm_medium=paid_social', undefined, 'Facebook', 'Paid Social'],
  ['utm_source=facebook&utm_medium=social', undefined, 'Facebook', 'Organic Social'],
  ['utm_source=facebook.com', undefined, 'Facebook', 'Organic Social'],
  ['utm_source=yt&utm_medium=cpv', undefined, 'YouTube', 'Paid Video'],
  ['utm_source=linkedin&utm_medium=ppc', undefined, 'LinkedIn', 'Paid Social'],
  ['utm_source=youtube&utm_medium=cpm', undefined, 'YouTube', 'Paid Video'],
  ['utm_source=amazon&utm_medium=cpc', undefined, 'Amazon', 'Paid Shopping'],
  ['utm_source=google&utm_medium=cpc&utm_campaign=Summer+Shopping', undefined, 'Google', 'Paid Shopping'],
  ['utm_source=google&utm_medium=cpc&utm_campaign=workshop', undefined, 'Google', 'Paid Search'],
  ['utm_source=google&utm_medium=cpc&utm_campaign=Cross-Network+1', undefined, 'Google', 'Cross-network'],
  ['utm_source=taboola&utm_medium=cpc', undefined, 'taboola', 'Paid Other'],
  ['utm_source=site&utm_medium=cpm', undefined, 'site', 'Display'],
  ['utm_source=site&utm_medium=banner', undefined, 'site', 'Display'],
  ['utm_source=bing&utm_medium=retargeting', undefined, 'Bing', 'Paid Search'],
  ['utm_source=blog&utm_medium=affiliate', undefined, 'blog', 'Affiliates'],
  ['utm_source=sms', undefined, 'sms', 'SMS'],
  ['utm_source=app&utm_medium=web_push', undefined, 'app', 'Mobile Push'],
  ['utm_source=show&utm_medium=podcast', undefined, 'show', 'Audio'],
  ['utm_source=partner&utm_medium=video', undefined, 'partner', 'Organic Video'],
  ['utm_source=chatgpt.com', undefined, 'ChatGPT', 'AI Assistants'],
  ['utm_source=perplexity&utm_medium=referral', undefined, 'Perplexity', 'AI Assistants'],
  ['utm_medium=email', undefined, undefined, 'Email'],
  ['utm_medium=referral', undefined, undefined, 'Referral'],
  ['utm_campaign=spring', undefined, undefined, 'Direct'],
  ['utm_source=news&ref=b&source=c', 'https://t.co/a', 'news', 'Referral'],
  ['ref=producthunt&source=c', 'https://t.co/a', 'Product Hunt', 'Organic Social'],
  ['source=medium', 'https://t.co/a', 'medium', 'Referral'],
  ['utm_source=&ref=hn', undefined, 'Hacker News', 'Organic Social'],
  ['utm_source=%20&utm_source=second', undefined, 'second', 'Referral'],
  ['utm_campaign=spring', 'https://www.google.com/', 'Google', 'Organic Search'],
  ['gclid=Cj0', undefined, 'Google', 'Paid Search'],
  ['gclid=Cj0', 'https://www.google.com/', 'Google', 'Paid Search'],
  ['gbraid=1', undefined, 'Google', 'Paid Search'],
  ['utm_source=google&gclid=1', undefined, 'Google', 'Paid Search'],
  ['utm_source=youtube&gclid=1', undefined, 'YouTube', 'Paid Video'],
  ['utm_source=newsletter&gclid=1', undefined, 'newsletter', 'Email'],
  ['utm_source=google&utm_medium=search&gclid=1', undefined, 'Google', 'Paid Search'],
  ['utm_source=GOOGLE&utm_medium=cpc&utm_campaign=eShop', undefined, 'Google', 'Paid Shopping'],
  ['utm_source=partner&utm_medium=social', undefined, 'partner', 'Organic Social'],
  ['utm_source=some-engine&utm_medium=organic', undefined, 'some-engine', 'Organic Search'],
  ['utm_source=new-bot&utm_medium=ai-assistant', undefined, 'new-bot', 'AI Assistants'],
  ['utm_source=app&utm_medium=notification', undefined, 'app', 'Mobile Push'],
  ['utm_source=firebase', undefined, 'firebase', 'Mobile Push'],
  ['utm_source=site&utm_medium=remarketing', undefined, 'site', 'Paid Other'],
  ['msclkid=1', undefined, 'Bing', 'Paid Search'],
  ['ttclid=1', undefined, 'TikTok', 'Paid Social'],
  ['twclid=1', undefined, 'Twitter/X', 'Paid Social'],
  ['li_fat_id=1', undefined, 'LinkedIn', 'Paid Social'],
  ['dclid=1', undefined, 'Google', 'Display'],
  ['irclickid=1', undefined, 'Impact', 'Affiliates'],
  ['mc_cid=1', undefined, 'Mailchimp', 'Email'],
  ['fbclid=1', undefined, 'Facebook', 'Organic Social'],
  ['fbclid=1&utm_medium=cpc', undefined, 'Facebook', 'Paid Social'],
  ['fbclid=1', 'https://l.instagram.com/', 'Instagram', 'Organic Social'],
  ['fbclid=1', 'https://blog.example.org/', 'Facebook', 'Organic Social'],
  ['srsltid=1', undefined, 'Google', 'Organic Search'],
  ['other=1', undefined, undefined, 'Direct'],
] // prettier-ignore

describe('enrichment of arrivals', () => {
  for (const [sent, referrer, source, channel] of REFERRERS) {
    it(`from ${sent} is ${channel} of ${source}`, () => {
      const expected = { ...(referrer !== undefined && { referrer }), ...(source !== undefined && { source }), channel }
      assert.deepEqual(arrival({ url: PAGE, referrer: sent }), expected)
    })
  }

  for (const [query, referrer, source, channel] of CAMPAIGNS) {
    it(`by ${query}${referrer === undefined ? '' : ` from ${referrer}`} is ${channel} of ${source}`, () => {
      const found = arrival({ url: `${PAGE}?${query}`, ...(referrer !== undefined && { referrer }) })
      assert.equal(found.source, source)
      assert.equal(found.channel, channel)
    })
  }

  it('passes on campaigns as sent, decoded and trimmed', () => {
    const url = '/a?utm_source=News+Letter%20&UTM_Medium=E-Mail&utm_campaign=50%&utm_term=a%2Bb&utm_content=%C3%A9&utm_content=second'
    assert.deepEqual(arrival({ url }), {
      source: 'News Letter',
      channel: 'Email',
      utmSource: 'News Letter',
      utmMedium: 'E-Mail',
      utmCampaign: '50%',
      utmTerm: 'a+b',
      utmContent: 'é',
    })
  })

  it('is direct without referrer and campaign', () => assert.deepEqual(arrival({ url: PAGE }), { channel: 'Direct' }))

  it('is nothing for an event without a url, or with one that is none', () => {
    assert.deepEqual(arrival({ referrer: 'https://www.google.com/' }), {})
    assert.deepEqual(arrival({ url: 'nonsense', referrer: 'https://www.google.com/' }), {})
  })

  it('takes every referrer for another site where the url is a path', () => {
    assert.deepEqual(arrival({ url: '/a', referrer: PAGE }), { referrer: 'example.com', source: 'example.com', channel: 'Referral' })
  })

  it('tells its own site apart per event, though answers are shared', () => {
    const referrer = 'https://blog.example.com/'
    assert.equal(arrival({ url: 'https://blog.example.com/a', referrer }).channel, 'Direct')
    assert.equal(arrival({ url: 'https://shop.example.com/a', referrer }).channel, 'Referral')
    assert.equal(arrival({ url: 'https://www.blog.example.com/a', referrer }).channel, 'Direct')
  })

  it('reaches every channel, and knows every click id', () => {
    const reached = new Set([...REFERRERS, ...CAMPAIGNS].map((row) => row[3]))
    assert.deepEqual(CHANNELS.filter((channel) => !reached.has(channel)), [])
    for (const id of CLICK_IDS) assert.notEqual(arrival({ url: `${PAGE}?${id}=1` }).source, undefined, id)
  })

  it('gives every host of the lists to the one source that lists it', () => {
    for (const [kind, entries] of Object.entries(SOURCES)) {
      for (const [name, hosts] of entries) {
        for (const host of hosts.split(' ')) {
          const site = host.replace('=', '').replace(/\.\*$/, '.com')
          assert.deepEqual(sourceOfSite(site), { name, kind }, host)
        }
      }
    }
  })
})
