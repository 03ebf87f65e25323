import assert from 'node:assert/strict'
import { createOrganisation } from '../../../src/commands/createOrganisation.ts'
import { updateOrganisation, updateOrganisationBody } from '../../../src/commands/updateOrganisation.ts'
import { organisationCreated } from '../../../src/events/organisationCreated.ts'
import { organisationUpdated } from '../../../src/events/organisationUpdated.ts'
import { memberJoined } from '../../../src/events/memberJoined.ts'
import type { AllowedDomain } from '../../../src/events/organisations.ts'
import { uuidv5 } from '../../../src/kernel/ids.ts'
import { compile } from '../../../src/kernel/validation.ts'
import { LIMITS } from '../../../src/limits.ts'
import { ALICE, BAKERY, COMMAND, fact, folded, given, id, MALLORY, NOW, OTHER } from './given.ts'
import { ADMIN, CROWD, FIRST, NOBODY, ofOrganisation, roleChanged, VIEWER } from './givenPeople.ts'

const NEW = uuidv5(COMMAND, 'organisation')

describe('CreateOrganisation', () => {
  it('makes it, and whoever runs the installation its owner', () => {
    given(...CROWD).when(createOrganisation, { name: ' Mill ' }).then(
      [
        ofOrganisation(organisationCreated, { organisationId: NEW, name: 'Mill' }),
        ofOrganisation(memberJoined, { organisationId: NEW, accountId: ALICE, role: 'owner', through: 'founding' }),
      ],
      { organisationId: NEW },
    )
  })

  it('is for owners of the first organisation alone', () => {
    for (const actor of [ADMIN, VIEWER, MALLORY]) given(...CROWD).when(createOrganisation, { name: 'Mill' }, { actor }).refused('forbidden')
    given(...CROWD).when(createOrganisation, { name: 'Mill' }, { actor: NOBODY }).refused('unauthenticated')
    given(...CROWD).when(createOrganisation, { name: 'Mill' }, { actor: undefined }).refused('unauthenticated')
    given(...CROWD, roleChanged(ADMIN, 'owner'), roleChanged(ALICE, 'admin')).when(createOrganisation, { name: 'Mill' }).refused('forbidden')
  })

  it('meets whoever takes that ownership away at the same time', () => {
    const { guards } = createOrganisation.decide(folded(CROWD), { name: 'Mill' }, { commandId: COMMAND, now: NOW, actor: ALICE })
    assert.deepEqual(guards, [`organisation:${FIRST}`])
  })

  it('makes no more than there may be', () => {
    const others = Array.from({ length: LIMITS.organisations - 2 }, (_, index) => {
      return ofOrganisation(organisationCreated, { organisationId: id(`organisation ${index}`), name: 'O' })
    })
    given(...BAKERY, ...others).when(createOrganisation, { name: 'Mill' }).refused('limit_reached')
    given(...BAKERY, ...others.slice(1)).when(createOrganisation, { name: 'Mill' }).then([
      ofOrganisation(organisationCreated, { organisationId: NEW, name: 'Mill' }),
      ofOrganisation(memberJoined, { organisationId: NEW, accountId: ALICE, role: 'owner', through: 'founding' }),
    ])
  })

  it('takes no blank name', () => {
    assert.equal(compile(createOrganisation.schema)({ name: '  ' })[0]?.path, '/name')
  })
})

describe('UpdateOrganisation', () => {
  const domains: AllowedDomain[] = [{ domain: 'bakery.example', role: 'viewer' }]
  const updated = (data: object, organisationId = FIRST) => [ofOrganisation(organisationUpdated, { organisationId, ...data })]

  it('allows domains of others only to those who run the installation, and to everybody their own', () => {
    const [own, others] = [domains[0]!, { domain: 'brewery.example', role: 'viewer' } as const]
    const of = (...allowedDomains: AllowedDomain[]) => ({ organisationId: OTHER, allowedDomains })
    given(...CROWD).when(updateOrganisation, of(own), { actor: MALLORY }).then(updated({ allowedDomains: [own] }, OTHER))
    given(...CROWD).when(updateOrganisation, of(own, others), { actor: MALLORY }).refused('forbidden', '/allowedDomains/1/domain')
    // What was allowed before, by whomever, need not be taken away to change something else.
    const changed = { ...others, role: 'guest' } as const
    given(...CROWD, ...updated({ allowedDomains: [others] }, OTHER)).when(updateOrganisation, of(changed), { actor: MALLORY }).then(updated({ allowedDomains: [changed] }, OTHER))
  })

  it('writes only what changed', () => {
    given(...CROWD).when(updateOrganisation, { organisationId: FIRST, name: 'My organisation', allowedDomains: domains }).then(updated({ allowedDomains: domains }))
    given(...CROWD).when(updateOrganisation, { organisationId: FIRST, name: ' Bakery ' }).then(updated({ name: 'Bakery' }), { organisationId: FIRST })
    given(...CROWD).when(updateOrganisation, { organisationId: OTHER, name: 'Beer' }, { actor: MALLORY }).then(updated({ name: 'Beer' }, OTHER))
  })

  it('a change of nothing is no event', () => {
    given(...CROWD, ...updated({ allowedDomains: domains }))
      .when(updateOrganisation, { organisationId: FIRST, name: 'My organisation', allowedDomains: domains })
      .then([], { organisationId: FIRST })
  })

  it('closes an organisation to all domains', () => {
    given(...CROWD, ...updated({ allowedDomains: domains })).when(updateOrganisation, { organisationId: FIRST, allowedDomains: [] }).then(updated({ allowedDomains: [] }))
  })

  it('refuses a domain that is there twice', () => {
    const twice: AllowedDomain[] = [...domains, { domain: 'mill.example', role: 'guest' }, { domain: 'bakery.example', role: 'admin' }]
    given(...CROWD).when(updateOrganisation, { organisationId: FIRST, allowedDomains: twice }).refused('invalid_body', '/allowedDomains/2/domain')
  })

  it('is for its owners; whoever is not in it does not learn that it is there', () => {
    for (const actor of [ADMIN, VIEWER]) given(...CROWD).when(updateOrganisation, { organisationId: FIRST, name: 'Mine' }, { actor }).refused('forbidden')
    given(...CROWD).when(updateOrganisation, { organisationId: FIRST, name: 'Mine' }, { actor: MALLORY }).refused('not_found')
    given(...CROWD).when(updateOrganisation, { organisationId: OTHER, name: 'Mine' }).refused('not_found')
    given(...CROWD).when(updateOrganisation, { organisationId: id('none'), name: 'Mine' }).refused('not_found')
    given(...CROWD).when(updateOrganisation, { organisationId: FIRST, name: 'Mine' }, { actor: NOBODY }).refused('unauthenticated')
  })

  it('its schema wants domains in lower case, and nobody an owner by domain', () => {
    const check = compile(updateOrganisationBody)
    assert.deepEqual(check({ allowedDomains: domains }), [])
    for (const domain of ['Bakery.example', 'bakery', '@bakery.example', 'bakery.example ', 'bäckerei.example', '']) {
      assert.equal(check({ allowedDomains: [{ domain, role: 'viewer' }] })[0]?.path, '/allowedDomains/0/domain', domain)
    }
    assert.equal(check({ allowedDomains: [{ domain: 'a.example', role: 'owner' }] })[0]?.path, '/allowedDomains/0/role')
    assert.deepEqual(check({}), [{ path: '', detail: 'must name at least one field' }])
  })

  it('what changed is what the fold knows', () => {
    const state = folded([...CROWD, ...updated({ name: 'Bread' }), ...updated({ allowedDomains: domains }), fact(organisationUpdated, 'x', { organisationId: id('none'), name: 'X' })])
    assert.deepEqual(state.organisation(FIRST), { organisationId: FIRST, name: 'Bread', allowedDomains: domains })
    assert.equal(state.organisation(id('none')), undefined)
  })
})
