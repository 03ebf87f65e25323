// What each control event says in the audit log: whose log it is in, who acted, and what it was before and after, to the letter.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { FoldedControl } from '../../../src/commands/controlState.ts'
import { accountCreated } from '../../../src/events/accountCreated.ts'
import { accountUpdated } from '../../../src/events/accountUpdated.ts'
import { apiKeyAdopted } from '../../../src/events/apiKeyAdopted.ts'
import { apiKeyIssued } from '../../../src/events/apiKeyIssued.ts'
import { apiKeyRevoked } from '../../../src/events/apiKeyRevoked.ts'
import { apiKeyRotated } from '../../../src/events/apiKeyRotated.ts'
import { appDeleted } from '../../../src/events/appDeleted.ts'
import { appGranted } from '../../../src/events/appGranted.ts'
import { appGrantEnded } from '../../../src/events/appGrantEnded.ts'
import { appRegistered } from '../../../src/events/appRegistered.ts'
import { appTransferred } from '../../../src/events/appTransferred.ts'
import { appUpdated } from '../../../src/events/appUpdated.ts'
import { CATALOGUE } from '../../../src/events/catalogue.ts'
import { invitationAccepted } from '../../../src/events/invitationAccepted.ts'
import { invitationRevoked } from '../../../src/events/invitationRevoked.ts'
import { memberInvited } from '../../../src/events/memberInvited.ts'
import { memberJoined } from '../../../src/events/memberJoined.ts'
import { memberRemoved } from '../../../src/events/memberRemoved.ts'
import { memberRoleChanged } from '../../../src/events/memberRoleChanged.ts'
import { organisationCreated } from '../../../src/events/organisationCreated.ts'
import { FIRST_ORGANISATION } from '../../../src/events/organisations.ts'
import { organisationUpdated } from '../../../src/events/organisationUpdated.ts'
import { projectionOperated } from '../../../src/events/projectionOperated.ts'
import { DEFAULT_SETTINGS } from '../../../src/events/schemas.ts'
import { signedIn } from '../../../src/events/signedIn.ts'
import { signedOut } from '../../../src/events/signedOut.ts'
import { signedOutEverywhere } from '../../../src/events/signedOutEverywhere.ts'
import { LIMITS } from '../../../src/limits.ts'
import { ACTION_LABELS } from '../../../src/queries/auditSchemas.ts'
import { AT, by, type Entry, entriesOf, type Given, id, logOf, said, type Said } from './auditing.ts'

const [OWNER, BOB, EVE] = [id('owner'), id('bob'), id('eve')]
const [BAKERY, BREWERY] = [id('bakery'), id('brewery')]
const [SITE, KEY, OTHER_KEY, INVITATION, SESSION] = [id('site'), id('key'), id('other key'), id('invitation'), id('session')]
const HASH = 'ab'.repeat(32)

const person = (accountId: string, name: string): Said => said(accountCreated, { accountId, googleId: `google of ${name}`, email: `${name}@bakery.example`, name })
const joined = (accountId: string, organisationId = BAKERY): Said => said(memberJoined, { organisationId, accountId, role: 'admin', through: 'invitation' })
const issued = (keyId: string, more: object = {}): Said =>
  said(apiKeyIssued, { keyId, appId: SITE, issuedBy: BOB, name: `Key ${keyId.slice(0, 4)}`, scopes: ['collect'], writeKeyHash: HASH, writeKeyHint: 'rk_abcd', ...more })

/** Bob is an admin of the bakery, which has a site; Eve belongs to the brewery. */
const WORLD: readonly Given[] = [
  by(OWNER, said(organisationCreated, { organisationId: BAKERY, name: 'Bakery' }), said(organisationCreated, { organisationId: BREWERY, name: 'Brewery' })),
  by(undefined, person(BOB, 'bob'), joined(BOB)),
  by(undefined, person(EVE, 'eve'), joined(EVE, BREWERY)),
  by(BOB, said(appRegistered, { appId: SITE, ownerId: BOB, organisationId: BAKERY, name: 'Site', settings: DEFAULT_SETTINGS })),
]

/** The entries of the last command, after what came before. */
async function told(...commands: Given[]): Promise<Entry[]> {
  const events = logOf([...WORLD, ...commands])
  const since = events.length - commands.at(-1)!.events.length
  return (await entriesOf(events)).filter(({ position }) => position > since)
}

const sides = ({ before, after }: Entry): unknown[] => [before, after]

async function changed(...commands: Given[]): Promise<unknown[]> {
  const entries = await told(...commands)
  assert.equal(entries.length, 1, JSON.stringify(entries))
  return sides(entries[0]!)
}

describe('the audit log', () => {
  describe('has every type of event that the control partition takes', () => {
    const ORGANISATION = '0c8f4b2e-61d7-5a3c-9e15-7b2d4f6a8c10'
    for (const type of CATALOGUE.values()) {
      const data = JSON.parse(readFileSync(new URL(`../../fixtures/events/${type.type}.v${type.schemaVersion}.json`, import.meta.url), 'utf8')) as Record<string, string>
      const [event] = logOf([by(OWNER, { type: type.type, data })])
      let isControl = true
      try {
        new FoldedControl(() => 1).apply(event!)
      } catch (error) {
        assert.match(String(error), /does not fold/)
        isControl = false
      }
      if (!isControl) continue
      it(type.type, async () => {
        const { accountId = BOB, appId = SITE, organisationId = ORGANISATION, from = organisationId } = data
        const known: Said[] = [
          ...(type === accountCreated ? [] : [person(accountId, 'known')]),
          ...(type === memberJoined ? [] : [joined(accountId, organisationId)]),
          ...(type === appRegistered ? [] : [said(appRegistered, { appId, ownerId: accountId, organisationId: from, name: 'Known', settings: DEFAULT_SETTINGS })]),
        ]
        const events = logOf([by(OWNER, ...known, { type: type.type, data })])
        const entries = (await entriesOf(events)).filter(({ position }) => position === events.length)
        assert.ok(entries.length > 0, `${type.type} leaves no entry`)
        for (const entry of entries) assert.deepEqual([entry.action, entry.actor, entry.erased], [type.type, OWNER, false])
        assert.ok(ACTION_LABELS[type.type] !== undefined, `${type.type} has no label`)
        assert.doesNotMatch(JSON.stringify(entries), /[0-9a-f]{64}|google of/)
      })
    }
  })

  it('names position, actor, subject and app, and gives each command one actor', async () => {
    const [entry, ...rest] = await told(by(BOB, issued(KEY, { name: 'Website' })))
    assert.deepEqual(rest, [])
    const after = { issuedBy: BOB, name: 'Website', scopes: ['collect'], writeKey: 'rk_abcd…' }
    const subject = { subject: `key ${KEY}`, name: 'Website', appId: SITE }
    assert.deepEqual(entry, { organisation: BAKERY, position: 8, actor: BOB, action: 'ApiKeyIssued', ...subject, before: null, after, erased: false })
  })

  it('tells of accounts what changed of them, and which Google account never', async () => {
    const changes: [Said, unknown, unknown][] = [
      [said(accountUpdated, { accountId: BOB, email: 'robert@bakery.example' }), { email: 'bob@bakery.example' }, { email: 'robert@bakery.example' }],
      [said(accountUpdated, { accountId: BOB, googleId: 'another', email: 'bob@bakery.example' }), null, null],
      [said(signedIn, { accountId: BOB, method: 'google', sessionId: SESSION }), null, { method: 'google', sessionId: SESSION }],
      [said(signedOut, { accountId: BOB, sessionId: SESSION, reason: 'replayed' }), null, { sessionId: SESSION, reason: 'replayed' }],
      [said(signedOutEverywhere, { accountId: BOB }), { generation: 0 }, { generation: 1 }],
    ]
    for (const [event, before, after] of changes) assert.deepEqual(await changed(by(BOB, event)), [before, after], event.type)
    const owner = by(undefined, said(accountCreated, { accountId: OWNER, role: 'owner' }))
    assert.deepEqual(await changed(owner), [null, { google: false, role: 'owner' }])
    assert.deepEqual(await changed(owner, by(undefined, said(accountUpdated, { accountId: OWNER, googleId: 'secret', email: 'o@x.example' }))), [
      { email: null, google: false },
      { email: 'o@x.example', google: true },
    ])
  })

  it('tells of organisations and members what changed of them', async () => {
    const domain = [{ domain: 'bakery.example', role: 'viewer' }] as const
    const renamed = by(BOB, said(organisationUpdated, { organisationId: BAKERY, name: 'Bäckerei', allowedDomains: [...domain] }))
    assert.deepEqual(await changed(renamed), [{ allowedDomains: [], name: 'Bakery' }, { allowedDomains: domain, name: 'Bäckerei' }])
    const first = said(organisationUpdated, { organisationId: FIRST_ORGANISATION, name: 'Ours' })
    assert.deepEqual(await changed(by(OWNER, first)), [{ name: 'My organisation' }, { name: 'Ours' }])
    assert.deepEqual(await changed(by(BOB, said(memberRoleChanged, { organisationId: BAKERY, accountId: BOB, role: 'viewer' }))), [{ role: 'admin' }, { role: 'viewer' }])
    const granted = by(OWNER, said(appGranted, { appId: SITE, accountId: BOB, role: 'analyst' }))
    assert.deepEqual(await changed(granted, by(OWNER, said(memberRemoved, { organisationId: BAKERY, accountId: BOB }))), [
      { grants: [{ appId: SITE, role: 'analyst' }], role: 'admin' },
      null,
    ])
  })

  it('tells of invitations what they give and how they ended, and nothing to use them by', async () => {
    const grants = [{ appId: SITE, role: 'viewer' }] as const
    const invited = by(BOB, said(memberInvited, { invitationId: INVITATION, organisationId: BAKERY, role: 'guest', apps: [...grants], email: 'new@x.example', tokenHash: HASH, expiresAt: AT }))
    assert.deepEqual(await changed(invited), [null, { apps: grants, email: 'new@x.example', expiresAt: '2026-11-22T09:00:00.000Z', role: 'guest' }])
    assert.deepEqual(await changed(invited, by(BOB, said(invitationRevoked, { invitationId: INVITATION, organisationId: BAKERY }))), [{ state: 'open' }, { state: 'revoked' }])
    const accepted = said(invitationAccepted, { invitationId: INVITATION, organisationId: BAKERY, accountId: EVE })
    assert.deepEqual(await changed(invited, by(undefined, accepted)), [{ state: 'open' }, { accountId: EVE, state: 'accepted' }])
  })

  it('tells of apps and grants what changed of them', async () => {
    const updated = by(BOB, said(appUpdated, { appId: SITE, url: 'https://x.example', settings: { ip: 'none', timezone: 'UTC' } }))
    assert.deepEqual(await changed(updated), [{ ip: 'truncate', url: null }, { ip: 'none', url: 'https://x.example' }])
    const granted = by(OWNER, said(appGranted, { appId: SITE, accountId: BOB, role: 'viewer' }))
    assert.deepEqual(await changed(granted), [null, { role: 'viewer' }])
    assert.deepEqual(await changed(granted, by(OWNER, said(appGranted, { appId: SITE, accountId: BOB, role: 'admin' }))), [{ role: 'viewer' }, { role: 'admin' }])
    assert.deepEqual(await changed(granted, by(OWNER, said(appGrantEnded, { appId: SITE, accountId: BOB }))), [{ role: 'viewer' }, null])
  })

  it('tells of keys what changed of them, but of a key that was dead before nothing', async () => {
    const key = by(BOB, issued(KEY))
    const endsAt = AT + 3_600_000
    const rotated = by(BOB, issued(OTHER_KEY, { replaces: KEY }), said(apiKeyRotated, { keyId: KEY, appId: SITE, replacedBy: OTHER_KEY, endsAt }))
    const [, rotation] = await told(key, rotated)
    assert.deepEqual(sides(rotation!), [{ expiresAt: null, replacedBy: null }, { expiresAt: '2026-11-22T10:00:00.000Z', replacedBy: OTHER_KEY }])
    const revoked = by(BOB, said(apiKeyRevoked, { keyId: KEY, appId: SITE }))
    assert.deepEqual(await changed(key, revoked), [{ revoked: false }, { revoked: true }])
    assert.deepEqual(await changed(key, revoked, revoked), [null, null])
    assert.deepEqual(await changed(key, by(OWNER, said(apiKeyAdopted, { keyId: KEY, appId: SITE, issuedBy: OWNER }))), [{ issuedBy: BOB }, { issuedBy: OWNER }])
  })

  it('says with the end of an app which keys and grants ended with it: those that still worked', async () => {
    const names = ['dead', 'expired', 'other', 'working'].map(id)
    const keys = by(BOB, ...names.map((keyId) => issued(keyId, { name: keyId, ...(keyId === id('expired') ? { expiresAt: AT } : {}) })))
    const revoked = by(BOB, said(apiKeyRevoked, { keyId: id('dead'), appId: SITE }), said(appGranted, { appId: SITE, accountId: BOB, role: 'viewer' }))
    const deleted = by(OWNER, said(appDeleted, { appId: SITE }))
    const [before, after] = (await changed(keys, revoked, deleted)) as [Record<string, unknown>, unknown]
    const live = [id('other'), id('working')].sort().map((keyId) => ({ keyId, name: keyId }))
    assert.deepEqual(before, { grants: [{ accountId: BOB, role: 'viewer' }], ip: 'truncate', keepQuery: [], keys: live, name: 'Site', timezone: 'UTC' })
    assert.equal(after, null)
    const many = by(BOB, ...Array.from({ length: LIMITS.auditListItems + 7 }, (_, index) => issued(id(`key ${index}`))))
    const [bounded] = (await changed(many, deleted)) as [{ keys: unknown[]; keysMore: number }]
    assert.deepEqual([bounded.keys.length, bounded.keysMore], [LIMITS.auditListItems, 7])
  })

  it('has a transfer in both organisations, what came before in the old one and what comes after in the new one', async () => {
    const granted = by(OWNER, said(appGranted, { appId: SITE, accountId: BOB, role: 'viewer' }), issued(KEY))
    const transferred = by(OWNER, said(appTransferred, { appId: SITE, from: BAKERY, organisationId: BREWERY }))
    const entries = await told(granted, transferred)
    assert.deepEqual(entries.map(({ organisation, before, after }) => ({ organisation, before, after })), [
      { organisation: BAKERY, before: { grants: [{ accountId: BOB, role: 'viewer' }], organisationId: BAKERY }, after: { organisationId: BREWERY } },
      { organisation: BREWERY, before: { organisationId: BAKERY }, after: { organisationId: BREWERY } },
    ])
    const [after] = await told(granted, transferred, by(EVE, said(appGranted, { appId: SITE, accountId: BOB, role: 'viewer' })))
    assert.deepEqual([after!.organisation, after!.before], [BREWERY, null])
    const [late] = await told(granted, transferred, by(EVE, said(apiKeyRevoked, { keyId: KEY, appId: SITE })))
    assert.deepEqual([late!.organisation, ...sides(late!)], [BREWERY, { revoked: false }, { revoked: true }])
  })

  it("has an account's events where it belongs at that moment, and where the same command lets it join", async () => {
    const where = async (...commands: Given[]): Promise<string[]> => (await told(...commands)).map(({ organisation, action }) => `${action} ${organisation === BAKERY ? 'bakery' : 'brewery'}`)
    const session = by(undefined, said(signedIn, { accountId: EVE, method: 'google', sessionId: SESSION }))
    assert.deepEqual(await where(session), ['SignedIn brewery'])
    const newcomer = id('newcomer')
    const arrival = by(undefined, person(newcomer, 'newcomer'), joined(newcomer), said(signedIn, { accountId: newcomer, method: 'google', sessionId: SESSION }))
    assert.deepEqual(await where(arrival), ['AccountCreated bakery', 'MemberJoined bakery', 'SignedIn bakery'])
    const second = by(EVE, joined(EVE))
    assert.deepEqual((await where(second, session)).sort(), ['SignedIn bakery', 'SignedIn brewery'])
    const left = by(OWNER, said(memberRemoved, { organisationId: BREWERY, accountId: EVE }))
    assert.deepEqual(await where(second, left, session), ['SignedIn bakery'])
    assert.deepEqual(await where(left, session), [])
  })

  it('takes who signs in for the actor where the command names nobody, but not whoever showed an old token', async () => {
    const actorOf = async (event: Said): Promise<string | null> => (await told(by(undefined, event)))[0]!.actor
    assert.equal(await actorOf(said(signedIn, { accountId: BOB, method: 'google', sessionId: SESSION })), BOB)
    assert.equal(await actorOf(said(signedIn, { accountId: BOB, method: 'local' })), null)
    assert.equal(await actorOf(said(signedOut, { accountId: BOB, sessionId: SESSION, reason: 'replayed' })), null)
  })

  it("keeps another organisation's app out of the log of those who run the installation, and has it in its own", async () => {
    const entries = await told(by(OWNER, said(projectionOperated, { projection: 'web', action: 'rebuild', appId: SITE })))
    assert.deepEqual(entries.map(({ organisation, appId, subject, after }) => ({ organisation, appId, subject, after })), [
      { organisation: FIRST_ORGANISATION, appId: null, subject: 'projection web', after: { action: 'rebuild' } },
      { organisation: BAKERY, appId: SITE, subject: 'projection web', after: { action: 'rebuild' } },
    ])
  })

  it('shows that there was an event whose content was erased, where that can be told, and goes on after it', async () => {
    const gone = (stream: string): Said => ({ type: 'AppUpdated', data: null, stream, appId: SITE })
    const erased = by(BOB, ...[`account:${BOB}`, `organisation:${BAKERY}`, `app:${SITE}`, `key:${KEY}`].map(gone))
    const events = logOf([...WORLD, erased, by(BOB, said(appUpdated, { appId: SITE, name: 'New' }))])
    const entries = (await entriesOf(events)).filter(({ position }) => position > 7)
    const shown = entries.map(({ organisation, subject, erased: without, before }) => [organisation, subject, without, before])
    assert.deepEqual(shown, [
      [BAKERY, `account ${BOB}`, true, null],
      [BAKERY, `organisation ${BAKERY}`, true, null],
      [BAKERY, `app ${SITE}`, true, null],
      [BAKERY, `key ${KEY}`, true, null],
      [BAKERY, `app ${SITE}`, false, { name: 'Site' }],
    ])
    const unknown = logOf([by(OWNER, { type: 'AppRegistered', data: null, stream: `app:${SITE}` }), by(OWNER, said(appUpdated, { appId: SITE, name: 'New' }), issued(KEY), said(appDeleted, { appId: SITE }))])
    assert.deepEqual(await entriesOf(unknown), [])
  })
})
