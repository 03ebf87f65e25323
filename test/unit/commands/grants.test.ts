import assert from 'node:assert/strict'
import { endAppGrant } from '../../../src/commands/endAppGrant.ts'
import { grantApp } from '../../../src/commands/grantApp.ts'
import { roleOnApp } from '../../../src/commands/roles.ts'
import { transferApp } from '../../../src/commands/transferApp.ts'
import { apiKeyAdopted } from '../../../src/events/apiKeyAdopted.ts'
import { apiKeyRevoked } from '../../../src/events/apiKeyRevoked.ts'
import { appDeleted } from '../../../src/events/appDeleted.ts'
import { appGrantEnded } from '../../../src/events/appGrantEnded.ts'
import { appTransferred } from '../../../src/events/appTransferred.ts'
import { LIMITS } from '../../../src/limits.ts'
import { ALICE, APP, COMMAND, fact, type Fact, folded, given, id, joined, KEY, key, MALLORY, NOW, OTHER } from './given.ts'
import { ADMIN, ANALYST, CROWD, FIRST, granted, GUEST, NOBODY, removed, VIEWER } from './givenPeople.ts'

const deleted = fact(appDeleted, `app:${APP}`, { appId: APP })
const ended = (accountId: string): Fact => fact(appGrantEnded, `app:${APP}`, { appId: APP, accountId })
const transferred = (organisationId = OTHER): Fact => fact(appTransferred, `app:${APP}`, { appId: APP, from: FIRST, organisationId })
const guardsOf = (command: typeof grantApp | typeof endAppGrant | typeof transferApp, input: object, facts = CROWD) => {
  return command.decide(folded(facts), input as never, { commandId: COMMAND, now: NOW, actor: ALICE }).guards
}

describe('GrantApp', () => {
  const input = { appId: APP, accountId: GUEST, role: 'analyst' as const }

  it('grants to members, also less than before', () => {
    given(...CROWD).when(grantApp, input).then([granted(GUEST, 'analyst')], input)
    given(...CROWD, granted(GUEST, 'admin')).when(grantApp, input, { actor: ADMIN }).then([granted(GUEST, 'analyst')])
  })

  it('what is granted already is no event', () => {
    given(...CROWD, granted(GUEST, 'analyst')).when(grantApp, input).then([], input)
  })

  it('is for admins of the app: by their role in the organisation, or by a grant', () => {
    given(...CROWD).when(grantApp, input, { actor: ANALYST }).refused('forbidden')
    given(...CROWD, granted(VIEWER, 'admin')).when(grantApp, input, { actor: VIEWER }).then([granted(GUEST, 'analyst')])
    given(...CROWD, granted(VIEWER, 'analyst')).when(grantApp, input, { actor: VIEWER }).refused('forbidden')
    given(...CROWD, granted(VIEWER, 'admin'), ended(VIEWER)).when(grantApp, input, { actor: VIEWER }).refused('forbidden')
  })

  it('does not show the app to others, nor others to the app', () => {
    given(...CROWD).when(grantApp, input, { actor: MALLORY }).refused('not_found')
    given(...CROWD).when(grantApp, input, { actor: GUEST }).refused('not_found')
    given(...CROWD).when(grantApp, { ...input, accountId: MALLORY }).refused('not_found')
    given(...CROWD).when(grantApp, { ...input, accountId: NOBODY }).refused('not_found')
    given(...CROWD, removed(GUEST)).when(grantApp, input).refused('not_found')
    given(...CROWD, deleted).when(grantApp, input).refused('not_found')
    given(...CROWD).when(grantApp, { ...input, appId: id('none') }).refused('not_found')
    given(...CROWD).when(grantApp, input, { actor: undefined }).refused('unauthenticated')
  })

  it('meets whoever removes one of the two at the same time', () => {
    assert.deepEqual(guardsOf(grantApp, input), [`organisation:${FIRST}`])
    assert.deepEqual(guardsOf(endAppGrant, input), [`organisation:${FIRST}`])
  })
})

describe('EndAppGrant', () => {
  const input = { appId: APP, accountId: GUEST }

  it('ends the grant', () => {
    given(...CROWD, granted(GUEST, 'viewer')).when(endAppGrant, input, { actor: ADMIN }).then([ended(GUEST)], input)
  })

  it('answers the same where there is none, without an event', () => {
    given(...CROWD).when(endAppGrant, input).then([], input)
    given(...CROWD, granted(GUEST, 'viewer'), ended(GUEST)).when(endAppGrant, input).then([], input)
  })

  it('is for admins of the app, and shows it to nobody else', () => {
    given(...CROWD, granted(GUEST, 'viewer')).when(endAppGrant, input, { actor: ANALYST }).refused('forbidden')
    given(...CROWD, granted(GUEST, 'viewer')).when(endAppGrant, input, { actor: GUEST }).refused('forbidden')
    given(...CROWD).when(endAppGrant, input, { actor: MALLORY }).refused('not_found')
    given(...CROWD).when(endAppGrant, { appId: APP, accountId: MALLORY }).refused('not_found')
    given(...CROWD, deleted).when(endAppGrant, input).refused('not_found')
  })
})

describe('TransferApp', () => {
  const input = { appId: APP, organisationId: OTHER }
  const both = [...CROWD, joined(ALICE, 'admin', OTHER)]
  const adopted = (keyId: string): Fact => fact(apiKeyAdopted, `key:${keyId}`, { keyId, appId: APP, issuedBy: ALICE })

  it('hands the app over, with the keys that still work', () => {
    const keys = [
      ...[key({ keyId: id('hers'), issuedBy: ALICE }), key({ keyId: id('theirs'), issuedBy: ADMIN }), key({ keyId: id('read'), issuedBy: VIEWER, scopes: ['query'] })],
      ...[key({ keyId: id('powerless'), issuedBy: VIEWER }), key({ keyId: id('revoked'), issuedBy: ADMIN }), key({ keyId: id('expired'), issuedBy: ADMIN, expiresAt: NOW })],
      fact(apiKeyRevoked, `key:${id('revoked')}`, { keyId: id('revoked'), appId: APP }),
    ]
    given(...both, ...keys).when(transferApp, input).then([transferred(), adopted(id('theirs')), adopted(id('read'))], input)
  })

  it('gives no key back what it had lost with its issuer’s role', () => {
    const keys = [key({ keyId: id('once'), issuedBy: VIEWER, scopes: ['collect', 'query', 'people'] })]
    const left = fact(apiKeyAdopted, `key:${id('once')}`, { keyId: id('once'), appId: APP, issuedBy: ALICE, scopes: ['query'] })
    given(...both, ...keys).when(transferApp, input).then([transferred(), left])
    const after = folded([...both, ...keys, transferred(), left])
    assert.deepEqual(after.key(id('once'))?.scopes, ['query'])
  })

  it('takes an owner here and an admin there', () => {
    given(...CROWD, joined(ALICE, 'analyst', OTHER)).when(transferApp, input).refused('forbidden')
    given(...CROWD, joined(ADMIN, 'owner', OTHER)).when(transferApp, input, { actor: ADMIN }).refused('forbidden')
    given(...CROWD, joined(ALICE, 'owner', OTHER)).when(transferApp, input).then([transferred()])
  })

  it('shows neither the app nor the other organisation to those outside', () => {
    given(...CROWD).when(transferApp, input).refused('not_found')
    given(...CROWD).when(transferApp, { ...input, organisationId: id('none') }).refused('not_found')
    given(...CROWD).when(transferApp, input, { actor: MALLORY }).refused('not_found')
    given(...both, deleted).when(transferApp, input).refused('not_found')
    given(...both).when(transferApp, input, { actor: undefined }).refused('unauthenticated')
  })

  it('refuses the organisation that has it, and more keys than one command takes over', () => {
    given(...both).when(transferApp, { ...input, organisationId: FIRST }).refused('invalid_body', '/organisationId')
    const many = Array.from({ length: LIMITS.keysAdopted + 1 }, (_, index) => key({ keyId: id(`k ${index}`), issuedBy: ADMIN }))
    given(...both, ...many).when(transferApp, input).refused('limit_reached')
  })

  it('meets whoever changes either organisation at the same time', () => {
    assert.deepEqual(guardsOf(transferApp, input, both), [`organisation:${FIRST}`, `organisation:${OTHER}`])
  })

  it('leaves nobody of the first organisation with anything, by role or by grant', () => {
    const state = folded([...both, granted(ANALYST, 'admin'), granted(GUEST, 'viewer'), transferred(), joined(GUEST, 'guest', OTHER)])
    const roles = [ADMIN, ANALYST, GUEST, ALICE, MALLORY].map((accountId) => roleOnApp(state, state.app(APP)!, accountId))
    assert.deepEqual(roles, [undefined, undefined, undefined, 'admin', 'owner'])
    assert.equal(state.key(KEY)?.revoked, false)
  })
})
