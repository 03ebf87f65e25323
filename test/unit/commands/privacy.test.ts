// What is kept of addresses and URLs, as literal cases.
import assert from 'node:assert/strict'
import { canonicalAddress, reduceAddress } from '../../../src/commands/privacyAddress.ts'
import { isUrl, queryRule, reduceUrl } from '../../../src/commands/privacyUrl.ts'

const TRUNCATED: [sent: string, kept: string | undefined][] = [
  ['203.0.113.77', '203.0.113.0'],
  ['0.0.0.0', '0.0.0.0'],
  ['255.255.255.255', '255.255.255.0'],
  ['10.1.2.3', '10.1.2.0'],
  ['2001:db8:1234:5678:9abc:def0:1234:5678', '2001:db8:1234::'],
  ['2001:DB8:ABCD:EF01::1', '2001:db8:abcd::'],
  ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::'],
  ['2001:db8:0:1::1', '2001:db8::'],
  ['0:0:1:2:3:4:5:6', '0:0:1::'],
  ['::1', '::'],
  ['::', '::'],
  ['::ffff:203.0.113.77', '203.0.113.0'],
  ['::FFFF:cb00:714d', '203.0.113.0'],
  ['0:0:0:0:0:ffff:203.0.113.77', '203.0.113.0'],
  ['64:ff9b::203.0.113.77', '64:ff9b::'],
  ['fe80::1ff:fe23:4567:890a%eth0', 'fe80::'],
  ['fe80::1%25en0', 'fe80::'],
  ['::ffff:203.0.113.77%eth0', '203.0.113.0'],
  ['203.0.113.256', undefined],
  ['203.0.113', undefined],
  ['203.0.113.7:8080', undefined],
  ['[::1]', undefined],
  ['unknown', undefined],
  ['', undefined],
  ['1.2.3.4%eth0', undefined],
  ['010.1.2.3', undefined],
]

const REDUCED: [sent: string, kept: string, keep?: string[] | 'all'][] = [
  ['https://example.com/', 'https://example.com/'],
  ['https://example.com/a?email=a@b.example', 'https://example.com/a'],
  ['https://example.com/a?utm_source=news&token=secret', 'https://example.com/a?utm_source=news'],
  ['/a?utm_Campaign=Spring%20Sale&x=1', '/a?utm_Campaign=Spring%20Sale'],
  ['/a?gclid=Cj0&fbclid=Iw&msclkid=7', '/a?gclid=Cj0&fbclid=Iw&msclkid=7'],
  ['/a?ref=hn&source=x&refer=1&sources=2', '/a?ref=hn&source=x'],
  ['/a?utm_=1&utm=2', '/a'],
  ['/a?utm%5Fsource=x', '/a?utm%5Fsource=x'],
  ['/a?%E0%A4%A=1&ref=y', '/a?ref=y'],
  ['/a?q=shoes&page=2', '/a?q=shoes', ['q']],
  ['/a?Q=shoes', '/a?Q=shoes', ['q']],
  ['/a?q=shoes&page=2', '/a?q=shoes&page=2', 'all'],
  ['/a?q#/top', '/a?q', 'all'],
  ['/a?ref', '/a?ref'],
  ['/a?', '/a'],
  ['/a?&&', '/a'],
  ['/a#fragment?utm_source=x', '/a'],
  ['https://example.com/#/account/42', 'https://example.com/'],
  ['https://user:pass@example.com/a', 'https://example.com/a'],
  ['https://user@example.com', 'https://example.com'],
  ['https://a@b@example.com/', 'https://example.com/'],
  ['https://user:pa/ss@example.com/', 'https://user:pa/ss@example.com/'],
  ['https://example.com/@handle', 'https://example.com/@handle'],
  ['https://example.com\\@evil.example/', 'https://example.com\\@evil.example/'],
  ['//user:pass@example.com/a', '//example.com/a'],
  ['/@handle/posts', '/@handle/posts'],
  ['android-app://com.example.news/', 'android-app://com.example.news/'],
  ['not a url?secret=1', 'not a url'],
  ['/a?next=https://x.example/?ref=1', '/a'],
  ['/ünïcode?utm_source=ü', '/ünïcode?utm_source=ü'],
]

describe('privacy of addresses', () => {
  for (const [sent, kept] of TRUNCATED) {
    it(`${sent === '' ? 'nothing' : sent} is kept as ${kept ?? 'no address'}`, () => {
      const canonical = canonicalAddress(sent)
      assert.equal(canonical === undefined ? undefined : reduceAddress(canonical, 'truncate'), kept)
    })
  }

  it('keeps all of it for an app that says full, in one spelling', () => {
    assert.equal(reduceAddress(canonicalAddress('2001:DB8:0:0:0:0:0:1')!, 'full'), '2001:db8::1')
    assert.equal(reduceAddress(canonicalAddress('::ffff:1.2.3.4')!, 'full'), '1.2.3.4')
    assert.equal(canonicalAddress('1:0:0:2:0:0:0:3'), '1:0:0:2::3')
    assert.equal(canonicalAddress('1:0:2:3:4:5:6:7'), '1:0:2:3:4:5:6:7')
  })

  it('keeps nothing for an app that says none', () => assert.equal(reduceAddress('203.0.113.77', 'none'), undefined))
})

describe('privacy of URLs', () => {
  for (const [sent, kept, keep = []] of REDUCED) {
    it(`${sent} is kept as ${kept}${keep.length > 0 ? ` with keepQuery ${String(keep)}` : ''}`, () => {
      assert.equal(reduceUrl(sent, queryRule(keep)), kept)
    })
  }

  it('a url is absolute or a path', () => {
    for (const good of ['/', '/a', 'https://example.com', 'HTTP://EXAMPLE.com/x', 'app://main/screen']) assert.ok(isUrl(good), good)
    for (const bad of ['example.com', 'javascript:alert(1)', 'data:text/html,x', 'https://', 'https://?x', '', 'a/b', '?x']) {
      assert.ok(!isUrl(bad), bad)
    }
  })
})
