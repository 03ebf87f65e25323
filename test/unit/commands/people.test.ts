import assert from 'node:assert/strict'
import { accountUpdated } from '../../../src/events/accountUpdated.ts'
import { appDeleted } from '../../../src/events/appDeleted.ts'
import { appGrantEnded } from '../../../src/events/appGrantEnded.ts'
import { appTransferred } from '../../../src/events/appTransferred.ts'
import { organisationUpdated } from '../../../src/events/organisationUpdated.ts'
import { signedOut } from '../../../src/events/signedOut.ts'
import { signedOutEverywhere } from '../../../src/events/signedOutEverywhere.ts'
import { LIMITS } from '../../../src/limits.ts'
import { ALICE, APP, app, BAKERY, fact, folded, id, joined, MALLORY, NOW, OTHER, person } from './given.ts'
import {
  accepted, ADMIN, ANALYST, CROWD, FIRST, granted, GUEST, HASH, INVITATION, invited, invitedBy, NOBODY, ofOrganisation, removed, roleChanged, takenBack, VIEWER,
} from './givenPeople.ts'

const THEN = NOW - 1_000

describe('the fold of people', () => {
  it('has the first organisation from the beginning, and whoever was the first owner owns it', () => {
    const empty = folded([])
    assert.deepEqual([...empty.organisations()], [{ organisationId: FIRST, name: 'My organisation', allowedDomains: [] }])
    assert.deepEqual([...empty.membersOf(FIRST)], [])
    assert.deepEqual([...folded(BAKERY).membersOf(FIRST)], [{ organisationId: FIRST, accountId: ALICE, role: 'owner', joinedAt: THEN }])
    assert.deepEqual([...folded([person(NOBODY)]).membershipsOf(NOBODY)], [], 'an account alone belongs nowhere')
  })

  it('knows accounts, and by Google\'s id what Google last said', () => {
    const update = (data: object) => fact(accountUpdated, `account:${ALICE}`, { accountId: ALICE, ...data })
    const state = folded([...BAKERY, update({ googleId: 'g', email: 'a@b.example' }), update({ email: 'ann@b.example', name: 'Ann' }), fact(accountUpdated, 'x', { accountId: id('none'), name: 'X' })])
    assert.deepEqual(state.accountByGoogleId('g'), { accountId: ALICE, googleId: 'g', email: 'ann@b.example', name: 'Ann', generation: 0, createdAt: THEN })
    assert.equal(state.accountByGoogleId(`google ${MALLORY}`)?.accountId, MALLORY)
    assert.equal(state.accountByGoogleId('nobody'), undefined)
    assert.equal(state.account(id('none')), undefined)
  })

  it('knows members from both sides, in several organisations', () => {
    const state = folded([...CROWD, joined(ANALYST, 'owner', OTHER), roleChanged(ANALYST, 'viewer'), removed(VIEWER), roleChanged(NOBODY, 'owner')])
    assert.deepEqual([...state.membershipsOf(ANALYST)].map(({ organisationId, role }) => [organisationId, role]), [[FIRST, 'viewer'], [OTHER, 'owner']])
    assert.deepEqual([...state.membersOf(FIRST)].map(({ accountId }) => accountId), [ALICE, ADMIN, ANALYST, GUEST])
    assert.equal(state.member(FIRST, ANALYST)?.role, 'viewer')
    assert.equal(state.member(OTHER, ANALYST)?.role, 'owner')
    assert.equal(state.member(FIRST, VIEWER), undefined)
    assert.deepEqual([...state.membershipsOf(VIEWER)], [])
    assert.equal(state.member(FIRST, NOBODY), undefined, 'a change of role makes no member')
    assert.equal(folded([...CROWD, ofOrganisation(organisationUpdated, { organisationId: OTHER, name: 'Beer' })]).organisation(OTHER)?.name, 'Beer')
  })

  it('grants end with the member, the app, and a transfer; only in the organisation that was left', () => {
    const theirs = app(MALLORY, {}, id('theirs'))
    const facts = [
      ...[...CROWD, { ...theirs, data: { ...(theirs.data as object), organisationId: OTHER } }, joined(GUEST, 'guest', OTHER)],
      ...[granted(GUEST, 'viewer'), granted(GUEST, 'admin', id('theirs')), granted(VIEWER, 'analyst')],
    ]
    const grants = (...more: typeof facts) => {
      const state = folded([...facts, ...more])
      return [state.grant(APP, GUEST), state.grant(APP, VIEWER), state.grant(id('theirs'), GUEST), state.grantsOf(APP).size]
    }
    assert.deepEqual(grants(), ['viewer', 'analyst', 'admin', 2])
    assert.deepEqual(grants(granted(GUEST, 'admin')), ['admin', 'analyst', 'admin', 2])
    assert.deepEqual(grants(removed(GUEST)), [undefined, 'analyst', 'admin', 1])
    assert.deepEqual(grants(removed(GUEST, OTHER)), ['viewer', 'analyst', undefined, 2])
    assert.deepEqual(grants(fact(appGrantEnded, `app:${APP}`, { appId: APP, accountId: GUEST })), [undefined, 'analyst', 'admin', 1])
    assert.deepEqual(grants(fact(appDeleted, `app:${APP}`, { appId: APP })), [undefined, undefined, 'admin', 0])
    assert.deepEqual(grants(fact(appTransferred, `app:${APP}`, { appId: APP, from: FIRST, organisationId: OTHER })), [undefined, undefined, 'admin', 0])
    assert.equal(folded([...facts, fact(appTransferred, `app:${APP}`, { appId: APP, from: FIRST, organisationId: OTHER })]).app(APP)?.organisationId, OTHER)
  })

  it('knows invitations: whose, by whom, and what became of them', () => {
    const apps = [{ appId: APP, role: 'viewer' as const }]
    const open = folded([...CROWD, invitedBy(ADMIN, { apps, email: 'bob@bakery.example' })])
    const expected = {
      ...{ invitationId: INVITATION, organisationId: FIRST, role: 'analyst', apps, email: 'bob@bakery.example', tokenHash: HASH },
      ...{ expiresAt: NOW + 1, invitedBy: ADMIN, createdAt: THEN, state: 'open' },
    }
    assert.deepEqual(open.invitation(INVITATION), expected)
    assert.deepEqual(open.invitationByHash(HASH), expected)
    assert.deepEqual([...open.invitationsOf(FIRST)], [expected])
    assert.deepEqual([...open.invitationsOf(OTHER)], [])
    assert.equal(open.invitationByHash('00'.repeat(32)), undefined)
    assert.equal(folded([...CROWD, invited(), accepted(VIEWER)]).invitationByHash(HASH)?.state, 'accepted')
    assert.equal(folded([...CROWD, invited(), takenBack()]).invitation(INVITATION)?.state, 'revoked')
    assert.equal(folded([...CROWD, takenBack()]).invitation(INVITATION), undefined)
  })

  it('remembers which sessions were ended for as long as one may last', () => {
    const out = (name: string) => fact(signedOut, `account:${ALICE}`, { accountId: ALICE, sessionId: id(name), reason: 'asked' })
    const state = folded([...BAKERY, out('first')])
    assert.equal(state.sessionEnded(id('first')), true)
    assert.equal(state.sessionEnded(id('second')), false)
    const later = (ms: number) => {
      const after = folded([...BAKERY, out('first')])
      const { type, stream, data } = out('second')
      const place = { partition: 0, position: BAKERY.length + 2, stream, streamVersion: 3, occurredAt: THEN + ms, recordedAt: THEN + ms }
      after.apply({ eventId: id('later'), appId: id('x'), type: type.type, schemaVersion: 1, data, meta: null, ...place })
      return [after.sessionEnded(id('first')), after.sessionEnded(id('second'))]
    }
    assert.deepEqual(later(LIMITS.sessionMs - 1), [true, true])
    assert.deepEqual(later(LIMITS.sessionMs), [false, true])
  })

  it('counts how often an account was signed out everywhere', () => {
    const everywhere = fact(signedOutEverywhere, `account:${ALICE}`, { accountId: ALICE })
    const state = folded([...BAKERY, everywhere, everywhere, fact(signedOutEverywhere, 'x', { accountId: id('none') })])
    assert.equal(state.account(ALICE)?.generation, 2)
    assert.equal(state.account(MALLORY)?.generation, 0)
  })
})
