// What an event is broken down by, as literal cases: pages as Plausible and Umami cut them (no fragment, no campaign parameters),
// devices, browsers, systems and bots of user agents in use, countries of addresses whose holders do not change.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { EVENT_DIMENSIONS, type EventDimension } from '../../../src/events/dimensionNames.ts'
import type { EventCollected } from '../../../src/events/eventCollected.ts'
import { LIMITS } from '../../../src/limits.ts'
import { eventValues, metadataValue, RULESET_VERSION } from '../../../src/projections/enrichment/dimensions.ts'
import { USER_AGENT_RULES } from '../../../src/projections/enrichment/userAgents.ts'
import { isBot } from '../../../src/projections/visitors/visitRules.ts'

function valueOf(dimension: EventDimension, data: Partial<EventCollected>): string | undefined {
  return eventValues({ event: 'pageview', ...data })[EVENT_DIMENSIONS.indexOf(dimension)]
}

const PAGES: [url: string, page: string | undefined, hostname: string | undefined][] = [
  ['https://example.com/pricing', '/pricing', 'example.com'],
  ['https://example.com', '/', 'example.com'],
  ['https://example.com?utm_source=news', '/', 'example.com'],
  ['https://example.com/pricing#plans', '/pricing', 'example.com'],
  ['https://example.com/#/account', '/', 'example.com'],
  ['https://Example.COM/Pricing', '/Pricing', 'example.com'],
  ['https://example.com:8443/a', '/a', 'example.com'],
  ['https://example.com./a', '/a', 'example.com'],
  ['http://[2001:db8::1]:8080/a', '/a', '[2001:db8::1]'],
  ['https://www.example.com/a', '/a', 'www.example.com'],
  ['https://bücher.example/a', '/a', 'xn--bcher-kva.example'],
  ['https://example.com/a/', '/a/', 'example.com'],
  ['https://example.com/caf%C3%A9', '/caf%C3%A9', 'example.com'],
  ['https://example.com/a?id=42', '/a?id=42', 'example.com'],
  ['https://example.com/a?id=42&utm_source=x&tab=1', '/a?id=42&tab=1', 'example.com'],
  ['https://example.com/a?utm_source=x&utm_anything=y', '/a', 'example.com'],
  ['https://example.com/a?UTM_Source=x&Gclid=1', '/a', 'example.com'],
  ['https://example.com/a?utm%5Fsource=x', '/a', 'example.com'],
  ['https://example.com/a?gclid=1&fbclid=2&msclkid=3&ttclid=4&twclid=5&li_fat_id=6', '/a', 'example.com'],
  ['https://example.com/a?gad_source=1&gad_campaignid=2&gbraid=3', '/a', 'example.com'],
  ['https://example.com/a?ref=hn&source=x&refer=1', '/a?refer=1', 'example.com'],
  ['https://example.com/a?&&', '/a', 'example.com'],
  ['https://example.com/a?q', '/a?q', 'example.com'],
  ['https://user:secret@example.com/a', '/a', 'example.com'],
  ['https://example.com/@handle', '/@handle', 'example.com'],
  ['https://example.com\\a', '/a', 'example.com'],
  ['/pricing?utm_source=x', '/pricing', undefined],
  ['/', '/', undefined],
  ['//cdn.example.com/a', '/a', 'cdn.example.com'],
  ['app://settings/general', '/general', 'settings'],
  ['android-app://com.example.news', '/', 'com.example.news'],
  ['file:///C:/index.html', '/C:/index.html', undefined],
  ['mailto:someone@example.com', undefined, undefined],
  ['about:blank', undefined, undefined],
  ['example.com/a', undefined, undefined],
  ['https://', undefined, undefined],
  ['?a=1', undefined, undefined],
] // prettier-ignore

const LANGUAGES: [sent: string, value: string | undefined][] = [
  ['en', 'en'],
  ['en-us', 'en-US'],
  ['EN_us', 'en-US'],
  ['zh-hant-tw', 'zh-Hant-TW'],
  ['iw', 'he'],
  ['en-US-u-hc-h12', 'en-US'],
  [' de ', 'de'],
  ['en-US,en;q=0.9', undefined],
  ['C', undefined],
  ['english', undefined],
  ['und', undefined],
  ['*', undefined],
]

const COUNTRIES: [ip: string, value: string | undefined][] = [
  ['8.8.8.0', 'US'],
  ['193.0.6.0', 'NL'],
  ['133.11.0.0', 'JP'],
  ['200.160.2.0', 'BR'],
  ['2001:4860:4860::', 'US'],
  ['2001:67c:2e8::', 'NL'],
  ['10.1.2.0', undefined],
  ['172.16.3.0', undefined],
  ['192.168.1.0', undefined],
  ['127.0.0.1', undefined],
  ['100.64.0.0', undefined],
  ['203.0.113.0', undefined],
  ['198.51.100.0', undefined],
  ['::', undefined],
  ['::1', undefined],
  ['fd00::', undefined],
  ['2001:db8::', undefined],
  ['1.2.3', undefined],
  ['unknown', undefined],
  ['', undefined],
]

const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1.2 Mobile/15E148 Safari/604.1'

const AGENTS: [userAgent: string, device: string | undefined, browserVersion: string | undefined, osVersion: string | undefined][] = [
  [WINDOWS, 'desktop', 'Chrome 120', 'Windows 10'],
  [IPHONE, 'mobile', 'Safari 17', 'iOS 17'],
  [`${WINDOWS} Edg/120.0.2210.91`, 'desktop', 'Microsoft Edge 120', 'Windows 10'],
  ['Mozilla/5.0 (Windows NT 5.1; rv:52.0) Gecko/20100101 Firefox/52.0', 'desktop', 'Firefox 52', 'Windows XP'],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15', 'desktop', 'Safari 17', 'macOS 10.15'],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 14.2; rv:121.0) Gecko/20100101 Firefox/121.0', 'desktop', 'Firefox 121', 'macOS 14'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0', 'desktop', 'Firefox 121', undefined],
  ['Mozilla/5.0 (Linux; Android 13; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Mobile Safari/537.36', 'mobile', 'Chrome 119', 'Android 13'],
  ['Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1', 'tablet', 'Safari 16', 'iOS 16'],
  ['Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15', 'console', 'Safari 13', undefined],
  ['x', undefined, undefined, undefined],
] // prettier-ignore

const BOTS: [userAgent: string | undefined, bot: boolean][] = [
  [WINDOWS, false],
  [IPHONE, false],
  [undefined, false],
  ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', true],
  ['Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)', true],
  ['Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.0; +https://openai.com/gptbot)', true],
  ['Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)', true],
  ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0.6045.105 Safari/537.36', true],
  ['curl/8.4.0', true],
  ['python-requests/2.31', true],
  ['facebookexternalhit/1.1', true],
] // prettier-ignore

describe('enrichment of events', () => {
  for (const [url, page, hostname] of PAGES) {
    it(`${url} is page ${page} of ${hostname}`, () => {
      assert.equal(valueOf('page', { url }), page)
      assert.equal(valueOf('hostname', { url }), hostname)
    })
  }

  for (const [language, value] of LANGUAGES) it(`language ${language} is ${value}`, () => assert.equal(valueOf('language', { language }), value))

  for (const [ip, value] of COUNTRIES) it(`${ip === '' ? 'no address' : ip} is of ${value}`, () => assert.equal(valueOf('country', { ip }), value))

  for (const [userAgent, device, browserVersion, osVersion] of AGENTS) {
    it(`${browserVersion} on ${osVersion} is a ${device}`, () => {
      assert.equal(valueOf('device', { userAgent }), device)
      assert.equal(valueOf('browserVersion', { userAgent }), browserVersion)
      assert.equal(valueOf('browser', { userAgent }), browserVersion?.replace(/ \d+$/, ''))
      assert.equal(valueOf('osVersion', { userAgent }), osVersion)
      if (osVersion !== undefined) assert.equal(valueOf('os', { userAgent }), osVersion.split(' ')[0])
    })
  }

  for (const [userAgent, bot] of BOTS) {
    it(`${userAgent} is ${bot ? 'a' : 'no'} bot`, () => assert.equal(isBot({ event: 'pageview', ...(userAgent !== undefined && { userAgent }) }), bot))
  }

  it('believes a named device before the user agent, and takes unknown for no value', () => {
    assert.equal(valueOf('device', { device: 'tv', userAgent: WINDOWS }), 'tv')
    assert.equal(valueOf('device', { device: 'Smartphone' }), 'mobile')
    assert.equal(valueOf('device', { device: 'fridge' }), 'other')
    assert.equal(valueOf('device', { device: 'unknown', userAgent: WINDOWS }), undefined)
    assert.equal(valueOf('device', {}), undefined)
  })

  it('passes on name, title and screen as sent, and nothing for what is empty', () => {
    const values = { event: ' Sign Up ', title: 'Prices — Ünïcode', screen: '1920x1080' }
    for (const [name, value] of Object.entries(values)) assert.equal(valueOf(name as EventDimension, values), value)
    assert.equal(valueOf('title', { title: '' }), undefined)
    assert.deepEqual(eventValues({ event: 'x' }).slice(1), new Array(11).fill(undefined))
  })

  it('cuts long values visibly, never within a character', () => {
    const { dimensionValueChars: most } = LIMITS
    const url = `https://example.com/${'a'.repeat(most - 1)}`
    assert.equal(valueOf('page', { url }), `/${'a'.repeat(most - 1)}`)
    assert.equal(valueOf('page', { url: `${url}b` }), `/${'a'.repeat(most - 2)}…`)
    assert.equal(valueOf('title', { title: '🦉'.repeat(most) }), `${'🦉'.repeat(most / 2 - 1)}…`)
    assert.equal(valueOf('title', { title: 'half \ud83e' }), 'half \ufffd')
  })

  it('reads metadata as text', () => {
    const data: EventCollected = { event: 'x', metadata: { plan: 'pro', seats: 4, trial: false, tags: ['a'], none: null, empty: '', long: 'a'.repeat(9_999) } }
    const values = ['plan', 'seats', 'trial', 'tags', 'none', 'empty', 'missing', 'toString'].map((key) => metadataValue(data, key))
    assert.deepEqual(values, ['pro', '4', 'false', undefined, undefined, undefined, undefined, undefined])
    assert.equal(metadataValue(data, 'long')?.length, LIMITS.dimensionValueChars)
  })

  it('has one version for each state of rules, lists and libraries: raise it with them', () => {
    const require = createRequire(import.meta.url)
    const versionOf = (name: string) => (require(`${name}/package.json`) as { version: string }).version
    assert.deepEqual(
      { agents: USER_AGENT_RULES, bowser: versionOf('bowser'), isbot: versionOf('isbot') },
      { agents: 1, bowser: '2.15.0', isbot: '5.2.3' },
    )
    assert.deepEqual(
      { all: RULESET_VERSION, countries: versionOf('@ip-location-db/geo-whois-asn-country-mmdb') },
      { all: 5, countries: '2.3.2026061719' },
    )
  })
})
