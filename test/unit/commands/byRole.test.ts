// The commands of apps and keys, by each role: who may, who may not, and who does not even see the app.
import assert from 'node:assert/strict'
import { deleteApp } from '../../../src/commands/deleteApp.ts'
import { issueApiKey } from '../../../src/commands/issueApiKey.ts'
import { registerApp } from '../../../src/commands/registerApp.ts'
import { revokeApiKey } from '../../../src/commands/revokeApiKey.ts'
import { presentScopes } from '../../../src/commands/roles.ts'
import { rotateApiKey } from '../../../src/commands/rotateApiKey.ts'
import { updateApp } from '../../../src/commands/updateApp.ts'
import { type ErrorCode, Problem } from '../../../src/errors.ts'
import { apiKeyAdopted } from '../../../src/events/apiKeyAdopted.ts'
import { MEMBER_ROLES, type MemberRole } from '../../../src/events/organisations.ts'
import type { Scope } from '../../../src/events/schemas.ts'
import { APP, COMMAND, fact, folded, given, id, joined, KEY, key, MALLORY, NOW, OTHER, SECRET } from './given.ts'
import { ADMIN, ANALYST, BY_ROLE, CROWD, FIRST, GUEST, NOBODY, removed, roleChanged, VIEWER } from './givenPeople.ts'

type Outcome = 'done' | ErrorCode

const of = (scopes: Scope[]) => key({ keyId: id('touched'), scopes })

function outcome(decide: () => unknown): Outcome {
  try {
    decide()
    return 'done'
  } catch (error) {
    assert.ok(error instanceof Problem, String(error))
    return error.code
  }
}

const context = (actor: string | undefined) => ({ commandId: COMMAND, now: NOW, actor, secret: SECRET })
const touched = folded([...CROWD, of(['query', 'people'])])
const collecting = folded([...CROWD, of(['collect', 'query'])])
const crowd = folded(CROWD)

const WHAT: readonly [string, (actor: string) => unknown, Readonly<Record<MemberRole, Outcome>>][] = [
  ['registers an app', (actor) => registerApp.decide(crowd, { name: 'A' }, context(actor)), { guest: 'forbidden', viewer: 'forbidden', analyst: 'forbidden', admin: 'done', owner: 'done' }],
  ['registers an app there', (actor) => registerApp.decide(crowd, { name: 'A', organisationId: FIRST }, context(actor)), { guest: 'forbidden', viewer: 'forbidden', analyst: 'forbidden', admin: 'done', owner: 'done' }],
  ['changes the app', (actor) => updateApp.decide(crowd, { appId: APP, name: 'A' }, context(actor)), { guest: 'not_found', viewer: 'forbidden', analyst: 'forbidden', admin: 'done', owner: 'done' }],
  ['deletes the app', (actor) => deleteApp.decide(crowd, { appId: APP }, context(actor)), { guest: 'not_found', viewer: 'forbidden', analyst: 'forbidden', admin: 'forbidden', owner: 'done' }],
  ['issues a key to read', (actor) => issueApiKey.decide(crowd, { appId: APP, scopes: ['query', 'people'] }, context(actor)), { guest: 'not_found', viewer: 'forbidden', analyst: 'done', admin: 'done', owner: 'done' }],
  ['issues a key to collect', (actor) => issueApiKey.decide(crowd, { appId: APP }, context(actor)), { guest: 'not_found', viewer: 'forbidden', analyst: 'forbidden', admin: 'done', owner: 'done' }],
  ['rotates a key that reads', (actor) => rotateApiKey.decide(touched, { keyId: id('touched') }, context(actor)), { guest: 'not_found', viewer: 'forbidden', analyst: 'done', admin: 'done', owner: 'done' }],
  ['rotates a key that collects', (actor) => rotateApiKey.decide(collecting, { keyId: id('touched') }, context(actor)), { guest: 'not_found', viewer: 'forbidden', analyst: 'forbidden', admin: 'done', owner: 'done' }],
  ['revokes a key that reads', (actor) => revokeApiKey.decide(touched, { keyId: id('touched') }, context(actor)), { guest: 'not_found', viewer: 'forbidden', analyst: 'done', admin: 'done', owner: 'done' }],
  ['revokes a key that collects', (actor) => revokeApiKey.decide(collecting, { keyId: id('touched') }, context(actor)), { guest: 'not_found', viewer: 'forbidden', analyst: 'forbidden', admin: 'done', owner: 'done' }],
]

describe('apps and keys, by role', () => {
  for (const [what, decide, expected] of WHAT) {
    it(what, () => {
      assert.deepEqual(Object.fromEntries(MEMBER_ROLES.map((role) => [role, outcome(() => decide(BY_ROLE[role]))])), expected)
      const others = what === 'registers an app' ? 'done' : 'not_found'
      assert.equal(outcome(() => decide(MALLORY)), others, 'the owner of another organisation')
      assert.equal(outcome(() => decide(NOBODY)), 'unauthenticated')
    })
  }

  it('a new app goes where its maker may make one, and must be told where that is several', () => {
    const organisationOf = (actor: string, organisationId?: string, ...more: Parameters<typeof given>) => {
      const { events } = registerApp.decide(folded([...CROWD, ...more]), { name: 'A', ...(organisationId === undefined ? {} : { organisationId }) }, context(actor))
      return (events[0]!.data as { organisationId: string }).organisationId
    }
    assert.equal(organisationOf(ADMIN), FIRST)
    assert.equal(organisationOf(MALLORY), OTHER)
    assert.equal(organisationOf(ADMIN, undefined, joined(ADMIN, 'analyst', OTHER)), FIRST)
    assert.equal(organisationOf(ADMIN, OTHER, joined(ADMIN, 'admin', OTHER)), OTHER)
    given(...CROWD, joined(ADMIN, 'admin', OTHER)).when(registerApp, { name: 'A' }, { actor: ADMIN }).refused('invalid_body', '/organisationId')
    given(...CROWD).when(registerApp, { name: 'A', organisationId: OTHER }, { actor: ADMIN }).refused('not_found')
  })

  it('a key does what its issuer may do now: less after a demotion, again after a promotion, all of it once adopted', () => {
    const all = key({ keyId: id('all'), issuedBy: ADMIN, scopes: ['collect', 'query', 'people'] })
    const now = (...more: Parameters<typeof given>) => {
      const state = folded([...CROWD, all, ...more])
      return presentScopes(state, state.key(id('all'))!)
    }
    assert.deepEqual(now(), ['collect', 'query', 'people'])
    assert.deepEqual(now(roleChanged(ADMIN, 'analyst')), ['query', 'people'])
    assert.deepEqual(now(roleChanged(ADMIN, 'viewer')), ['query'])
    assert.deepEqual(now(roleChanged(ADMIN, 'guest')), [])
    assert.deepEqual(now(roleChanged(ADMIN, 'viewer'), roleChanged(ADMIN, 'admin')), ['collect', 'query', 'people'])
    assert.deepEqual(now(removed(ADMIN)), [])
    const adopted = (issuedBy: string) => fact(apiKeyAdopted, `key:${id('all')}`, { keyId: id('all'), appId: APP, issuedBy })
    assert.deepEqual(now(removed(ADMIN), adopted(BY_ROLE.owner)), ['collect', 'query', 'people'])
    assert.deepEqual(now(adopted(VIEWER)), ['query'])
    assert.deepEqual([now(adopted(GUEST)), now(adopted(MALLORY))], [[], []])
    assert.equal(folded([...CROWD, all, adopted(ANALYST)]).key(id('all'))?.issuedBy, ANALYST)
    assert.equal(folded([...CROWD, all, adopted(ANALYST)]).key(KEY)?.issuedBy, BY_ROLE.owner)
  })
})
