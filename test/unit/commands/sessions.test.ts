import assert from 'node:assert/strict'
import { operateProjection } from '../../../src/commands/operateProjection.ts'
import { signOut } from '../../../src/commands/signOut.ts'
import { signOutEverywhere } from '../../../src/commands/signOutEverywhere.ts'
import { projectionOperated } from '../../../src/events/projectionOperated.ts'
import { signedOut } from '../../../src/events/signedOut.ts'
import { signedOutEverywhere } from '../../../src/events/signedOutEverywhere.ts'
import { compile } from '../../../src/kernel/validation.ts'
import { ALICE, APP, COMMAND, fact, folded, given, id, MALLORY, NOW } from './given.ts'
import { ADMIN, CROWD, FIRST, NOBODY, removed, roleChanged, VIEWER } from './givenPeople.ts'

const SESSION = id('session')
const out = (accountId = ALICE, reason = 'asked', sessionId = SESSION) => fact(signedOut, `account:${accountId}`, { accountId, sessionId, reason })
const everywhere = (accountId = ALICE) => fact(signedOutEverywhere, `account:${accountId}`, { accountId })

describe('SignOut', () => {
  it('ends the session, and says why', () => {
    given(...CROWD).when(signOut, { sessionId: SESSION }).then([out()], { sessionId: SESSION })
    given(...CROWD).when(signOut, { sessionId: SESSION, reason: 'replayed' }).then([out(ALICE, 'replayed')])
  })

  it('ending it again is no event', () => {
    given(...CROWD, out()).when(signOut, { sessionId: SESSION, reason: 'replayed' }).then([], { sessionId: SESSION })
    given(...CROWD, out(ALICE, 'asked', id('another'))).when(signOut, { sessionId: SESSION }).then([out()])
  })

  it('is open to whoever lost everything else, and not to nobody', () => {
    given(...CROWD, removed(VIEWER)).when(signOut, { sessionId: SESSION }, { actor: VIEWER }).then([out(VIEWER)])
    given(...CROWD).when(signOut, { sessionId: SESSION }, { actor: undefined }).refused('unauthenticated')
    given(...CROWD).when(signOut, { sessionId: SESSION }, { actor: id('no account') }).refused('unauthenticated')
  })
})

describe('SignOutEverywhere', () => {
  it('ends all sessions until now, each time', () => {
    given(...CROWD).when(signOutEverywhere, {}).then([everywhere()], { accountId: ALICE })
    given(...CROWD, everywhere()).when(signOutEverywhere, {}).then([everywhere()])
    assert.equal(folded([...CROWD, everywhere(), everywhere()]).account(ALICE)?.generation, 2)
    assert.equal(folded([...CROWD, everywhere()]).account(MALLORY)?.generation, 0)
  })

  it('is open to whoever lost everything else, and not to nobody', () => {
    given(...CROWD, removed(VIEWER)).when(signOutEverywhere, {}, { actor: VIEWER }).then([everywhere(VIEWER)])
    given(...CROWD).when(signOutEverywhere, {}, { actor: undefined }).refused('unauthenticated')
  })
})

describe('OperateProjection', () => {
  const stream = 'projection:eventSummary'
  const input = { projection: 'eventSummary', action: 'rebuild' as const }

  it('puts on record what is done', () => {
    given(...CROWD).when(operateProjection, input).then([fact(projectionOperated, stream, input)], { projection: 'eventSummary' })
    const more = { ...input, appId: APP, build: 7 }
    const [event] = given(...CROWD).when(operateProjection, more).then([fact(projectionOperated, stream, more)])
    assert.equal(event?.appId, APP)
  })

  it('is for owners of the first organisation alone', () => {
    for (const actor of [ADMIN, MALLORY]) given(...CROWD).when(operateProjection, input, { actor }).refused('forbidden')
    for (const actor of [NOBODY, undefined]) given(...CROWD).when(operateProjection, input, { actor }).refused('unauthenticated')
    given(...CROWD, roleChanged(ADMIN, 'owner')).when(operateProjection, input, { actor: ADMIN }).then([fact(projectionOperated, stream, input)])
    const { guards } = operateProjection.decide(folded(CROWD), input, { commandId: COMMAND, now: NOW, actor: ALICE })
    assert.deepEqual(guards, [`organisation:${FIRST}`])
  })

  it('names an app that is there', () => {
    given(...CROWD).when(operateProjection, { ...input, appId: id('none') }).refused('not_found')
  })

  it('its schema knows what can be done', () => {
    assert.equal(compile(operateProjection.schema)({ ...input, action: 'explode' })[0]?.path, '/action')
    assert.equal(compile(operateProjection.schema)({ ...input, projection: 'a b' })[0]?.path, '/projection')
  })
})
