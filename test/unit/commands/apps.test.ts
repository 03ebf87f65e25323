import assert from 'node:assert/strict'
import { deleteApp } from '../../../src/commands/deleteApp.ts'
import { registerApp } from '../../../src/commands/registerApp.ts'
import { signInOwner } from '../../../src/commands/signInOwner.ts'
import { updateApp, updateAppBody } from '../../../src/commands/updateApp.ts'
import { accountCreated } from '../../../src/events/accountCreated.ts'
import { appDeleted } from '../../../src/events/appDeleted.ts'
import { appRegistered } from '../../../src/events/appRegistered.ts'
import { appUpdated } from '../../../src/events/appUpdated.ts'
import { FIRST_ORGANISATION } from '../../../src/events/organisations.ts'
import { DEFAULT_SETTINGS } from '../../../src/events/schemas.ts'
import { signedIn } from '../../../src/events/signedIn.ts'
import { NIL_UUID, uuidv5 } from '../../../src/kernel/ids.ts'
import { compile } from '../../../src/kernel/validation.ts'
import { account, ALICE, APP, app, BAKERY, COMMAND, fact, given, id, joined, MALLORY, person } from './given.ts'
import { removed } from './givenPeople.ts'

const NEW_APP = uuidv5(COMMAND, 'app')
const deleted = fact(appDeleted, `app:${APP}`, { appId: APP })

describe('SignInOwner', () => {
  const owner = uuidv5(NIL_UUID, 'owner')
  const stream = `account:${owner}`
  const entered = fact(signedIn, stream, { accountId: owner, method: 'local' })

  it('creates the owner account at the first sign-in', () => {
    const created = fact(accountCreated, stream, { accountId: owner, role: 'owner' })
    given().when(signInOwner, {}, { actor: undefined }).then([created, entered], { accountId: owner })
  })

  it('only notes the sign-in afterwards', () => {
    given(account(owner)).when(signInOwner, {}, { actor: undefined }).then([entered], { accountId: owner })
  })

  it('does not let a first owner in again who was removed', () => {
    given(account(owner), person(ALICE), joined(ALICE, 'owner'), removed(owner)).when(signInOwner, {}, { actor: undefined }).refused('not_invited')
  })

  it('decides the same account whatever the id of the command, so that two cannot be made', () => {
    const [first] = given().when(signInOwner, {}, { actor: undefined, commandId: id('other') }).then([
      fact(accountCreated, stream, { accountId: owner, role: 'owner' }),
      entered,
    ])
    assert.equal(first?.stream, stream)
  })
})

describe('RegisterApp', () => {
  const registered = (data: object) => [fact(appRegistered, `app:${NEW_APP}`, { appId: NEW_APP, ownerId: ALICE, organisationId: FIRST_ORGANISATION, ...data })]

  it('registers with defaults', () => {
    given(account(ALICE))
      .when(registerApp, { name: ' Bakery ' })
      .then(registered({ name: 'Bakery', settings: DEFAULT_SETTINGS }), { appId: NEW_APP })
  })

  it('registers with everything given', () => {
    given(account(ALICE))
      .when(registerApp, { name: 'B', url: 'https://b.example', timezone: 'Asia/Kathmandu', ip: 'none', keepQuery: ['q', 'q', 'p'] })
      .then(registered({ name: 'B', url: 'https://b.example', settings: { timezone: 'Asia/Kathmandu', ip: 'none', keepQuery: ['q', 'p'] } }))
  })

  it('takes `all` for keepQuery', () => {
    given(account(ALICE))
      .when(registerApp, { name: 'B', keepQuery: 'all' })
      .then(registered({ name: 'B', settings: { ...DEFAULT_SETTINGS, keepQuery: 'all' } }))
  })

  for (const timezone of ['Mars/Olympus', '+02:00', 'Europe/Berlin ', 'Z', '2026']) {
    it(`refuses the time zone "${timezone}"`, () => {
      given(account(ALICE)).when(registerApp, { name: 'B', timezone }).refused('invalid_body', '/timezone')
    })
  }

  for (const url of ['bakery', 'javascript:alert(1)', 'https://', 'ftp://b.example']) {
    it(`refuses the address "${url}"`, () => {
      given(account(ALICE)).when(registerApp, { name: 'B', url }).refused('invalid_body', '/url')
    })
  }

  it('refuses who is not signed in, and an account that does not exist', () => {
    given(account(ALICE)).when(registerApp, { name: 'B' }, { actor: undefined }).refused('unauthenticated')
    given(account(ALICE)).when(registerApp, { name: 'B' }, { actor: id('nobody') }).refused('unauthenticated')
  })

  it('its schema names what is wrong', () => {
    const check = compile(registerApp.schema)
    assert.deepEqual(check({}), [{ path: '/name', detail: 'is required' }])
    assert.deepEqual(check({ name: '   ' })[0]?.path, '/name')
    assert.deepEqual(check({ name: 'B', ip: 'some' })[0]?.path, '/ip')
    assert.deepEqual(check({ name: 'B', keepQuery: 'some' }), [{ path: '/keepQuery', detail: 'must be "all" or an array' }])
    assert.deepEqual(check({ name: 'x'.repeat(129) })[0]?.path, '/name')
  })
})

describe('UpdateApp', () => {
  const updated = (data: object) => [fact(appUpdated, `app:${APP}`, { appId: APP, ...data })]

  it('writes only what changed', () => {
    given(...BAKERY)
      .when(updateApp, { appId: APP, name: 'Bakery', timezone: 'Europe/Paris', ip: 'truncate', keepQuery: [] })
      .then(updated({ settings: { timezone: 'Europe/Paris' } }), { appId: APP })
  })

  it('changes name and address', () => {
    given(...BAKERY)
      .when(updateApp, { appId: APP, name: 'Bread', url: 'https://bread.example' })
      .then(updated({ name: 'Bread', url: 'https://bread.example' }))
  })

  it('a change of nothing is no event', () => {
    given(...BAKERY).when(updateApp, { appId: APP, name: ' Bakery', timezone: 'UTC' }).then([], { appId: APP })
  })

  it('refuses a zone that does not exist', () => {
    given(...BAKERY).when(updateApp, { appId: APP, timezone: 'Nowhere/Land' }).refused('invalid_body', '/timezone')
  })

  it('does not know the apps of others, deleted ones and those that never were', () => {
    given(...BAKERY).when(updateApp, { appId: APP, name: 'Mine' }, { actor: MALLORY }).refused('not_found')
    given(...BAKERY, deleted).when(updateApp, { appId: APP, name: 'Back' }).refused('not_found')
    given(...BAKERY).when(updateApp, { appId: id('other'), name: 'X' }).refused('not_found')
    given(...BAKERY).when(updateApp, { appId: APP, name: 'X' }, { actor: undefined }).refused('unauthenticated')
  })

  it('the body must name something', () => {
    assert.deepEqual(compile(updateAppBody)({}), [{ path: '', detail: 'must name at least one field' }])
  })
})

describe('DeleteApp', () => {
  it('deletes', () => {
    given(...BAKERY).when(deleteApp, { appId: APP }).then([deleted], { appId: APP })
  })

  it('does not know the apps of others, deleted ones and those that never were', () => {
    given(...BAKERY).when(deleteApp, { appId: APP }, { actor: MALLORY }).refused('not_found')
    given(...BAKERY, deleted).when(deleteApp, { appId: APP }).refused('not_found')
    given(account(ALICE)).when(deleteApp, { appId: APP }).refused('not_found')
    given(app()).when(deleteApp, { appId: APP }).refused('unauthenticated')
  })
})
