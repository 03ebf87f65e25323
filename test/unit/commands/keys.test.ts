import assert from 'node:assert/strict'
import { issueApiKey, type IssueApiKey } from '../../../src/commands/issueApiKey.ts'
import { revokeApiKey } from '../../../src/commands/revokeApiKey.ts'
import { rotateApiKey } from '../../../src/commands/rotateApiKey.ts'
import { createWriteKey, hashWriteKey } from '../../../src/commands/writeKey.ts'
import { apiKeyIssued } from '../../../src/events/apiKeyIssued.ts'
import { apiKeyRevoked } from '../../../src/events/apiKeyRevoked.ts'
import { apiKeyRotated } from '../../../src/events/apiKeyRotated.ts'
import { appDeleted } from '../../../src/events/appDeleted.ts'
import { uuidv5 } from '../../../src/kernel/ids.ts'
import { compile } from '../../../src/kernel/validation.ts'
import { account, ALICE, APP, app, BAKERY, COMMAND, fact, folded, given, id, KEY, key, MALLORY, NOW, SECRET } from './given.ts'

const NEW_KEY = uuidv5(COMMAND, 'key')
const DAY_MS = 86_400_000
const revoked = fact(apiKeyRevoked, `key:${KEY}`, { keyId: KEY, appId: APP })
const deleted = fact(appDeleted, `app:${APP}`, { appId: APP })

describe('IssueApiKey', () => {
  const issued = (more: object) => {
    const data = { keyId: NEW_KEY, appId: APP, issuedBy: ALICE, name: 'API key', scopes: ['collect'], ...SECRET, ...more }
    return [fact(apiKeyIssued, `key:${NEW_KEY}`, data)]
  }

  it('issues a key to collect, without end, for any origin, unless told otherwise', () => {
    given(...BAKERY).when(issueApiKey, { appId: APP }).then(issued({}), { keyId: NEW_KEY, appId: APP })
  })

  it('issues with everything given, origins as browsers send them', () => {
    const input: IssueApiKey = {
      ...{ appId: APP, name: ' Site ', scopes: ['query', 'people'], expiresAt: '2026-12-01T00:00:00+01:00' },
      allowedOrigins: ['HTTPS://Bakery.Example:443/', 'https://bakery.example', 'http://localhost:8080', 'https://bäckerei.example'],
    }
    const allowedOrigins = ['https://bakery.example', 'http://localhost:8080', 'https://xn--bckerei-5wa.example']
    const expiresAt = Date.UTC(2026, 10, 30, 23)
    given(...BAKERY).when(issueApiKey, input).then(issued({ name: 'Site', scopes: ['query', 'people'], expiresAt, allowedOrigins }))
  })

  it('reads a time without offset in the zone of the app', () => {
    given(account(ALICE), app(ALICE, { timezone: 'Asia/Kathmandu' }))
      .when(issueApiKey, { appId: APP, expiresAt: '2027-01-01T00:00' })
      .then(issued({ expiresAt: Date.UTC(2026, 11, 31, 18, 15) }))
  })

  it('is guarded by the app, so that a key cannot outlive an app deleted meanwhile', () => {
    const context = { commandId: COMMAND, now: NOW, actor: ALICE, secret: SECRET }
    assert.deepEqual(issueApiKey.decide(folded(BAKERY), { appId: APP }, context).guards, [`app:${APP}`])
    assert.deepEqual(rotateApiKey.decide(folded(BAKERY), { keyId: KEY }, context).guards, [`app:${APP}`])
  })

  for (const expiresAt of ['yesterday', '2026-02-30T00:00:00Z', '2026-11-22T09:30:00Z', '1999-01-01']) {
    it(`refuses the expiry "${expiresAt}"`, () => {
      given(...BAKERY).when(issueApiKey, { appId: APP, expiresAt }).refused('invalid_body', '/expiresAt')
    })
  }

  for (const origin of ['bakery.example', 'https://b.example/page', 'https://*.b.example', 'https://u:p@b.example', 'null', 'file:///x', 'https://b.example/?q']) {
    it(`refuses the origin "${origin}"`, () => {
      given(...BAKERY)
        .when(issueApiKey, { appId: APP, allowedOrigins: ['https://b.example', origin] })
        .refused('invalid_body', '/allowedOrigins/1')
    })
  }

  it('does not know the apps of others, deleted ones and those that never were', () => {
    given(...BAKERY).when(issueApiKey, { appId: APP }, { actor: MALLORY }).refused('not_found')
    given(...BAKERY, deleted).when(issueApiKey, { appId: APP }).refused('not_found')
    given(...BAKERY).when(issueApiKey, { appId: id('other') }).refused('not_found')
    given(...BAKERY).when(issueApiKey, { appId: APP }, { actor: undefined }).refused('unauthenticated')
  })

  it('its schema refuses unknown and repeated scopes and no origin at all', () => {
    const check = compile(issueApiKey.schema)
    assert.deepEqual(check({ appId: APP, scopes: ['admin'] }), [
      { path: '/scopes/0', detail: 'must be one of "collect", "query", "people"' },
    ])
    assert.equal(check({ appId: APP, scopes: ['query', 'query'] })[0]?.path, '/scopes')
    assert.equal(check({ appId: APP, scopes: [] })[0]?.path, '/scopes')
    assert.equal(check({ appId: APP, allowedOrigins: [] })[0]?.path, '/allowedOrigins')
    assert.equal(check({ appId: 'x' })[0]?.path, '/appId')
  })
})

describe('RotateApiKey', () => {
  const successor = (endsAt: number, more: object = {}, name = 'Website') => [
    fact(apiKeyIssued, `key:${NEW_KEY}`, {
      ...{ keyId: NEW_KEY, appId: APP, issuedBy: ALICE, name, scopes: ['collect'], ...SECRET, ...more },
      replaces: KEY,
    }),
    fact(apiKeyRotated, `key:${KEY}`, { keyId: KEY, appId: APP, replacedBy: NEW_KEY, endsAt }),
  ]

  it('lets the old key work on for a day unless told otherwise', () => {
    const endsAt = NOW + DAY_MS
    given(...BAKERY).when(rotateApiKey, { keyId: KEY }).then(successor(endsAt), { keyId: NEW_KEY, appId: APP, replaces: KEY, endsAt })
  })

  it('ends the old key at once with an overlap of 0', () => {
    given(...BAKERY).when(rotateApiKey, { keyId: KEY, overlapSeconds: 0 }).then(successor(NOW))
  })

  it('hands on scopes, origins and expiry, and never lengthens the old key', () => {
    const rights = { expiresAt: NOW + 60_000, allowedOrigins: ['https://b.example'] }
    given(account(ALICE), app(), key(rights)).when(rotateApiKey, { keyId: KEY }).then(successor(NOW + 60_000, rights))
  })

  it('refuses a key that is revoked, expired or rotated already', () => {
    given(...BAKERY, revoked).when(rotateApiKey, { keyId: KEY }).refused('key_ended')
    given(account(ALICE), app(), key({ expiresAt: NOW })).when(rotateApiKey, { keyId: KEY }).refused('key_ended')
    const rotated = fact(apiKeyRotated, `key:${KEY}`, { keyId: KEY, appId: APP, replacedBy: id('next'), endsAt: NOW + 1 })
    given(...BAKERY, rotated).when(rotateApiKey, { keyId: KEY }).refused('already_replaced')
  })

  it('does not know the keys of others and of deleted apps', () => {
    given(...BAKERY).when(rotateApiKey, { keyId: KEY }, { actor: MALLORY }).refused('not_found')
    given(...BAKERY, deleted).when(rotateApiKey, { keyId: KEY }).refused('not_found')
    given(...BAKERY).when(rotateApiKey, { keyId: id('other') }).refused('not_found')
  })

  it('its schema bounds the overlap to 30 days', () => {
    const check = compile(rotateApiKey.schema)
    assert.deepEqual(check({ keyId: KEY, overlapSeconds: 2_592_000 }), [])
    assert.deepEqual(check({ keyId: KEY, overlapSeconds: 2_592_001 }), [{ path: '/overlapSeconds', detail: 'must be 2,592,000 or less' }])
    assert.equal(check({ keyId: KEY, overlapSeconds: -1 })[0]?.path, '/overlapSeconds')
  })
})

describe('RevokeApiKey', () => {
  it('revokes', () => {
    given(...BAKERY).when(revokeApiKey, { keyId: KEY }).then([revoked], { keyId: KEY, appId: APP })
  })

  it('answers the same for a key that is revoked already, without an event', () => {
    given(...BAKERY, revoked).when(revokeApiKey, { keyId: KEY }).then([], { keyId: KEY, appId: APP })
  })

  it('does not know the keys of others', () => {
    given(...BAKERY).when(revokeApiKey, { keyId: KEY }, { actor: MALLORY }).refused('not_found')
    given(...BAKERY, deleted).when(revokeApiKey, { keyId: KEY }).refused('not_found')
    given(...BAKERY).when(revokeApiKey, { keyId: KEY }, { actor: undefined }).refused('unauthenticated')
  })
})

describe('write keys', () => {
  it('are rk_ and 32 letters and digits, each different, known by their hash', () => {
    const keys = Array.from({ length: 50 }, createWriteKey)
    assert.equal(new Set(keys.map(({ writeKey }) => writeKey)).size, 50)
    for (const { writeKey, writeKeyHash, writeKeyHint } of keys) {
      assert.match(writeKey, /^rk_[0-9A-Za-z]{32}$/)
      assert.equal(writeKeyHash, hashWriteKey(writeKey))
      assert.ok(writeKey.startsWith(writeKeyHint) && writeKeyHint.length === 7)
    }
  })
})
