import assert from 'node:assert/strict'
import { signInOwner, OWNER_ID } from '../../../src/commands/signInOwner.ts'
import { signInWithGoogle, type SignInWithGoogle } from '../../../src/commands/signInWithGoogle.ts'
import { accountCreated } from '../../../src/events/accountCreated.ts'
import { accountUpdated } from '../../../src/events/accountUpdated.ts'
import { appDeleted } from '../../../src/events/appDeleted.ts'
import { invitationAccepted } from '../../../src/events/invitationAccepted.ts'
import { memberJoined } from '../../../src/events/memberJoined.ts'
import { type AllowedDomain, FIRST_ORGANISATION, type MemberRole } from '../../../src/events/organisations.ts'
import { organisationUpdated } from '../../../src/events/organisationUpdated.ts'
import { signedIn } from '../../../src/events/signedIn.ts'
import { NIL_UUID, uuidv5 } from '../../../src/kernel/ids.ts'
import { LIMITS } from '../../../src/limits.ts'
import { account, ALICE, APP, app, COMMAND, fact, type Fact, folded, given, id, joined, MALLORY, NOW, OTHER, person } from './given.ts'
import { accepted, CROWD, FIRST, granted, HASH, INVITATION, invited, NOBODY, ofOrganisation, removed, takenBack, VIEWER } from './givenPeople.ts'

const SESSION = id('session')
const BOB = uuidv5(NIL_UUID, 'google:1234')
const nobody = { actor: undefined }
const input: SignInWithGoogle = { googleId: '1234', email: 'Bob@Bakery.example', emailVerified: true, name: 'Bob', sessionId: SESSION }
const identity = { googleId: '1234', email: 'Bob@Bakery.example', name: 'Bob' }

const created = (accountId: string, more: object = {}): Fact => fact(accountCreated, `account:${accountId}`, { accountId, ...more, ...identity })
const updated = (accountId: string, data: object): Fact => fact(accountUpdated, `account:${accountId}`, { accountId, ...data })
const entered = (accountId: string): Fact => fact(signedIn, `account:${accountId}`, { accountId, method: 'google', sessionId: SESSION })
const joins = (role: MemberRole, through: string, accountId = BOB, organisationId = FIRST): Fact => ofOrganisation(memberJoined, { organisationId, accountId, role, through })
const used = (accountId = BOB): Fact => ofOrganisation(invitationAccepted, { invitationId: INVITATION, organisationId: FIRST, accountId })
const domains = (allowedDomains: AllowedDomain[], organisationId = FIRST): Fact => ofOrganisation(organisationUpdated, { organisationId, allowedDomains })

/** Bob has been here before and is an analyst. */
const KNOWN: readonly Fact[] = [...CROWD, created(BOB), joined(BOB, 'analyst')]

describe('SignInWithGoogle: somebody who is known', () => {
  it('comes in, and what Google says of them is kept up to date', () => {
    given(...KNOWN).when(signInWithGoogle, input, nobody).then([entered(BOB)], { accountId: BOB })
    given(...KNOWN).when(signInWithGoogle, { ...input, email: 'rob@mill.example' }, nobody).then([updated(BOB, { email: 'rob@mill.example' }), entered(BOB)])
    given(...KNOWN).when(signInWithGoogle, { ...input, name: ' Rob ' }, nobody).then([updated(BOB, { name: 'Rob' }), entered(BOB)])
  })

  it('is who Google\'s id says, whoever has the address', () => {
    given(...KNOWN).when(signInWithGoogle, { ...input, googleId: '5678' }, nobody).refused('not_invited')
  })

  it('keeps the name where Google gives none, and as much of one as there is room for', () => {
    const { googleId, email, emailVerified, sessionId } = input
    given(...KNOWN).when(signInWithGoogle, { googleId, email, emailVerified, sessionId }, nobody).then([entered(BOB)])
    given(...KNOWN).when(signInWithGoogle, { ...input, name: '  ' }, nobody).then([entered(BOB)])
    given(...KNOWN).when(signInWithGoogle, { ...input, name: '🥐'.repeat(200) }, nobody).then([updated(BOB, { name: '🥐'.repeat(LIMITS.eventNameChars) }), entered(BOB)])
  })

  it('is out once removed everywhere: neither their domain nor a used link lets them in again', () => {
    const out = [...KNOWN, removed(BOB)]
    given(...out).when(signInWithGoogle, input, nobody).refused('not_invited')
    given(...out, domains([{ domain: 'bakery.example', role: 'viewer' }])).when(signInWithGoogle, { ...input, hostedDomain: 'bakery.example' }, nobody).refused('not_invited')
    given(...out, invited(), accepted(BOB)).when(signInWithGoogle, { ...input, invitationHash: HASH }, nobody).refused('invitation_ended')
  })

  it('comes back by a new invitation', () => {
    given(...KNOWN, removed(BOB), invited({ role: 'viewer' })).when(signInWithGoogle, { ...input, invitationHash: HASH }, nobody).then([joins('viewer', 'invitation'), used(), entered(BOB)])
  })

  it('joins one more organisation by an invitation', () => {
    const elsewhere = [...CROWD, created(BOB), joined(BOB, 'owner', OTHER), invited()]
    given(...elsewhere).when(signInWithGoogle, { ...input, invitationHash: HASH }, nobody).then([joins('analyst', 'invitation'), used(), entered(BOB)])
    given(...elsewhere, takenBack()).when(signInWithGoogle, { ...input, invitationHash: HASH }, nobody).refused('invitation_ended')
  })

  it('just signs in where the link is to what they belong to; it stays good', () => {
    given(...KNOWN, invited()).when(signInWithGoogle, { ...input, invitationHash: HASH }, nobody).then([entered(BOB)])
    given(...KNOWN, invited(), accepted(BOB)).when(signInWithGoogle, { ...input, invitationHash: HASH }, nobody).then([entered(BOB)])
  })

  it('meets whoever removes them at the same time', () => {
    const { guards } = signInWithGoogle.decide(folded(KNOWN), input, { commandId: COMMAND, now: NOW, actor: undefined })
    assert.ok(guards?.includes(`organisation:${FIRST}`))
  })
})

describe('SignInWithGoogle: the first owner', () => {
  const asOwner = { ...input, ownerEmail: 'bob@bakery.EXAMPLE' }

  it('is whom the operator has named', () => {
    given().when(signInWithGoogle, asOwner, nobody).then([created(OWNER_ID, { role: 'owner' }), entered(OWNER_ID)], { accountId: OWNER_ID })
  })

  it('is nobody else: Google alone makes no owner', () => {
    given().when(signInWithGoogle, input, nobody).refused('not_invited')
    given().when(signInWithGoogle, { ...input, ownerEmail: 'ann@bakery.example' }, nobody).refused('not_invited')
    given().when(signInWithGoogle, { ...asOwner, emailVerified: false }, nobody).refused('email_unverified')
    // KELVIN SIGN, whose small letter is k: another address, which anybody may own.
    given().when(signInWithGoogle, { ...input, email: '\u212Aate@bakery.example', ownerEmail: 'kate@bakery.example' }, nobody).refused('not_invited')
  })

  it('links the account that came in with the owner code', () => {
    given(account(OWNER_ID)).when(signInWithGoogle, asOwner, nobody).then([updated(OWNER_ID, identity), entered(OWNER_ID)])
  })

  it('stays who it was: another Google account with the address needs an invitation', () => {
    const owned = [created(OWNER_ID, { role: 'owner' })]
    given(...owned).when(signInWithGoogle, { ...asOwner, googleId: '5678' }, nobody).refused('not_invited')
    given(...owned, domains([{ domain: 'bakery.example', role: 'guest' }])).when(signInWithGoogle, { ...asOwner, googleId: '5678', hostedDomain: 'bakery.example' }, nobody).then([
      fact(accountCreated, `account:${uuidv5(NIL_UUID, 'google:5678')}`, { accountId: uuidv5(NIL_UUID, 'google:5678'), ...identity, googleId: '5678' }),
      joins('guest', 'domain', uuidv5(NIL_UUID, 'google:5678')),
      entered(uuidv5(NIL_UUID, 'google:5678')),
    ])
  })

  it('is out like anybody once removed', () => {
    const gone = [account(OWNER_ID), person(ALICE), joined(ALICE, 'owner'), removed(OWNER_ID)]
    given(...gone).when(signInWithGoogle, asOwner, nobody).refused('not_invited')
    given(...gone, updated(OWNER_ID, identity)).when(signInWithGoogle, asOwner, nobody).refused('not_invited')
  })

  it('is made once: both ways of making it meet in one stream, as do two first sign-ins', () => {
    const context = { commandId: COMMAND, now: NOW, actor: undefined }
    const google = signInWithGoogle.decide(folded([]), asOwner, context)
    const local = signInOwner.decide(folded([]), {}, context)
    assert.equal(google.events[0]?.stream, local.events[0]?.stream)
    // Somebody who is linked to the owner must not be made a second account of at the same time, nor the other way round.
    for (const facts of [[account(OWNER_ID)], [...CROWD, invited()]]) {
      const { guards } = signInWithGoogle.decide(folded(facts), { ...asOwner, invitationHash: facts.length > 1 ? HASH : undefined } as SignInWithGoogle, context)
      assert.ok(guards?.includes(`account:${OWNER_ID}`) === true && guards.includes(`account:${BOB}`))
    }
  })
})

describe('SignInWithGoogle: by invitation', () => {
  const withLink = { ...input, invitationHash: HASH }

  it('makes the account and joins, with the apps that come with it', () => {
    const apps = [{ appId: APP, role: 'admin' as const }, { appId: id('gone'), role: 'viewer' as const }]
    given(...CROWD, app(ALICE, {}, id('gone')), fact(appDeleted, `app:${id('gone')}`, { appId: id('gone') }), invited({ role: 'guest', apps }))
      .when(signInWithGoogle, withLink, nobody)
      .then([created(BOB), joins('guest', 'invitation'), used(), granted(BOB, 'admin'), entered(BOB)], { accountId: BOB })
  })

  it('is for the address that it names, however that is written', () => {
    given(...CROWD, invited({ email: 'bob@bakery.example' })).when(signInWithGoogle, withLink, nobody).then([created(BOB), joins('analyst', 'invitation'), used(), entered(BOB)])
    given(...CROWD, invited({ email: 'ann@bakery.example' })).when(signInWithGoogle, withLink, nobody).refused('invitation_for_another')
  })

  it('works once, until it runs out, unless it is taken back', () => {
    given(...CROWD, invited(), accepted(VIEWER)).when(signInWithGoogle, withLink, nobody).refused('invitation_ended')
    given(...CROWD, invited(), takenBack()).when(signInWithGoogle, withLink, nobody).refused('invitation_ended')
    given(...CROWD, invited({ expiresAt: NOW })).when(signInWithGoogle, withLink, nobody).refused('invitation_ended')
    given(...CROWD).when(signInWithGoogle, withLink, nobody).refused('invitation_ended')
  })

  it('says more than a domain does', () => {
    given(...CROWD, domains([{ domain: 'bakery.example', role: 'admin' }]), invited({ role: 'viewer' }))
      .when(signInWithGoogle, { ...withLink, hostedDomain: 'bakery.example' }, nobody)
      .then([created(BOB), joins('viewer', 'invitation'), used(), entered(BOB)])
  })

  it('is worth nothing without a verified address', () => {
    given(...CROWD, invited()).when(signInWithGoogle, { ...withLink, emailVerified: false }, nobody).refused('email_unverified')
    given(...KNOWN).when(signInWithGoogle, { ...input, emailVerified: false }, nobody).refused('email_unverified')
  })

  it('links nobody to an account that has no Google id, whatever its address', () => {
    given(...CROWD, updated(NOBODY, { email: input.email })).when(signInWithGoogle, input, nobody).refused('not_invited')
  })
})

describe('SignInWithGoogle: by domain', () => {
  const open = [...CROWD, domains([{ domain: 'mill.example', role: 'admin' }, { domain: 'bakery.example', role: 'viewer' }])]
  const managed = { ...input, hostedDomain: 'Bakery.Example' }

  it('joins every organisation that has opened itself to the domain', () => {
    given(...open).when(signInWithGoogle, managed, nobody).then([created(BOB), joins('viewer', 'domain'), entered(BOB)])
    given(...open, domains([{ domain: 'bakery.example', role: 'guest' }], OTHER))
      .when(signInWithGoogle, managed, nobody)
      .then([created(BOB), joins('viewer', 'domain'), joins('guest', 'domain', BOB, OTHER), entered(BOB)])
  })

  it('counts only where Google says that the company manages the account, and the address is of that domain', () => {
    given(...open).when(signInWithGoogle, input, nobody).refused('not_invited')
    for (const [email, hostedDomain] of [
      ...[['bob@bakery.example', 'mill.example'], ['bob@mill.example', 'bakery.example'], ['bob@sub.bakery.example', 'bakery.example']],
      ...[['bob@bakery.example', 'sub.bakery.example'], ['bob@xbakery.example', 'bakery.example'], ['bob@bakery.example', ''], ['bob@other.example', 'other.example']],
    ] as const) {
      given(...open).when(signInWithGoogle, { ...input, email, hostedDomain }, nobody).refused('not_invited')
    }
  })

  it('counts no more once the organisation has closed itself', () => {
    given(...open, domains([])).when(signInWithGoogle, managed, nobody).refused('not_invited')
  })

  it('stops at as many members as there may be', () => {
    const crowd = Array.from({ length: LIMITS.membersPerOrganisation - 5 }, (_, index) => joined(id(`m ${index}`), 'guest'))
    given(...open, ...crowd).when(signInWithGoogle, managed, nobody).refused('limit_reached')
    given(...open, ...crowd, domains([{ domain: 'bakery.example', role: 'guest' }], OTHER))
      .when(signInWithGoogle, managed, nobody)
      .then([created(BOB), joins('guest', 'domain', BOB, OTHER), entered(BOB)])
  }).timeout(10_000)
})

describe('SignInWithGoogle: the same person', () => {
  it('has one account, made once, whatever the id of the command', () => {
    const context = { commandId: id('another'), now: NOW, actor: undefined }
    const { result } = signInWithGoogle.decide(folded([...CROWD, invited()]), { ...input, invitationHash: HASH }, context)
    assert.deepEqual(result, { accountId: BOB })
    assert.notEqual(BOB, MALLORY)
    assert.equal(folded(KNOWN).accountByGoogleId('1234')?.accountId, BOB)
    assert.equal(folded(KNOWN).member(FIRST_ORGANISATION, BOB)?.role, 'analyst')
  })
})
