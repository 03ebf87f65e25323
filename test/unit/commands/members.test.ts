import assert from 'node:assert/strict'
import { changeMemberRole } from '../../../src/commands/changeMemberRole.ts'
import { removeMember } from '../../../src/commands/removeMember.ts'
import { apiKeyAdopted } from '../../../src/events/apiKeyAdopted.ts'
import { apiKeyRevoked } from '../../../src/events/apiKeyRevoked.ts'
import { appDeleted } from '../../../src/events/appDeleted.ts'
import type { MemberRole } from '../../../src/events/organisations.ts'
import { LIMITS } from '../../../src/limits.ts'
import { ALICE, APP, app, COMMAND, fact, type Fact, folded, given, id, joined, key, MALLORY, NOW, OTHER, person } from './given.ts'
import { ADMIN, ANALYST, BY_ROLE, CROWD, FIRST, GUEST, INVITATION, invitedBy, NOBODY, removed, roleChanged, takenBack, VIEWER } from './givenPeople.ts'

const RANKS: readonly MemberRole[] = ['guest', 'viewer', 'analyst', 'admin', 'owner']
const above = (a: MemberRole, b: MemberRole): boolean => RANKS.indexOf(a) > RANKS.indexOf(b)
const TARGET = id('target')
const withTarget = (role: MemberRole): Fact[] => [...CROWD, person(TARGET), joined(TARGET, role)]
const adopted = (keyId: string, issuedBy: string, appId = APP): Fact => fact(apiKeyAdopted, `key:${keyId}`, { keyId, appId, issuedBy })

/** Keys of one person: three that work, and of each way not to work one. */
const keysOf = (issuedBy: string): Fact[] => {
  const more = (name: string, rest: object = {}): Fact => key({ keyId: id(name), issuedBy, scopes: ['query'], writeKeyHash: id(name).replaceAll('-', '').padEnd(64, '0'), ...rest })
  return [
    ...[more('one'), more('two', { expiresAt: NOW + 1 }), more('ended', { expiresAt: NOW }), more('revoked')],
    fact(apiKeyRevoked, `key:${id('revoked')}`, { keyId: id('revoked'), appId: APP }),
    ...[app(ALICE, {}, id('second app')), more('three', { appId: id('second app') })],
    ...[app(ALICE, {}, id('gone')), more('lost', { appId: id('gone') }), fact(appDeleted, `app:${id('gone')}`, { appId: id('gone') })],
    more('somebody else\'s', { issuedBy: ALICE }),
  ]
}

describe('ChangeMemberRole', () => {
  for (const actor of RANKS) {
    for (const from of RANKS) {
      for (const to of RANKS.filter((role) => role !== from)) {
        const may = (actor === 'admin' || actor === 'owner') && !above(from, actor) && !above(to, actor)
        it(`${may ? 'lets' : 'does not let'} ${actor} make ${from} ${to}`, () => {
          const when = given(...withTarget(from)).when(changeMemberRole, { organisationId: FIRST, accountId: TARGET, role: to }, { actor: BY_ROLE[actor] })
          if (may) when.then([roleChanged(TARGET, to)], { accountId: TARGET, role: to })
          else when.refused('forbidden')
        })
      }
    }
  }

  it('what somebody is already is no event', () => {
    given(...CROWD).when(changeMemberRole, { organisationId: FIRST, accountId: VIEWER, role: 'viewer' }).then([], { accountId: VIEWER, role: 'viewer' })
    given(...CROWD).when(changeMemberRole, { organisationId: FIRST, accountId: ALICE, role: 'owner' }).then([])
  })

  it('lets owners and admins step down, as long as an owner is left', () => {
    const stepDown = { organisationId: FIRST, accountId: ALICE, role: 'admin' as const }
    given(...CROWD).when(changeMemberRole, stepDown).refused('last_owner')
    given(...withTarget('owner')).when(changeMemberRole, stepDown).then([roleChanged(ALICE, 'admin')])
    given(...withTarget('owner'), removed(TARGET)).when(changeMemberRole, stepDown).refused('last_owner')
    given(...withTarget('owner'), roleChanged(TARGET, 'admin')).when(changeMemberRole, stepDown).refused('last_owner')
    given(...CROWD).when(changeMemberRole, { organisationId: FIRST, accountId: ADMIN, role: 'guest' }, { actor: ADMIN }).then([roleChanged(ADMIN, 'guest')])
  })

  it('takes over the keys that still work, of this person and in this organisation', () => {
    const theirs = key({ keyId: id('elsewhere'), issuedBy: ANALYST, appId: id('theirs'), scopes: ['query'] })
    const beer = app(MALLORY, {}, id('theirs'))
    const facts = [...CROWD, ...keysOf(ANALYST), { ...beer, data: { ...(beer.data as object), organisationId: OTHER } }, joined(ANALYST, 'analyst', OTHER), theirs]
    given(...facts)
      .when(changeMemberRole, { organisationId: FIRST, accountId: ANALYST, role: 'guest', adoptKeys: true }, { actor: ADMIN })
      .then([roleChanged(ANALYST, 'guest'), adopted(id('one'), ADMIN), adopted(id('two'), ADMIN), adopted(id('three'), ADMIN, id('second app'))])
    given(...facts).when(changeMemberRole, { organisationId: FIRST, accountId: ANALYST, role: 'guest', adoptKeys: false }).then([roleChanged(ANALYST, 'guest')])
  })

  it('does not bring back what an earlier change had ended', () => {
    given(...CROWD, ...keysOf(ANALYST), roleChanged(ANALYST, 'guest'))
      .when(changeMemberRole, { organisationId: FIRST, accountId: ANALYST, role: 'viewer', adoptKeys: true })
      .then([roleChanged(ANALYST, 'viewer')])
    // Nor of a key that can still do something what it cannot do any more.
    const once = key({ keyId: id('once'), issuedBy: ANALYST, scopes: ['query', 'people'] })
    const { type, stream, data } = adopted(id('once'), ALICE)
    given(...CROWD, once, roleChanged(ANALYST, 'viewer'))
      .when(removeMember, { organisationId: FIRST, accountId: ANALYST, adoptKeys: true })
      .then([removed(ANALYST), fact(type, stream, { ...(data as object), scopes: ['query'] })])
  })

  it('nobody takes over their own keys', () => {
    given(...CROWD).when(changeMemberRole, { organisationId: FIRST, accountId: ADMIN, role: 'viewer', adoptKeys: true }, { actor: ADMIN }).refused('invalid_body', '/adoptKeys')
  })

  it('takes over no more keys than one command may', () => {
    const many = Array.from({ length: LIMITS.keysAdopted + 1 }, (_, index) => key({ keyId: id(`k ${index}`), issuedBy: ANALYST, scopes: ['query'] }))
    const input = { organisationId: FIRST, accountId: ANALYST, role: 'guest' as const, adoptKeys: true }
    given(...CROWD, ...many).when(changeMemberRole, input).refused('limit_reached')
    given(...CROWD, ...many.slice(1)).when(changeMemberRole, input).then([roleChanged(ANALYST, 'guest'), ...many.slice(1).map(({ data }) => adopted((data as { keyId: string }).keyId, ALICE))])
  })

  it('ends open links that they could not hand out any more', () => {
    const link = (role: MemberRole) => invitedBy(ADMIN, { role })
    const to = (role: MemberRole) => ({ organisationId: FIRST, accountId: ADMIN, role })
    given(...CROWD, link('guest')).when(changeMemberRole, to('analyst')).then([roleChanged(ADMIN, 'analyst'), takenBack()])
    given(...CROWD, link('admin')).when(changeMemberRole, to('owner')).then([roleChanged(ADMIN, 'owner')])
    given(...CROWD, link('admin'), takenBack()).when(changeMemberRole, to('analyst')).then([roleChanged(ADMIN, 'analyst')])
    given(...CROWD, invitedBy(ALICE)).when(changeMemberRole, to('analyst')).then([roleChanged(ADMIN, 'analyst')])
    const ownersLinks = [invitedBy(TARGET, { role: 'owner' }), invitedBy(TARGET, { invitationId: id('admin link'), role: 'admin' })]
    given(...withTarget('owner'), ...ownersLinks)
      .when(changeMemberRole, { organisationId: FIRST, accountId: TARGET, role: 'admin' })
      .then([roleChanged(TARGET, 'admin'), takenBack(INVITATION)])
  })

  it('knows members only, to members only', () => {
    const input = { organisationId: FIRST, accountId: VIEWER, role: 'guest' as const }
    given(...CROWD).when(changeMemberRole, { ...input, accountId: NOBODY }).refused('not_found')
    given(...CROWD).when(changeMemberRole, { ...input, accountId: MALLORY }).refused('not_found')
    given(...CROWD, removed(VIEWER)).when(changeMemberRole, input).refused('not_found')
    given(...CROWD).when(changeMemberRole, input, { actor: MALLORY }).refused('not_found')
    given(...CROWD).when(changeMemberRole, { ...input, accountId: NOBODY }, { actor: ANALYST }).refused('forbidden')
    given(...CROWD).when(changeMemberRole, input, { actor: undefined }).refused('unauthenticated')
  })
})

describe('RemoveMember', () => {
  for (const actor of RANKS) {
    for (const role of RANKS) {
      const may = (actor === 'admin' || actor === 'owner') && !above(role, actor)
      it(`${may ? 'lets' : 'does not let'} ${actor} remove ${role}`, () => {
        const when = given(...withTarget(role)).when(removeMember, { organisationId: FIRST, accountId: TARGET }, { actor: BY_ROLE[actor] })
        if (may) when.then([removed(TARGET)], { accountId: TARGET })
        else when.refused('forbidden')
      })
    }
  }

  it('lets anybody leave but the last owner', () => {
    for (const accountId of [GUEST, VIEWER, ANALYST, ADMIN]) {
      given(...CROWD).when(removeMember, { organisationId: FIRST, accountId }, { actor: accountId }).then([removed(accountId)])
    }
    given(...CROWD).when(removeMember, { organisationId: FIRST, accountId: ALICE }).refused('last_owner')
    given(...withTarget('owner')).when(removeMember, { organisationId: FIRST, accountId: ALICE }).then([removed(ALICE)])
    // That another organisation has owners does not help.
    given(...CROWD).when(removeMember, { organisationId: OTHER, accountId: MALLORY }, { actor: MALLORY }).refused('last_owner')
  })

  it('takes over the keys of whoever is removed, and of nobody who leaves', () => {
    given(...CROWD, ...keysOf(ANALYST))
      .when(removeMember, { organisationId: FIRST, accountId: ANALYST, adoptKeys: true })
      .then([removed(ANALYST), adopted(id('one'), ALICE), adopted(id('two'), ALICE), adopted(id('three'), ALICE, id('second app'))])
    given(...CROWD).when(removeMember, { organisationId: FIRST, accountId: ANALYST, adoptKeys: true }, { actor: ANALYST }).refused('invalid_body', '/adoptKeys')
  })

  it('ends the links that they had handed out: a copy kept back would let them in again', () => {
    given(...CROWD, invitedBy(ADMIN, { role: 'guest' }), invitedBy(ALICE, { invitationId: id('hers') }))
      .when(removeMember, { organisationId: FIRST, accountId: ADMIN })
      .then([removed(ADMIN), takenBack()])
  })

  it('knows members only, to members only', () => {
    given(...CROWD).when(removeMember, { organisationId: FIRST, accountId: NOBODY }).refused('not_found')
    given(...CROWD, removed(VIEWER)).when(removeMember, { organisationId: FIRST, accountId: VIEWER }).refused('not_found')
    given(...CROWD).when(removeMember, { organisationId: FIRST, accountId: VIEWER }, { actor: MALLORY }).refused('not_found')
    given(...CROWD).when(removeMember, { organisationId: FIRST, accountId: MALLORY }, { actor: MALLORY }).refused('not_found')
    given(...CROWD, removed(VIEWER)).when(removeMember, { organisationId: FIRST, accountId: VIEWER }, { actor: VIEWER }).refused('unauthenticated')
  })

  it('stands in the stream of its organisation, so that two owners who remove each other at once cannot both', () => {
    const context = { commandId: COMMAND, now: NOW, actor: ALICE }
    const { events } = removeMember.decide(folded(CROWD), { organisationId: FIRST, accountId: ADMIN }, context)
    assert.deepEqual(events.map(({ stream }) => stream), [`organisation:${FIRST}`])
  })
})
