// Changes an organisation's name, or whose domains may join it; what stays the same is not written.
import { isDeepStrictEqual } from 'node:util'
import { type Fault, Problem } from '../errors.ts'
import { organisationUpdated, type OrganisationUpdated } from '../events/organisationUpdated.ts'
import { allowedDomains, type AllowedDomain } from '../events/organisations.ts'
import { objectSchema, uuid } from '../events/schemas.ts'
import { NIL_UUID } from '../kernel/ids.ts'
import type { Command } from './commandBus.ts'
import { organisationName } from './createOrganisation.ts'
import { actingAccount, organisationFor } from './roles.ts'

export interface UpdateOrganisation {
  organisationId: string
  name?: string
  allowedDomains?: AllowedDomain[]
}

const properties = {
  name: organisationName,
  allowedDomains: {
    ...allowedDomains,
    description: 'Domains whose people join when they first sign in with an account that the domain\'s company manages at Google, and what they become.',
  },
} as const

/** What a client sends; the organisation is named by the route. */
export const updateOrganisationBody = {
  ...objectSchema(properties, []),
  ...{ minProperties: 1, title: 'UpdateOrganisationBody', description: 'What to change of an organisation; the rest stays as it is.' },
  examples: [{ allowedDomains: [{ domain: 'bakery.example', role: 'viewer' }] }],
}

export const updateOrganisation: Command<UpdateOrganisation, { organisationId: string }> = {
  name: 'UpdateOrganisation',
  schema: {
    ...objectSchema({ organisationId: uuid, ...properties }, ['organisationId']),
    ...{ title: 'UpdateOrganisation', description: 'What to change of an organisation; the rest stays as it is.' },
  },
  decide(state, input, context) {
    const { organisation } = organisationFor(state, input.organisationId, actingAccount(state, context), 'owner')
    refuseTwice(input.allowedDomains ?? [])
    const { organisationId } = organisation
    const name = input.name?.trim()
    const domains = input.allowedDomains
    const data: OrganisationUpdated = {
      organisationId,
      ...(name === undefined || name === organisation.name ? {} : { name }),
      ...(domains === undefined || isDeepStrictEqual(domains, organisation.allowedDomains) ? {} : { allowedDomains: domains }),
    }
    const changed = Object.keys(data).length > 1
    return {
      events: changed ? [{ type: organisationUpdated, stream: `organisation:${organisationId}`, appId: NIL_UUID, data }] : [],
      result: { organisationId },
    }
  },
}

function refuseTwice(domains: readonly AllowedDomain[]): void {
  const errors: Fault[] = []
  domains.forEach(({ domain }, index) => {
    if (domains.findIndex((other) => other.domain === domain) < index) errors.push({ path: `/allowedDomains/${index}/domain`, detail: 'is there twice' })
  })
  if (errors.length > 0) throw new Problem('invalid_body', undefined, { errors })
}
