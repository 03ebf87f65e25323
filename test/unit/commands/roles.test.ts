import assert from 'node:assert/strict'
import {
  actingAccount, appFor, appsSeenBy, atLeast, belongs, isOperator, keyFor, knownAccount, memberOf, organisationFor,
  presentScopes, refuseRoleAbove, refuseScopesAbove, roleOnApp, scopesOf,
} from '../../../src/commands/roles.ts'
import { type ErrorCode, Problem } from '../../../src/errors.ts'
import { appDeleted } from '../../../src/events/appDeleted.ts'
import { GRANT_ROLES, MEMBER_ROLES, type MemberRole, type Role, ROLES } from '../../../src/events/organisations.ts'
import type { Scope } from '../../../src/events/schemas.ts'
import { ALICE, APP, app, fact, type Fact, folded, id, joined, KEY, key, MALLORY, OTHER } from './given.ts'
import { BY_ROLE, CROWD, FIRST, granted, GUEST, NOBODY, removed, roleChanged, VIEWER } from './givenPeople.ts'

const SCOPES: readonly Scope[] = ['collect', 'query', 'people']
const deleted = fact(appDeleted, `app:${APP}`, { appId: APP })

function refused(code: ErrorCode, question: () => unknown): void {
  assert.throws(question, (error) => error instanceof Problem && error.code === code, code)
}

/** By a member's role (down) and what was granted (across): what they are on the app. */
const ON_APP: Readonly<Record<MemberRole, Readonly<Record<'none' | (typeof GRANT_ROLES)[number], Role | undefined>>>> = {
  guest: { none: undefined, viewer: 'viewer', analyst: 'analyst', admin: 'admin' },
  viewer: { none: 'viewer', viewer: 'viewer', analyst: 'analyst', admin: 'admin' },
  analyst: { none: 'analyst', viewer: 'analyst', analyst: 'analyst', admin: 'admin' },
  admin: { none: 'admin', viewer: 'admin', analyst: 'admin', admin: 'admin' },
  owner: { none: 'owner', viewer: 'owner', analyst: 'owner', admin: 'owner' },
}

/** What a key may do whose issuer is this on its app. */
const OF_KEYS: Readonly<Record<Role, readonly Scope[]>> = { viewer: ['query'], analyst: ['query', 'people'], admin: SCOPES, owner: SCOPES }

describe('roles', () => {
  for (const role of MEMBER_ROLES) {
    for (const grant of ['none', ...GRANT_ROLES] as const) {
      const expected = ON_APP[role][grant]
      const facts = [...CROWD, ...(grant === 'none' ? [] : [granted(BY_ROLE[role], grant)])]

      it(`${role} with grant ${grant} is ${expected ?? 'nobody'} on the app: sees it, may do what takes no more, and lends keys no more`, () => {
        const state = folded([...facts, key({ issuedBy: BY_ROLE[role], scopes: [...SCOPES] })])
        const account = BY_ROLE[role]
        assert.equal(roleOnApp(state, state.app(APP)!, account), expected)
        assert.deepEqual([...appsSeenBy(state, account)].map(({ appId }) => appId), expected === undefined ? [] : [APP])
        for (const least of ROLES) {
          const outcome = expected === undefined ? 'not_found' : ROLES.indexOf(expected) < ROLES.indexOf(least) ? 'forbidden' : undefined
          if (outcome === undefined) assert.equal(appFor(state, APP, account, least).appId, APP)
          else refused(outcome, () => appFor(state, APP, account, least))
        }
        assert.deepEqual([...presentScopes(state, state.key(KEY)!)].sort(), [...(expected === undefined ? [] : OF_KEYS[expected])].sort())
      })

      it(`${role} with grant ${grant} is nobody once removed, once the app is gone, or for another's app`, () => {
        const others = app(MALLORY, {}, id('theirs'))
        const theirs: Fact = { ...others, data: { ...(others.data as object), organisationId: OTHER } }
        const account = BY_ROLE[role]
        const seen = (...more: Fact[]) => {
          const state = folded([...facts, theirs, key({ issuedBy: account }), ...more])
          return [roleOnApp(state, state.app(APP)!, account), roleOnApp(state, state.app(id('theirs'))!, account), ...presentScopes(state, state.key(KEY)!)]
        }
        assert.deepEqual(seen(removed(account)), [undefined, undefined])
        assert.deepEqual(seen(deleted), [undefined, undefined])
        // A grant does not outlive its member: whoever comes back starts from their role.
        assert.equal(seen(removed(account), joined(account, 'guest'))[0], undefined)
        assert.equal(seen()[1], undefined)
      })
    }
  }

  it('are in one order, with guests and nobody below all', () => {
    for (const [index, role] of ROLES.entries()) {
      for (const [least, other] of ROLES.entries()) assert.equal(atLeast(role, other), index >= least, `${role} for ${other}`)
      assert.equal(atLeast('guest', role), false)
      assert.equal(atLeast(undefined, role), false)
      assert.deepEqual([...scopesOf(role)].sort(), [...OF_KEYS[role]].sort())
    }
    assert.deepEqual(scopesOf(undefined), [])
    for (const [own, role] of MEMBER_ROLES.entries()) {
      for (const [index, other] of MEMBER_ROLES.entries()) {
        if (index > own) refused('forbidden', () => { refuseRoleAbove(role, other) })
        else refuseRoleAbove(role, other)
      }
    }
  })

  it('say which keys somebody may touch: all of whose scopes their role covers', () => {
    for (const role of ROLES) {
      for (const scopes of [['query'], ['query', 'people'], ['collect'], ['collect', 'query', 'people']] as Scope[][]) {
        const within = scopes.every((scope) => OF_KEYS[role].includes(scope))
        if (within) refuseScopesAbove(role, scopes)
        else refused('forbidden', () => { refuseScopesAbove(role, scopes) })
        const state = folded([...CROWD, key({ keyId: id('touched'), scopes })])
        const touch = () => keyFor(state, id('touched'), BY_ROLE[role], 'analyst').key.keyId
        if (within && role !== 'viewer') assert.equal(touch(), id('touched'))
        else refused('forbidden', touch)
      }
    }
    const state = folded(CROWD)
    for (const [keyId, account] of [[KEY, GUEST], [KEY, MALLORY], [KEY, NOBODY], [id('none'), ALICE]] as const) refused('not_found', () => keyFor(state, keyId, account, 'viewer'))
    refused('not_found', () => keyFor(folded([...CROWD, deleted]), KEY, ALICE, 'viewer'))
  })

  it('in an organisation: members see it, others do not learn that it is there', () => {
    const state = folded(CROWD)
    for (const [index, role] of MEMBER_ROLES.entries()) {
      for (const [least, asked] of MEMBER_ROLES.entries()) {
        const question = () => organisationFor(state, FIRST, BY_ROLE[role], asked).member.role
        if (index >= least) assert.equal(question(), role)
        else refused('forbidden', question)
      }
    }
    for (const [organisationId, account] of [[FIRST, MALLORY], [OTHER, ALICE], [FIRST, NOBODY], [id('none'), ALICE]] as const) {
      refused('not_found', () => organisationFor(state, organisationId, account, 'guest'))
    }
    assert.equal(memberOf(state, FIRST, VIEWER).role, 'viewer')
    refused('not_found', () => memberOf(state, FIRST, MALLORY))
    refused('not_found', () => memberOf(state, OTHER, VIEWER))
  })

  it('whoever belongs nowhere may not act, but is known', () => {
    const state = folded(CROWD)
    assert.deepEqual([ALICE, GUEST, MALLORY, NOBODY, id('none')].map((account) => belongs(state, account)), [true, true, true, false, false])
    assert.equal(actingAccount(state, { actor: GUEST }), GUEST)
    assert.equal(knownAccount(state, { actor: NOBODY }), NOBODY)
    for (const actor of [NOBODY, id('none'), undefined]) refused('unauthenticated', () => actingAccount(state, { actor }))
    for (const actor of [id('none'), undefined]) refused('unauthenticated', () => knownAccount(state, { actor }))
  })

  it('owners of the first organisation run the installation, and those of others do not', () => {
    const operators = (...facts: Fact[]) => MEMBER_ROLES.filter((role) => isOperator(folded([...CROWD, ...facts]), BY_ROLE[role]))
    assert.deepEqual(operators(), ['owner'])
    assert.deepEqual(operators(roleChanged(VIEWER, 'owner')), ['viewer', 'owner'])
    assert.deepEqual(operators(removed(ALICE)), [])
    assert.equal(isOperator(folded(CROWD), MALLORY), false)
  })
})
