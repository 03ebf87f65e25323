import assert from 'node:assert/strict'
import { acceptInvitation, acceptInvitationBody } from '../../../src/commands/acceptInvitation.ts'
import { createInvitationToken, hashInvitationToken } from '../../../src/commands/invitationToken.ts'
import { inviteMember, type InviteMember, inviteMemberBody } from '../../../src/commands/inviteMember.ts'
import { revokeInvitation } from '../../../src/commands/revokeInvitation.ts'
import { appDeleted } from '../../../src/events/appDeleted.ts'
import { appTransferred } from '../../../src/events/appTransferred.ts'
import { invitationAccepted } from '../../../src/events/invitationAccepted.ts'
import { memberJoined } from '../../../src/events/memberJoined.ts'
import type { MemberRole } from '../../../src/events/organisations.ts'
import { uuidv5 } from '../../../src/kernel/ids.ts'
import { compile } from '../../../src/kernel/validation.ts'
import { LIMITS } from '../../../src/limits.ts'
import { ALICE, APP, app, COMMAND, fact, folded, given, id, joined, MALLORY, NOW, OTHER } from './given.ts'
import { accepted, ADMIN, ANALYST, BY_ROLE, CROWD, FIRST, granted, HASH, INVITATION, invited, NOBODY, ofOrganisation, takenBack } from './givenPeople.ts'

const DAY_MS = 86_400_000
const invitationId = uuidv5(COMMAND, 'invitation')

describe('InviteMember', () => {
  const input: InviteMember = { organisationId: FIRST, role: 'analyst', tokenHash: HASH }
  const expiresAt = NOW + 7 * DAY_MS

  it('makes a link for whoever holds it, good for a week unless told otherwise', () => {
    given(...CROWD).when(inviteMember, input).then([invited({ invitationId, expiresAt })], { invitationId, expiresAt })
  })

  it('makes one for an address, with apps and an end of its own', () => {
    const apps = [{ appId: APP, role: 'admin' as const }]
    given(...CROWD)
      .when(inviteMember, { ...input, role: 'guest', email: 'Bob@Bakery.example', apps, expiresInDays: 30 })
      .then([invited({ invitationId, role: 'guest', email: 'Bob@Bakery.example', apps, expiresAt: NOW + 30 * DAY_MS })])
  })

  const ranks: MemberRole[] = ['guest', 'viewer', 'analyst', 'admin', 'owner']
  for (const actor of ranks) {
    for (const role of ranks) {
      const may = (actor === 'admin' || actor === 'owner') && ranks.indexOf(role) <= ranks.indexOf(actor)
      it(`${may ? 'lets' : 'does not let'} ${actor} invite ${role}`, () => {
        const when = given(...CROWD).when(inviteMember, { ...input, role }, { actor: BY_ROLE[actor] })
        if (may) when.then([invited({ invitationId, role, expiresAt })])
        else when.refused('forbidden')
      })
    }
  }

  it('gives only apps that the organisation has, each once', () => {
    const others = app(MALLORY, {}, id('theirs'))
    const facts = [...CROWD, { ...others, data: { ...(others.data as object), organisationId: OTHER } }, app(ALICE, {}, id('gone')), fact(appDeleted, `app:${id('gone')}`, { appId: id('gone') })]
    const apps = ['theirs', 'none', 'gone'].map((name) => ({ appId: id(name), role: 'viewer' as const }))
    given(...facts).when(inviteMember, { ...input, apps }).refused('invalid_body', '/apps/0/appId', '/apps/1/appId', '/apps/2/appId')
    given(...facts).when(inviteMember, { ...input, apps: [{ appId: APP, role: 'viewer' }, { appId: APP, role: 'admin' }] }).refused('invalid_body', '/apps/1/appId')
  })

  it('is not there for those outside', () => {
    given(...CROWD).when(inviteMember, input, { actor: MALLORY }).refused('not_found')
    given(...CROWD).when(inviteMember, { ...input, organisationId: id('none') }).refused('not_found')
    given(...CROWD).when(inviteMember, input, { actor: NOBODY }).refused('unauthenticated')
  })

  it('stops at as many open links as there may be; those that ended do not count', () => {
    const links = Array.from({ length: LIMITS.invitationsPerOrganisation }, (_, index) => {
      return invited({ invitationId: id(`i ${index}`), tokenHash: index.toString(16).padStart(64, '0') })
    })
    given(...CROWD, ...links).when(inviteMember, input).refused('limit_reached')
    given(...CROWD, ...links, takenBack(id('i 3'))).when(inviteMember, input).then([invited({ invitationId, expiresAt })])
    given(...CROWD, ...links.slice(1), invited({ expiresAt: NOW })).when(inviteMember, input).then([invited({ invitationId, expiresAt })])
  })

  it('its schema bounds what may be asked', () => {
    const check = compile(inviteMemberBody)
    assert.deepEqual(check({ role: 'viewer', expiresInDays: 30, email: 'a@b.example' }), [])
    assert.equal(check({ role: 'viewer', expiresInDays: 31 })[0]?.path, '/expiresInDays')
    assert.equal(check({ role: 'viewer', expiresInDays: 0 })[0]?.path, '/expiresInDays')
    assert.equal(check({ role: 'king' })[0]?.path, '/role')
    assert.equal(check({ role: 'viewer', email: 'bob' })[0]?.path, '/email')
    assert.equal(check({ role: 'viewer', apps: [{ appId: APP, role: 'owner' }] })[0]?.path, '/apps/0/role')
    assert.equal(check({ role: 'viewer', tokenHash: HASH })[0]?.path, '/tokenHash')
  })
})

describe('RevokeInvitation', () => {
  const input = { organisationId: FIRST, invitationId: INVITATION }

  it('takes the link back, also one that has run out', () => {
    given(...CROWD, invited()).when(revokeInvitation, input).then([takenBack()], { invitationId: INVITATION })
    given(...CROWD, invited({ expiresAt: NOW - 1 })).when(revokeInvitation, input, { actor: ADMIN }).then([takenBack()])
  })

  it('answers the same when it is taken back already, without an event', () => {
    given(...CROWD, invited(), takenBack()).when(revokeInvitation, input).then([], { invitationId: INVITATION })
  })

  it('says that a used one is used', () => {
    given(...CROWD, invited(), accepted(ANALYST)).when(revokeInvitation, input).refused('invitation_ended')
  })

  it('is for admins, for owners where an owner was invited, and for the organisation\'s own', () => {
    given(...CROWD, invited()).when(revokeInvitation, input, { actor: ANALYST }).refused('forbidden')
    given(...CROWD, invited({ role: 'owner' })).when(revokeInvitation, input, { actor: ADMIN }).refused('forbidden')
    given(...CROWD, invited()).when(revokeInvitation, input, { actor: MALLORY }).refused('not_found')
    given(...CROWD, invited()).when(revokeInvitation, { ...input, organisationId: OTHER }, { actor: MALLORY }).refused('not_found')
    given(...CROWD).when(revokeInvitation, input).refused('not_found')
  })
})

describe('AcceptInvitation', () => {
  const by = { actor: MALLORY }
  const joins = (role: MemberRole = 'analyst') => [
    ofOrganisation(memberJoined, { organisationId: FIRST, accountId: MALLORY, role, through: 'invitation' }),
    ofOrganisation(invitationAccepted, { invitationId: INVITATION, organisationId: FIRST, accountId: MALLORY }),
  ]

  it('joins one more organisation', () => {
    given(...CROWD, invited()).when(acceptInvitation, { tokenHash: HASH }, by).then(joins(), { organisationId: FIRST, role: 'analyst' })
  })

  it('grants the apps that come with it, as far as the organisation still has them', () => {
    const [moved, gone, ours] = ['moved', 'gone', 'ours'].map(id) as [string, string, string]
    const apps = [moved, gone, APP, ours].map((appId) => ({ appId, role: 'viewer' as const }))
    given(
      ...CROWD, app(ALICE, {}, moved), app(ALICE, {}, gone), app(ALICE, {}, ours), invited({ role: 'guest', apps }),
      fact(appTransferred, `app:${moved}`, { appId: moved, from: FIRST, organisationId: OTHER }), fact(appDeleted, `app:${gone}`, { appId: gone }),
    ).when(acceptInvitation, { tokenHash: HASH }, by).then([...joins('guest'), granted(MALLORY, 'viewer'), granted(MALLORY, 'viewer', ours)])
  })

  it('is for the address that it names, however that is written', () => {
    given(...CROWD, invited({ email: 'PERSON@bakery.Example' })).when(acceptInvitation, { tokenHash: HASH }, by).then(joins())
    given(...CROWD, invited({ email: 'bob@bakery.example' })).when(acceptInvitation, { tokenHash: HASH }, by).refused('invitation_for_another')
    given(...CROWD, invited({ email: 'a@b.example', organisationId: OTHER })).when(acceptInvitation, { tokenHash: HASH }, { actor: ALICE }).refused('invitation_for_another')
  })

  it('works once, until it runs out, unless it is taken back', () => {
    given(...CROWD, invited(), accepted(id('somebody'))).when(acceptInvitation, { tokenHash: HASH }, by).refused('invitation_ended')
    given(...CROWD, invited(), takenBack()).when(acceptInvitation, { tokenHash: HASH }, by).refused('invitation_ended')
    given(...CROWD, invited({ expiresAt: NOW })).when(acceptInvitation, { tokenHash: HASH }, by).refused('invitation_ended')
    given(...CROWD, invited()).when(acceptInvitation, { tokenHash: '00'.repeat(32) }, by).refused('invitation_ended')
  })

  it('says so where somebody belongs already, and stays good', () => {
    given(...CROWD, invited()).when(acceptInvitation, { tokenHash: HASH }, { actor: ANALYST }).refused('already_member')
    given(...CROWD, invited(), accepted(ANALYST)).when(acceptInvitation, { tokenHash: HASH }, { actor: ANALYST }).refused('already_member')
  })

  it('is for whoever is signed in', () => {
    given(...CROWD, invited()).when(acceptInvitation, { tokenHash: HASH }, { actor: undefined }).refused('unauthenticated')
    given(...CROWD, invited()).when(acceptInvitation, { tokenHash: HASH }, { actor: NOBODY }).refused('unauthenticated')
  })

  it('stops at as many members as there may be', () => {
    const crowd = Array.from({ length: LIMITS.membersPerOrganisation - 5 }, (_, index) => joined(id(`m ${index}`), 'guest'))
    given(...CROWD, ...crowd, invited()).when(acceptInvitation, { tokenHash: HASH }, by).refused('limit_reached')
    given(...CROWD, ...crowd.slice(1), invited()).when(acceptInvitation, { tokenHash: HASH }, by).then(joins())
  }).timeout(10_000)

  it('all stands in one stream, so that of two who race the later is refused', () => {
    const context = { commandId: COMMAND, now: NOW, actor: MALLORY }
    const { events } = acceptInvitation.decide(folded([...CROWD, invited()]), { tokenHash: HASH }, context)
    assert.deepEqual([...new Set(events.map(({ stream }) => stream))], [`organisation:${FIRST}`])
  })
})

describe('invitation tokens', () => {
  it('are ri_ and 32 letters and digits, each different, known by their hash', () => {
    const tokens = Array.from({ length: 50 }, createInvitationToken)
    assert.equal(new Set(tokens.map(({ token }) => token)).size, 50)
    for (const { token, tokenHash } of tokens) {
      assert.match(token, /^ri_[0-9A-Za-z]{32}$/)
      assert.match(tokenHash, /^[0-9a-f]{64}$/)
      assert.equal(tokenHash, hashInvitationToken(token))
      assert.deepEqual(compile(acceptInvitationBody)({ token }), [])
    }
    assert.equal(compile(acceptInvitationBody)({ token: 'ri_short' })[0]?.path, '/token')
  })
})
